"""What files beside a picture say of it: XMP of any program, and JSON as Google Photos exports it."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from django.utils import timezone

from gallery.imaging import metadata, places
from gallery.imaging.dates import EARLIEST, LATEST, Moment
from gallery.imaging.metadata import Beside
from gallery.imaging.written import BEST, LONGEST_CAPTION, Written

LARGEST = 2_000_000  # bytes of a sidecar that are read
LONGEST_NAME = 46  # characters that Google keeps of a picture's name before .json
EDITED = re.compile(
    r"-(edited|bearbeitet|editado|editada|modifié|modificato|edytowane|bewerkt|düzenlendi)$", re.I
)
# What Google calls the folders of years, which are no albums.
OF_A_YEAR = re.compile(
    r"(photos (from|de)|fotos (von|de|del|uit)|foto (del|dal)|foton från|zdjęcia z) \d{4}",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"\(\d+\)$")


def beside(path: Path) -> Beside:
    """Read the XMP file that lies beside a picture: a.jpg.xmp or a.xmp; nothing where there is none."""
    for name in (f"{path.name}.xmp", f"{path.name}.XMP", f"{path.stem}.xmp", f"{path.stem}.XMP"):
        content = _content(path.with_name(name))
        if content:
            return metadata.read_sidecar(content)
    return Beside()


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except OSError:
        return b""
    return content if len(content) <= LARGEST else b""


@dataclass
class Takeout:
    """The JSON files of one folder of an export, read once."""

    folder: Path
    titles: dict[str, dict] = field(default_factory=dict)  # by the name of the picture that they tell of
    names: dict[str, dict] = field(default_factory=dict)  # by their own name
    album: str = ""

    def __post_init__(self) -> None:
        for path in sorted(self.folder.glob("*.json")):
            told = _json(path)
            if "photoTakenTime" in told:
                self.names[path.name.lower()] = told
                self.titles.setdefault(str(told.get("title", "")).lower(), told)
            elif isinstance(told.get("title"), str) and not OF_A_YEAR.fullmatch(told["title"]):
                self.album = told["title"].strip()[:200]

    def of(self, path: Path) -> dict:
        """Find what is told of a picture, whatever became of its file's name; {} where nothing is."""
        found = next((self.names[name] for name in _json_names(path.name) if name in self.names), None)
        return found or self.titles.get(path.name.lower(), {})


def _json_names(name: str) -> Iterator[str]:
    """How Google calls a picture's JSON: cut to a length, the number in another place, the original's."""
    stem, dot, suffix = name.lower().rpartition(".")
    number = _NUMBER.search(stem)
    bare, count = (stem[: number.start()], number[0]) if number else (stem, "")
    for base in dict.fromkeys((bare, EDITED.sub("", bare))):
        whole = f"{base}{dot}{suffix}"
        yield f"{whole}{count}.json"
        yield f"{whole[:LONGEST_NAME]}{count}.json"
        yield f"{base}{count}.json"
        yield f"{base[:LONGEST_NAME]}{count}.json"
        longer = f"{whole}.supplemental-metadata"
        for length in range(len(longer), len(whole), -1):  # which is cut to the same length in all
            yield f"{longer[:length]}{count}.json"


def _json(path: Path) -> dict[str, Any]:
    try:
        told = json.loads(_content(path))
    except (ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}


def is_thrown_away(told: dict[str, Any]) -> bool:
    """Whether a picture was in Google Photos' trash."""
    return told.get("trashed") is True


def of_google(told: dict[str, Any]) -> Beside:
    """Read what Google's JSON says; nonsense counts as nothing said."""
    description, people = told.get("description"), told.get("people")
    names = [own.get("name") for own in people if isinstance(own, dict)] if isinstance(people, list) else []
    written = Written(
        tuple(name for name in names if isinstance(name, str) and 0 < len(name) <= 100),
        description.strip()[:LONGEST_CAPTION] if isinstance(description, str) else "",
        BEST if told.get("favorited") is True else 0,
    )
    return Beside(_taken(told), _location(told), written)


def _taken(told: dict[str, Any]) -> Moment | None:
    """Google tells the moment alone, so it is shown by the site's clock."""
    try:
        at = datetime.fromtimestamp(int(told["photoTakenTime"]["timestamp"]), timezone.get_default_timezone())
    except (KeyError, TypeError, ValueError, OverflowError, OSError):
        return None
    if not EARLIEST < at.year < LATEST:
        return None
    offset = at.utcoffset()
    return Moment(at.replace(tzinfo=None), round(offset.total_seconds() / 60) if offset is not None else None)


def _location(told: dict[str, Any]) -> tuple[float, float] | None:
    for key in ("geoData", "geoDataExif"):
        try:
            found = places.on_earth(float(told[key]["latitude"]), float(told[key]["longitude"]))
        except (KeyError, TypeError, ValueError):
            continue
        if found:
            return found
    return None
