"""What people wrote into a picture with other programs: keywords, captions, ratings, places."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from PIL import ExifTags, Image

from gallery.imaging.xmp import Xmp

MOST_KEYWORDS = 200
LONGEST_KEYWORD, LONGEST_CAPTION, LONGEST_PLACE = 100, 2000, 200  # characters
KEYWORD_LISTS = ("subject", "PersonInImage", "LastKeywordXMP", "Keywords")
HIERARCHIES = ("hierarchicalSubject", "TagsList", "CatalogSets")  # Lightroom, digiKam, Media Pro
PLACE_NAMES = ("Location", "City", "State", "Country")
BEST = 5
# What cameras write where a caption belongs.
JUNK = re.compile(
    r"(olympus|minolta|konica minolta|sony|samsung|kodak|nikon|hp|polaroid|fujifilm)?\s*"
    r"(digital\s*(still\s*)?camera|dsc|exif[_ ]jpeg[_ ]picture|dcim.*|default|dav|hdr|cof|sdr|edf|rbt|oznor"
    r"|screenshot|\{.*\})?",
    re.IGNORECASE,
)
JOINERS = "\u200c\u200d"  # which hold letters of Persian, and emoji, together
_XP = {"title": 0x9C9B, "comment": 0x9C9C, "keywords": 0x9C9E}  # Windows' tags, in UTF-16


@dataclass(frozen=True)
class Written:
    """Keywords in their order, each once; caption and place, '' for none; rating from 0, for none, to 5."""

    keywords: tuple[str, ...] = ()
    caption: str = ""
    rating: int = 0
    place: str = ""


def read(info: Mapping[Any, Any], exif: Image.Exif, xmp: Xmp, iptc: Mapping[Any, Any]) -> Written:
    """Read it from Pillow's info of a picture, EXIF, XMP and IPTC-IIM as Pillow gives it."""
    is_utf8 = b"\x1b%G" in _bytes(iptc.get((1, 90)))
    captions = [
        *xmp.lists.get("description", [])[:1], xmp.simple.get("description", ""), _iptc(iptc, 120, is_utf8),
        _camera_free(str(exif.get(ExifTags.Base.ImageDescription, ""))), _windows(exif, "comment"),
        str(info.get("Description", "")),
    ]  # fmt: skip
    titles = [
        *xmp.lists.get("title", [])[:1], xmp.simple.get("title", ""), _iptc(iptc, 5, is_utf8),
        _iptc(iptc, 105, is_utf8), _windows(exif, "title"), str(info.get("Title", "")),
    ]  # fmt: skip
    keywords = [
        *_xmp_keywords(xmp),
        *(_decoded(own, is_utf8) for own in _list(iptc.get((2, 25)))),
        *_windows(exif, "keywords").split(";"),
    ]
    place = [_iptc(iptc, number, is_utf8) for number in (92, 90, 95, 101)]
    return Written(
        _clean(keywords),
        _caption(_first(titles), _first(captions)),
        _rating(xmp.simple.get("Rating") or exif.get(ExifTags.Base.Rating)),
        _place([xmp.simple.get(name, "") for name in PLACE_NAMES]) or _place(place),
    )


def of_sidecar(xmp: Xmp) -> Written:
    """Read it from the XMP of a file beside the picture."""
    return read({}, Image.Exif(), xmp, {})


def _xmp_keywords(xmp: Xmp) -> list[str]:
    found = [word for name in KEYWORD_LISTS for word in xmp.lists.get(name, [])]
    found += [xmp.simple[name] for name in KEYWORD_LISTS if name in xmp.simple and name not in xmp.lists]
    paths = [path for name in HIERARCHIES for path in xmp.lists.get(name, [])]
    return found + [level for path in paths for level in re.split(r"[|/]", path)]


def _clean(keywords: Iterable[str]) -> tuple[str, ...]:
    """Each once, whatever its case, and not more than a person can have meant."""
    kept: dict[str, str] = {}
    for word in keywords:
        plain = _line(word)
        if plain and len(plain) <= LONGEST_KEYWORD and len(kept) < MOST_KEYWORDS:
            kept.setdefault(plain.casefold(), plain)
    return tuple(kept.values())


def _caption(title: str, caption: str) -> str:
    """The caption, below a title that says something else."""
    if title and title.casefold() not in caption.casefold():
        return f"{title}\n{caption}".strip()[:LONGEST_CAPTION]
    return caption[:LONGEST_CAPTION]


def _place(names: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(filter(None, map(_line, names))))[:LONGEST_PLACE]


def _rating(value: object) -> int:
    try:
        return min(max(int(float(str(value or 0))), 0), BEST)
    except (ValueError, OverflowError):
        return 0


def _camera_free(text: str) -> str:
    return "" if JUNK.fullmatch(text.strip("\0 ")) else text


def _windows(exif: Image.Exif, name: str) -> str:
    value = exif.get(_XP[name], b"")
    return bytes(value).decode("utf-16-le", "ignore") if isinstance(value, bytes | tuple) else ""


def _iptc(iptc: Mapping[Any, Any], number: int, is_utf8: bool) -> str:
    return _decoded(next(iter(_list(iptc.get((2, number)))), b""), is_utf8)


def _list(value: Any) -> list[bytes]:
    return list(value) if isinstance(value, list) else [value] if value else []


def _bytes(value: Any) -> bytes:
    return value if isinstance(value, bytes) else b""


def _decoded(value: Any, is_utf8: bool) -> str:
    """IPTC's text: UTF-8 where it says so or is, else what Windows wrote."""
    content = _bytes(value)
    try:
        return content.decode()
    except UnicodeDecodeError:
        return content.decode("utf-8" if is_utf8 else "cp1252", "replace")


def _first(texts: Iterable[str]) -> str:
    return next(filter(None, map(_lines, texts)), "")


def _line(text: str) -> str:
    return " ".join("".join(c if c.isprintable() or c in JOINERS else " " for c in text).split())


def _lines(text: str) -> str:
    """Keep line breaks, which people write in captions."""
    return "\n".join(_line(line) for line in text.replace("\r\n", "\n").split("\n")).strip()
