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

    def wants(self, path: Path) -> bool:
        """Whether a file inside this folder is one of those that `files` gives."""
        inside = path.relative_to(self.folder).parts
        parents = [self.folder.joinpath(*inside[: depth + 1]) for depth in range(len(inside) - 1)]
        try:
            return path.is_file() and not any(map(self._unwanted, [*parents, path]))
        except OSError:
            return False

    def below(self, folder: Path) -> Iterator[Path]:
        """Yield the files of a folder inside this one, unless it is in a folder that is passed over."""
        inside = folder.relative_to(self.folder).parts
        parents = [self.folder.joinpath(*inside[: depth + 1]) for depth in range(len(inside))]
        if not any(map(self._unwanted, parents)):
            yield from self._files(folder, {folder.resolve()})

    def _files(self, folder: Path, inside: set[Path]) -> Iterator[Path]:
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: os.fsencode(entry.name))
        except OSError:
            self.passed_over["folders that cannot be read"] += 1
            return
        for entry in entries:
            path = folder / entry.name
            try:
                why = self._unwanted(path) or ("" if path.is_dir() or path.is_file() else "special files")
                is_folder = path.is_dir()
            except (OSError, RuntimeError):  # a link to itself, or what goes while it is looked at
                why, is_folder = "files that cannot be looked at", False
            if why:
                self.passed_over[why] += 1
            elif is_folder:
                yield from self._inside(path, inside)
            else:
                yield path

    def _inside(self, path: Path, inside: set[Path]) -> Iterator[Path]:
        real = path.resolve()
        if not self.recursive:
            self.passed_over["folders inside (see --recursive)"] += 1
        elif real in inside:
            self.passed_over["links to where they are in"] += 1
        else:
            yield from self._files(path, inside | {real})

    def _unwanted(self, path: Path) -> str | None:
        """Say why a file or folder is passed over; None where it is wanted."""
        name, suffix = path.name.lower(), path.suffix.lower()
        if any(self._matches(path, pattern) for pattern in self.exclude):
            return "excluded"
        if name.startswith("."):
            return "hidden"
        if path.is_symlink() and not self.follow_links:
            return "links (see --follow-links)"
        is_folder = path.is_dir()
        reasons = (
            (is_folder and self.own_folder == path.resolve(), "Picfusion's own data"),
            (
                name in (FOREIGN_FOLDERS if is_folder else FOREIGN_FILES),
                "other programs' thumbnails and data",
            ),
            (suffix in SIDECARS and not is_folder, "sidecars"),
            (suffix in FILMS and not is_folder, "films"),
        )
        return next((why for is_so, why in reasons if is_so), None)

    def _matches(self, path: Path, pattern: str) -> bool:
        within = str(path.relative_to(self.folder))
        return fnmatch.fnmatch(path.name, pattern) or fnmatch.fnmatch(within, pattern)


def printable(path: Path | str) -> str:
    """Write a path for people: bytes that are no text by their numbers, so that any terminal shows it."""
    text = os.fsencode(path).decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)
