"""Originals -> a folder: what is there is left alone, what was cut off goes on at its byte."""

import hashlib
from pathlib import Path
from typing import Any

import httpx

from picfusion_site.client.errors import UNREACHABLE, FailedError
from picfusion_site.client.site import Site, checked

WRONG = set('<>:"/\\|?*') | {chr(number) for number in range(32)}  # in names, on one system or another
RESERVED = {"CON", "PRN", "AUX", "NUL", *(f"{kind}{n}" for kind in ("COM", "LPT") for n in range(1, 10))}


def safe_name(image: dict[str, Any]) -> str:
    """Return a name that every system takes, whatever the site says: no path, no device."""
    name = "".join("_" if letter in WRONG else letter for letter in image["filename"]).strip(" .")
    stem, dot, suffix = name[-200:].rpartition(".")
    if not name or (stem or suffix).upper() in RESERVED:
        return f"{image['id']}{dot}{suffix}" if name and dot else f"{image['id']}"
    return name[-200:]


def place(image: dict[str, Any], folder: Path) -> Path:
    """Return where the picture goes: under its name, or with its number where another has that name."""
    path = folder / safe_name(image)
    if path.exists() and not _is_it(path, image):
        path = path.with_name(f"{path.stem}-{image['id']}{path.suffix}")
    return path


def _is_it(path: Path, image: dict[str, Any]) -> bool:
    if path.stat().st_size != image["size_bytes"]:
        return False
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == image["sha256"]


def fetch(site: Site, image: dict[str, Any], folder: Path) -> tuple[Path, bool]:
    """Download a picture's original: where it is, and whether it had to be fetched. FailedError.

    A file that was cut off is `.part` until the next time. Where the site takes the location out for you, the
    file is another one than was uploaded, and only its end tells that it is whole.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = place(image, folder)
    if path.exists():
        return path, False
    part = path.with_name(f"{path.name}.{image['id']}.part")
    for _try in range(site.tries):
        start = part.stat().st_size if part.exists() else 0
        headers = {"Range": f"bytes={start}-"} if start else {}
        try:
            with site.http.stream("GET", image["original"], headers=headers) as answer:
                if answer.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
                    part.unlink(missing_ok=True)
                    continue
                if not answer.is_success:
                    answer.read()
                    checked(answer)
                mode = "ab" if answer.status_code == httpx.codes.PARTIAL_CONTENT else "wb"
                with part.open(mode) as file:
                    for piece in answer.iter_bytes():
                        file.write(piece)
            part.replace(path)
        except httpx.TransportError:
            continue
        return path, True
    raise FailedError(f"{path.name} was cut off; go on with the same command.", UNREACHABLE)
