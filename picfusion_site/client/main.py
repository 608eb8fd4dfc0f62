"""`picfusion`: what it can be asked for, and how it answers."""

import argparse
import getpass
import json
import sys
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from picfusion_site.client import completion, configuration, downloading, uploading
from picfusion_site.client.configuration import Configuration
from picfusion_site.client.errors import (
    INTERRUPTED,
    REFUSED,
    SOME_FAILED,
    UNREACHABLE,
    USAGE,
    FailedError,
)
from picfusion_site.client.site import TRIES, Site

said = Console(stderr=True, highlight=False)
answers = Console(highlight=False)
WAIT = 10  # seconds, while a site that is watched for does not answer


def parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    top = argparse.ArgumentParser(
        prog="picfusion", description="Your pictures on a Picfusion site, from here."
    )
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, run: Any, help: str) -> argparse.ArgumentParser:
        own = commands.add_parser(name, help=help, description=help)
        own.add_argument("--json", action="store_true", help="answer as JSON, for scripts")
        own.set_defaults(run=run)
        return own

    own = command("login", login, "Sign in to a site, once.")
    own.add_argument("site", help="its address: https://pictures.example.com")
    own.add_argument("--username")
    own.add_argument("--token", action="store_true", help="read a token instead of a password")
    own = command("upload", upload, "Upload files and folders; what is there already is not sent.")
    own.add_argument("path", type=Path, nargs="+")
    own.add_argument("--album", default="", help="an album's title; it is made where there is none")
    own.add_argument("--tag", action="append", default=[], help="may be given several times")
    own.add_argument("--jobs", type=int, default=4, choices=range(1, 7), metavar="1-6", help="files at once")
    own.add_argument("--watch", action="store_true", help="go on with what comes, until Ctrl-C")
    own = command("search", search, "Search by words, pictures and tags.")
    own.add_argument("query", nargs="?", default="", help='as in the bar of the site: "cat #sofa -dog"')
    own.add_argument("--image", type=Path, action="append", default=[], help="a picture to search by")
    own.add_argument("--tag", action="append", default=[])
    own.add_argument("--limit", type=int, default=20)
    own.add_argument("--download", type=Path, metavar="DIR", help="fetch the originals of the results")
    command("albums", albums, "List the albums.")
    own = command("download", download, "Fetch the originals of an album; again, only what is missing.")
    own.add_argument("album", help="its title or number")
    own.add_argument(
        "folder", type=Path, nargs="?", help="where to; a folder of the album's title if left out"
    )
    command("status", status, "Say who you are, what you store, and what waits.")
    own = command("tokens", tokens, "List the tokens of your account, make one, or revoke one.")
    own.add_argument("--new", metavar="NAME", help="make one, and show its key once")
    own.add_argument("--read-only", action="store_true", help="with --new: it changes nothing")
    own.add_argument("--revoke", type=int, metavar="NUMBER")
    own = command("completion", complete, "Print what completes this command in a shell.")
    own.add_argument("shell", choices=completion.SHELLS)
    return top


def main(arguments: list[str] | None = None) -> int:
    """Run a command; its exit code, as docs/command-line.md lists them."""
    asked = parser().parse_args(arguments)
    try:
        return asked.run(asked)
    except FailedError as error:
        if asked.json:
            print(json.dumps({"error": str(error)}))
        said.print(f"picfusion: {error}", style="red", markup=False)
        return error.code
    except KeyboardInterrupt:
        said.print("Stopped.")
        return INTERRUPTED
    except BrokenPipeError:  # as of `picfusion albums | head`
        sys.stderr.close()
        return 0
    except OSError as error:  # a folder that cannot be written to, a full disk
        if asked.json:
            print(json.dumps({"error": str(error)}))
        said.print(f"picfusion: {error}", style="red", markup=False)
        return SOME_FAILED


