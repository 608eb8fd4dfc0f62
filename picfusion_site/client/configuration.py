"""Which site, and the token for it: from the environment, or from a file that only its owner reads."""

import json
import os
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path

from picfusion_site.client.errors import REFUSED, FailedError


@dataclass
class Configuration:
    """An address and a token, and where unfinished uploads are: SHA-256 -> address."""

    site: str = ""
    token: str = ""
    uploads: dict[str, str] = field(default_factory=dict)


def folder() -> Path:
    """Return where programs keep such files on this system."""
    if sys.platform == "win32":
        return Path(os.environ.get("APPDATA", Path.home() / "AppData" / "Roaming")) / "picfusion"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "picfusion"
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "picfusion"


def load() -> Configuration:
    """Read it; PICFUSION_URL and PICFUSION_TOKEN count more than the file."""
    try:
        kept = Configuration(**json.loads((folder() / "picfusion.json").read_text("utf-8")))
        if [type(own) for own in (kept.site, kept.token, kept.uploads)] != [str, str, dict]:
            raise TypeError("other types than were written")
    except FileNotFoundError:
        kept = Configuration()
    except (ValueError, TypeError) as error:
        raise FailedError(f"{folder() / 'picfusion.json'} is damaged: sign in anew.", REFUSED) from error
    kept.site = os.environ.get("PICFUSION_URL", kept.site).rstrip("/")
    kept.token = os.environ.get("PICFUSION_TOKEN", kept.token)
    return kept


def save(configuration: Configuration) -> None:
    """Write it, whole or not at all, for this person's eyes."""
    folder().mkdir(mode=0o700, parents=True, exist_ok=True)
    new = folder() / f"picfusion.json.{os.getpid()}"
    new.touch(mode=0o600)
    new.write_text(json.dumps(asdict(configuration), indent=1), "utf-8")
    new.replace(folder() / "picfusion.json")


def save_uploads(configuration: Configuration) -> None:
    """Note where unfinished uploads are; a token that the environment gave is not written down."""
    try:
        kept = json.loads((folder() / "picfusion.json").read_text("utf-8"))
    except (FileNotFoundError, ValueError):
        kept = {}
    save(Configuration(kept.get("site", ""), kept.get("token", ""), dict(configuration.uploads)))
