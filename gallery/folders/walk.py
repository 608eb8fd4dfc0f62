"""Which files of a folder are looked at, and what is passed over and why."""

import fnmatch
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

# Folders and files of other programs: thumbnails, trash, their own data.
FOREIGN_FOLDERS = {
    "@eadir", "#recycle", "$recycle.bin", "lost+found", "system volume information", "__macosx", "thumbs",
    "thumbnails", "encoded-video",
}  # fmt: skip
FOREIGN_FILES = {"thumbs.db", "desktop.ini", "picasa.ini", "ehthumbs.db"}
SIDECARS = {".xmp", ".json", ".aae", ".thm", ".dop", ".pp3", ".on1"}
FILMS = {".mp4", ".mov", ".avi", ".mkv", ".webm", ".m4v", ".3gp", ".mts", ".m2ts", ".mpg", ".mpeg", ".wmv"}


@dataclass
class Walk:
    """A folder and what of it is wanted; while it is walked, `passed_over` counts what is not."""

    folder: Path
    recursive: bool = True
    exclude: Sequence[str] = ()  # patterns of names or of paths inside the folder, as in *.tmp or old/*
    follow_links: bool = False
    own_folder: Path | None = None  # the site's: never imported
    passed_over: Counter[str] = field(default_factory=Counter)

    def files(self) -> Iterator[Path]:
        """Yield the files in order of name, whatever bytes their names are made of."""
        yield from self._files(self.folder, {self.folder.resolve()})

    def below(self, folder: Path) -> Iterator[Path]:
        """Yield the files of a folder inside this one, unless it is in a folder that is passed over."""
        inside = folder.relative_to(self.folder).parts
        parents = [self.folder.joinpath(*inside[: depth + 1]) for depth in range(len(inside))]
        if any(self._passes_over(parent) for parent in parents):
            return
        yield from self._files(folder, {folder.resolve()})

    def _passes_over(self, folder: Path) -> bool:
        with os.scandir(folder.parent) as entries:
            entry = next((own for own in entries if own.name == folder.name), None)
        return entry is None or self._unwanted(entry, folder) is not None

    def _files(self, folder: Path, inside: set[Path]) -> Iterator[Path]:
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: os.fsencode(entry.name))
        except OSError:
            self.passed_over["folders that cannot be read"] += 1
            return
        for entry in entries:
            path = folder / entry.name
            if why := self._unwanted(entry, path):
                self.passed_over[why] += 1
            elif entry.is_dir():
                yield from self._inside(path, inside)
            elif entry.is_file():
                yield path
            else:
                self.passed_over["special files"] += 1

    def _inside(self, path: Path, inside: set[Path]) -> Iterator[Path]:
        real = path.resolve()
        if not self.recursive:
            self.passed_over["folders inside (see --recursive)"] += 1
        elif real in inside:
            self.passed_over["links to where they are in"] += 1
        else:
            yield from self._files(path, inside | {real})

    def _unwanted(self, entry: os.DirEntry, path: Path) -> str | None:
        """Say why an entry is passed over; None where it is wanted."""
        name, suffix = entry.name.lower(), path.suffix.lower()
        foreign = FOREIGN_FOLDERS if entry.is_dir() else FOREIGN_FILES
        reasons = (
            (any(self._matches(path, pattern) for pattern in self.exclude), "excluded"),
            (name.startswith("."), "hidden"),
            (entry.is_symlink() and not self.follow_links, "links (see --follow-links)"),
            (self.own_folder is not None and path.resolve() == self.own_folder, "Picfusion's own data"),
            (name in foreign, "other programs' thumbnails and data"),
            (suffix in SIDECARS and not entry.is_dir(), "sidecars"),
            (suffix in FILMS and not entry.is_dir(), "films"),
        )
        return next((why for is_so, why in reasons if is_so), None)

    def _matches(self, path: Path, pattern: str) -> bool:
        within = str(path.relative_to(self.folder))
        return fnmatch.fnmatch(path.name, pattern) or fnmatch.fnmatch(within, pattern)


def printable(path: Path | str) -> str:
    """Write a path for people: bytes that are no text by their numbers, so that any terminal shows it."""
    text = os.fsencode(path).decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)