def login(asked: argparse.Namespace) -> int:
    """Trade a password for a token, and keep it."""
    address = asked.site if "://" in asked.site else f"https://{asked.site}"
    kept = Configuration(address.rstrip("/"), "", {})
    if asked.token:
        kept.token = _secret("Token: ")
    else:
        try:
            username = asked.username or _typed("Username: ")
        except EOFError as error:
            raise FailedError("Say who you are: --username.", USAGE) from error
        form = {"username": username, "password": _secret("Password: "), "token_name": "picfusion command"}
        try:
            kept.token = Site(kept).json("POST", "token/", json=form)["token"]
        except FailedError as error:
            raise FailedError(str(error), REFUSED if error.code == SOME_FAILED else error.code) from error
    me = Site(kept).json("GET", "me/")
    configuration.save(kept)
    return _show(asked, {"site": kept.site, "username": me["username"]}, f"Signed in as {me['username']}.")


def _typed(prompt: str) -> str:
    """Ask on the error output: the answer to scripts is all that stands on the other one."""
    print(prompt, end="", file=sys.stderr, flush=True)
    return input()


def _secret(prompt: str) -> str:
    return getpass.getpass(prompt) if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")


def upload(asked: argparse.Namespace) -> int:
    """Send files; 1 where some were not taken."""
    if wrong := next((tag for tag in asked.tag if "," in tag), None):
        raise FailedError(f"A tag has no comma, as '{wrong}' has: give --tag for each.", USAGE)
    kept = configuration.load()
    with Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
        console=said, disable=asked.json,
    ) as progress:  # fmt: skip
        bar = progress.add_task("Uploading", total=0)

        def tell(row: dict[str, Any]) -> None:
            progress.advance(bar)
            if asked.json and asked.watch:
                print(json.dumps(row), flush=True)
            elif row["result"] == "failed":
                progress.console.print(f"{row['file']}: {row['why']}", style="red", markup=False)

        uploader = uploading.Uploader(Site(kept, TRIES), kept, asked.album, asked.tag, tell)
        rounds = uploading.watched(asked.path, 2) if asked.watch else [list(uploading.pictures(asked.path))]
        try:
            for paths in rounds:
                progress.update(bar, total=len(uploader.outcome.files) + len(paths))
                _send(uploader, paths, asked)
        except KeyboardInterrupt:
            if not asked.watch:
                raise
    outcome = uploader.outcome
    counts = {name: outcome.count(name) for name in ("added", "there", "in trash", "failed")}
    if not (asked.json and asked.watch):
        sentence = f"{counts['added']} added, {counts['there']} already there"
        sentence += f", {counts['in trash']} in the trash" if counts["in trash"] else ""
        sentence += f", {counts['failed']} failed" if counts["failed"] else ""
        _show(asked, {**counts, "files": outcome.files}, f"{sentence}.")
    return SOME_FAILED if counts["failed"] else 0


def _send(uploader: uploading.Uploader, paths: list[Path], asked: argparse.Namespace) -> None:
    """Send the files; with --watch a site that is away is waited for, however long that takes."""
    while True:
        try:
            return uploader.send(paths, asked.jobs)
        except FailedError as error:
            if not asked.watch or error.code != UNREACHABLE:
                raise
            said.print(f"{error} Trying again in {WAIT} seconds.", markup=False)
            time.sleep(WAIT)


def search(asked: argparse.Namespace) -> int:
    """Search; 1 where nothing was found."""
    if not (asked.query or asked.image or asked.tag):
        raise FailedError("Say what to search for: words, --image or --tag.", USAGE)
    line = " ".join([asked.query, *map(_as_tag, asked.tag)]).strip()
    form: dict[str, Any] = {"limit": asked.limit} | ({"q": line} if line else {})
    site = Site(configuration.load())
    if asked.image:
        try:
            files = [("image", (path.name, path.read_bytes())) for path in asked.image]
        except OSError as error:
            raise FailedError(str(error), USAGE) from error
        page = site.json("POST", "search/", data=form, files=files)
    else:
        page = site.json("POST", "search/", json=form)
    found = [result["image"] for result in page["results"]]
    if asked.download:
        _fetch_all(site, found, asked.download)
    table = _table("number", "file", "taken", "tags")
    for image in found:
        names = ", ".join(tag["name"] for tag in image["tags"][:4])
        table.add_row(str(image["id"]), image["filename"], image["taken"], names)
    _show(asked, page, table)
    if not asked.json and page["verdict"] not in (None, "good"):
        said.print("No strong matches; these are the closest.")
    return 0 if found else SOME_FAILED


