"""Completion of commands and options in shells, made from the parser itself."""

import argparse

SHELLS = ("bash", "zsh", "fish")


def _commands(parser: argparse.ArgumentParser) -> dict[str, list[str]]:
    """Command -> its options."""
    actions = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    return {
        name: sorted(
            option for action in own._actions for option in action.option_strings if option[:2] == "--"
        )
        for name, own in actions[0].choices.items()
    }


def script(shell: str, parser: argparse.ArgumentParser) -> str:
    """Return what the shell is to run; elsewhere than after an option it completes files."""
    commands = _commands(parser)
    if shell == "fish":
        lines = [f"complete -c picfusion -n __fish_use_subcommand -a {name}" for name in commands]
        for name, options in commands.items():
            condition = f"'__fish_seen_subcommand_from {name}'"
            lines += [f"complete -c picfusion -n {condition} -l {option[2:]}" for option in options]
        return "\n".join(lines)
    cases = "\n".join(f"    {name}) words='{' '.join(options)}' ;;" for name, options in commands.items())
    body = f"""_picfusion() {{
  local word="${{COMP_WORDS[COMP_CWORD]}}" words=''
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W '{" ".join(commands)}' -- "$word"))
    return
  fi
  case "${{COMP_WORDS[1]}}" in
{cases}
  esac
  case "$word" in
    -*) COMPREPLY=($(compgen -W "$words" -- "$word")) ;;
    *) COMPREPLY=($(compgen -f -- "$word")) ;;
  esac
}}
complete -o filenames -F _picfusion picfusion"""
    if shell == "zsh":
        return f"autoload -Uz compinit bashcompinit && compinit && bashcompinit\n{body}"
    return body
