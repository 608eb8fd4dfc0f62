"""Completion of commands and options in shells, made from the parser itself."""

import argparse

SHELLS = ("bash", "zsh", "fish")


def _parsers(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """Command -> what reads its arguments."""
    [commands] = (action for action in parser._actions if isinstance(action, argparse._SubParsersAction))
    return dict(commands.choices)


def _commands(parser: argparse.ArgumentParser) -> dict[str, list[str]]:
    """Command -> its options."""
    return {
        name: sorted(
            option for action in own._actions for option in action.option_strings if option[:2] == "--"
        )
        for name, own in _parsers(parser).items()
    }


def _values(parser: argparse.ArgumentParser) -> dict[str, list[str]]:
    """Command -> the words that its argument can be, of those that have some."""
    return {
        name: [str(choice) for choice in action.choices]
        for name, own in _parsers(parser).items()
        for action in own._actions
        if action.choices and not action.option_strings
    }


def script(shell: str, parser: argparse.ArgumentParser) -> str:
    """Return what the shell is to run; elsewhere than after an option it completes files."""
    commands, values = _commands(parser), _values(parser)
    if shell == "fish":
        lines = [f"complete -c picfusion -n __fish_use_subcommand -a {name}" for name in commands]
        for name, options in commands.items():
            condition = f"'__fish_seen_subcommand_from {name}'"
            lines += [f"complete -c picfusion -n {condition} -l {option[2:]}" for option in options]
            lines += [f"complete -c picfusion -n {condition} -a {value}" for value in values.get(name, [])]
        return "\n".join(lines)
    cases = "\n".join(
        f"    {name}) words='{' '.join(options)}' values='{' '.join(values.get(name, []))}' ;;"
        for name, options in commands.items()
    )
    body = f"""_picfusion() {{
  local word="${{COMP_WORDS[COMP_CWORD]}}" words='' values=''
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W '{" ".join(commands)}' -- "$word"))
    return
  fi
  case "${{COMP_WORDS[1]}}" in
{cases}
  esac
  case "$word" in
    -*) COMPREPLY=($(compgen -W "$words" -- "$word")) ;;
    *) if [ -n "$values" ]; then COMPREPLY=($(compgen -W "$values" -- "$word"))
       else COMPREPLY=($(compgen -f -- "$word")); fi ;;
  esac
}}
complete -o filenames -F _picfusion picfusion"""
    if shell == "zsh":
        return f"autoload -Uz compinit bashcompinit && compinit && bashcompinit\n{body}"
    return body
