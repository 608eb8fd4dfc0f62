"""Reading settings: a value that cannot be is an error that names its setting, and so is an unknown name."""

import ipaddress
import os
import re
import zoneinfo
from email.utils import parseaddr
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

    def mail(self, var: str) -> dict[str, Any]:
        """Read how mail is sent, as in smtp+tls://user:password@host:587; to the log where it is empty."""
        try:
            return dict(self.email_url_config(self.str(var, "") or "consolemail://"))
        except (ImproperlyConfigured, ValueError, KeyError) as error:
            raise ImproperlyConfigured(
                f"{var} must be like smtp+tls://user:password@mail.example.com:587 ({error})."
            ) from error

    def sender(self, var: str, default: str) -> str:
        """Read whom letters come from, as in Picfusion <photos@example.com>."""
        text = self.str(var, "").strip() or default
        address = parseaddr(text)[1]
        if not re.fullmatch(r"[^@\s]+@[^@\s]+", address) or not text.isprintable():
            raise ImproperlyConfigured(f"{var} must be like Picfusion <photos@example.com>, not '{text}'.")
        return text

    def repository(self, var: str, default: str) -> str:
        """Read the name of a model on a hub, as in google/siglip-base-patch16-224."""
        name = self.str(var, "").strip() or default
        if not re.fullmatch(r"[\w.-]+/[\w.-]+", name, re.ASCII):
            raise ImproperlyConfigured(
                f"{var} must be a model's name like google/siglip-base-patch16-224, not '{name}'."
            )
        return name

    def folder(self, var: str, default: Path) -> Path:
        """Read a folder, which may be missing yet; `default` where none is named."""
        text = self.str(var, "").strip()
        folder = Path(text or default)
        if text and (not folder.is_absolute() or (folder.exists() and not folder.is_dir())):
            raise ImproperlyConfigured(f"{var} must be a folder like /srv/picfusion, not '{text}'.")
        return folder.resolve()

    def networks(self, var: str) -> list[str]:
        """Read IP addresses and networks, commas between them; each as a network."""
        found = []
        for part in filter(None, (own.strip() for own in self.str(var, "").split(","))):
            try:
                found.append(str(ipaddress.ip_network(part, strict=False)))
            except ValueError as error:
                raise ImproperlyConfigured(
                    f"{var} must be addresses or networks like 10.0.0.0/8, not '{part}'."
                ) from error
        return found

    def hosts(self, var: str, default: list[str]) -> list[str]:
        """Read names of hosts, commas between them; a leading dot stands for all below, * for every one."""
        found = [own.strip() for own in self.str(var, "").split(",") if own.strip()]
        for host in found:
            if not re.fullmatch(r"\*|\.?[\w.-]+|\[[0-9A-Fa-f:.]+\]", host):
                raise ImproperlyConfigured(f"{var} must be names like photos.example.com, not '{host}'.")
        return found or default

    def served(self) -> None:
        """Check what gunicorn reads by itself, so that `manage.py check` tells of it, too."""
        self.int("WEB_CONCURRENCY", 1)
        if self.int("PORT", 8000, least=0) > 65535:
            raise ImproperlyConfigured(f"PORT must be at most 65535, not '{self.str('PORT')}'.")
        path = self.str("SCRIPT_NAME", "")
        if path and not re.fullmatch(r"(/[\w.~-]+)+/?", path):
            raise ImproperlyConfigured(f"SCRIPT_NAME must be a path like /pics, not '{path}'.")

    def zone(self, var: str, default: str) -> str:
        """Read the name of a time zone, as in Europe/Lisbon."""
        name = self.str(var, default)
        if name not in zoneinfo.available_timezones():
            raise ImproperlyConfigured(f"{var} must be a time zone like Europe/Lisbon, not '{name}'.")
        return str(name)

    def refuse_unknown(self) -> None:
        """Raise ImproperlyConfigured for a name in the file that no setting has: it is misspelt.

        Not for one in the environment, where others put names of theirs: Kubernetes a service's, say.
        """
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