def _as_tag(name: str) -> str:
    """Write a tag as the bar reads it."""
    doubled = name.replace('"', '""')
    return f'#"{doubled}"' if {" ", '"'} & set(name) else f"#{name}"


def albums(asked: argparse.Namespace) -> int:
    """List the albums."""
    found = list(Site(configuration.load()).pages("albums/"))
    table = _table("number", "title", "pictures", "owner", "role")
    for album in found:
        table.add_row(
            str(album["id"]), album["title"], str(album["pictures"]), album["owner"], album["my_role"]
        )
    return _show(asked, found, table)


def download(asked: argparse.Namespace) -> int:
    """Fetch an album."""
    site = Site(configuration.load(), TRIES)
    found = list(site.pages("albums/"))
    same = [own for own in found if asked.album in (own["title"], str(own["id"]))]
    if not same:
        raise FailedError(f"There is no album called '{asked.album}'.", SOME_FAILED)
    if len(same) > 1:
        numbers = ", ".join(str(own["id"]) for own in same)
        raise FailedError(f"Several albums are called so: name one of the numbers {numbers}.", USAGE)
    album = same[0]
    name = downloading.safe_name({"id": album["id"], "filename": album["title"]})
    folder = asked.folder or Path(name)
    rows = _fetch_all(site, list(site.pages(f"albums/{album['id']}/images/")), folder)
    fetched = sum(row["fetched"] for row in rows)
    return _show(asked, rows, f"{fetched} fetched into {folder}, {len(rows) - fetched} already there.")


def _fetch_all(site: Site, images: list[dict[str, Any]], folder: Path) -> list[dict[str, Any]]:
    rows = []
    with Progress(console=said, transient=True) as progress:
        for image in progress.track(images, description="Downloading"):
            path, fetched = downloading.fetch(site, image, folder)
            rows.append({"file": str(path), "image_id": image["id"], "fetched": fetched})
    return rows


def status(asked: argparse.Namespace) -> int:
    """Say how it is."""
    site = Site(configuration.load())
    told = site.json("GET", "me/")
    told["site"] = str(site.http.base_url).removesuffix("/api/v1/")
    for state in ("pending", "failed"):
        told[state] = site.json("GET", "images/", params={"status": state, "limit": 1})["count"]
    used = told["usage"]
    room = f" of {used['most_bytes'] / 1e6:.0f}" if used["most_bytes"] else ""
    lines = [
        f"{told['username']} on {told['site']}",
        f"{used['pictures']} pictures, {used['bytes'] / 1e6:.1f}{room} MB",
        f"{told['pending']} waiting to be read, {told['failed']} failed",
    ]
    return _show(asked, told, "\n".join(lines))


def tokens(asked: argparse.Namespace) -> int:
    """List, make or revoke tokens."""
    site = Site(configuration.load())
    if asked.revoke:
        site.ask("DELETE", f"tokens/{asked.revoke}/")
        return _show(asked, {"revoked": asked.revoke}, f"Token {asked.revoke} is revoked.")
    if asked.new:
        form = {"name": asked.new} | ({"scope": "read"} if asked.read_only else {})
        made = site.json("POST", "tokens/", json=form)
        return _show(asked, made, made["key"])
    found = list(site.pages("tokens/"))
    table = _table("number", "name", "begins", "scope", "used")
    for own in found:
        used = str(own["used_at"] or "never")
        table.add_row(str(own["id"]), own["name"], own["beginning"], own["scope"], used)
    return _show(asked, found, table)


def complete(asked: argparse.Namespace) -> int:
    """Print a shell's completion."""
    print(completion.script(asked.shell, parser()))
    return 0


def _table(*columns: str) -> Table:
    table = Table(box=None, show_header=any(columns), pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _show(asked: argparse.Namespace, data: Any, text: Any) -> int:
    """Answer with data, or in words."""
    if asked.json:
        print(json.dumps(data, ensure_ascii=False, indent=1))
    else:
        answers.print(text, markup=False) if isinstance(text, str) else answers.print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
