"""Reading settings: a value that cannot be is an error that names its setting, and so is an unknown name."""

import os
import re
import zoneinfo
from pathlib import Path
from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured

YES, NO = {"on", "true", "yes", "1"}, {"off", "false", "no", "0", ""}
LARGEST = 10**9
# Read by gunicorn and make, by libraries, or by what Picfusion starts, and allowed in .env, too.
ELSEWHERE = {"HOST", "PORT", "WEB_CONCURRENCY", "SCRIPT_NAME", "DJANGO_SETTINGS_MODULE"}
ELSEWHERE |= {"HF_ENDPOINT", "HF_TOKEN"}


class Environment(environ.Env):
    """Environment variables and `.env`, strictly."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.file = file
        self.asked = set(ELSEWHERE)
        self.read_env(file)

    def get_value(self, var: Any, *args: Any, **kwargs: Any) -> Any:
        self.asked.add(str(var))
        return super().get_value(var, *args, **kwargs)

    def bool(self, var: str, default: Any = False) -> bool:
        """On or off."""
        text = self.str(var, "on" if default else "off").strip().lower()
        if text not in YES | NO:
            raise ImproperlyConfigured(f"{var} must be on or off, not '{text}'.")
        return text in YES

    def int(self, var: str, default: Any = None, least: int = 1) -> Any:
        """Read a whole number; `default` where it is empty or missing."""
        text = self.str(var, "").strip()
        if not text:
            return default
        if not re.fullmatch(r"\d{1,12}", text, re.ASCII) or not least <= int(text) <= LARGEST:
            raise ImproperlyConfigured(f"{var} must be a whole number of at least {least}, not '{text}'.")
        return int(text)

    def choice(self, var: str, choices: list[str]) -> str:
        """Read one of a few words; the first where it is empty or missing."""
        word = self.str(var, "").strip().lower() or choices[0]
        if word not in choices:
            raise ImproperlyConfigured(f"{var} must be one of {', '.join(choices)}, not '{word}'.")
        return word

    def folders(self, var: str) -> list[tuple[Path, str]]:
        """Read folders and people, as in /photos/ana=ana;/scans=ben."""
        found = []
        for part in filter(None, (own.strip() for own in self.str(var, "").split(";"))):
            folder, equals, person = part.rpartition("=")
            if not equals or not Path(folder).is_absolute() or not person.strip():
                raise ImproperlyConfigured(f"{var} must be like /photos/ana=ana;/scans=ben, not '{part}'.")
            found.append((Path(folder), person.strip()))
        return found

    def origins(self, var: str) -> list[str]:
        """Read web addresses without a path, commas between them."""
        found = [own.strip() for own in self.str(var, "").split(",") if own.strip()]
        for origin in found:
            if not re.fullmatch(r"https?://[\w.-]+(:\d{1,5})?", origin, re.ASCII):
                raise ImproperlyConfigured(f"{var} must be like https://app.example.com, not '{origin}'.")
        return found

    def zone(self, var: str, default: str) -> str:
        """Read the name of a time zone, as in Europe/Lisbon."""
        name = self.str(var, default)
        if name not in zoneinfo.available_timezones():
            raise ImproperlyConfigured(f"{var} must be a time zone like Europe/Lisbon, not '{name}'.")
        return str(name)

    def refuse_unknown(self) -> None:
        """Raise ImproperlyConfigured for a name in the file that no setting has: it is misspelt."""
        if not self.file.is_file():
            return
        named = re.findall(r"^\s*(?:export\s+)?([A-Za-z_]\w*)\s*=", self.file.read_text(), re.MULTILINE)
        if unknown := [name for name in named if name not in self.asked]:
            raise ImproperlyConfigured(
                f"{self.file.name} sets {unknown[0]}, which is no setting: see {self.file.name}.example."
            )


def load(file: Path) -> None:
    """Put what stands in the file into this process's environment, where it is not set already."""
    environ.Env.read_env(file, overwrite=False)


def refuse_open_folder(folder: Path) -> None:
    """Raise ImproperlyConfigured when everybody on this machine may read the pictures."""
    if os.name == "posix" and folder.stat().st_mode & 0o007:
        raise ImproperlyConfigured(
            f"Everybody on this machine may look into {folder}, where the pictures are: chmod o-rwx {folder}"
        )
