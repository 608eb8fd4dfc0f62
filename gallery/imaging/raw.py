"""Camera raw files, as a Pillow plugin: the picture that the camera put into them, or developed by LibRaw."""

import io
import struct
from typing import Any, BinaryIO, cast

from PIL import Image, ImageFile

NAMES = ("DNG", "NEF", "ARW", "CR2", "CR3", "RAF", "ORF", "RW2")
OTHER = "RAW"  # of a camera that has no name of its own here
MAYBE = "maybe"
NEARLY_WHOLE = 0.9  # of the sensor's longer side that an embedded picture has to have to stand for the whole
SAME_SHAPE = 0.03
MORE = 1.1  # times the sensor's pixels that an embedded picture may have
HEADER = 65536  # bytes of the beginning that tell what it is
BY_MAKE = (("nikon", "NEF"), ("sony", "ARW"))
# TIFF's tags, and two of their values.
_SUBFILE_TYPE, _PHOTOMETRIC, _MAKE, _SUB_DIRECTORIES, _DNG_VERSION = 254, 262, 271, 330, 50706
_REDUCED, _COLOR_FILTER_ARRAY = 1, 32803
_ORIENTATION = 0x0112
# LibRaw's flips, and how an embedded picture is turned upright.
_TURNS = {3: Image.Transpose.ROTATE_180, 5: Image.Transpose.ROTATE_90, 6: Image.Transpose.ROTATE_270}


class RawError(Exception):
    """It is a camera's raw file, and LibRaw cannot develop it."""


def kind_of(start: bytes) -> str | None:
    """Name the raw format by the first HEADER bytes of a file; None for what is none."""
    if start.startswith(b"FUJIFILMCCD-RAW"):
        return "RAF"
    if start[:4] in (b"IIRO", b"IIRS", b"MMOR"):
        return "ORF"
    if start[:4] == b"IIU\0":
        return "RW2"
    if start[4:12] == b"ftypcrx ":
        return "CR3"
    if start[:4] == b"II*\0" and start[8:10] == b"CR":
        return "CR2"
    return _of_tiff(start)


def _of_tiff(start: bytes) -> str | None:
    """A TIFF is raw where its first picture is a stamp or a colour filter's, or where it is a DNG."""
    if start[:4] not in (b"II*\0", b"MM\0*"):
        return None
    try:
        tags = _directory(start, "<" if start[:2] == b"II" else ">")
    except (struct.error, IndexError):
        return None
    if _DNG_VERSION in tags:
        return "DNG"
    make = _make(start, tags)
    is_stamp = tags.get(_SUBFILE_TYPE, (0, 0))[0] & _REDUCED
    is_mosaic = tags.get(_PHOTOMETRIC, (0, 0))[0] == _COLOR_FILTER_ARRAY
    named = _by_make(make)
    if is_mosaic or (is_stamp and make):
        return named
    # Editors write TIFFs of this kind, too: LibRaw tells.
    return MAYBE if is_stamp or (_SUB_DIRECTORIES in tags and named != OTHER) else None


def _make(start: bytes, tags: dict[int, tuple[int, int]]) -> str:
    at, size = tags.get(_MAKE, (0, 0))
    return start[at : at + min(size, 64)].decode("latin-1").lower() if size > 4 else ""


def _by_make(make: str) -> str:
    return next((name for maker, name in BY_MAKE if make.startswith(maker)), OTHER)


def kind_by_make(start: bytes) -> str:
    """Name the format of a TIFF that LibRaw took for raw."""
    return _by_make(_make(start, _directory(start, "<" if start[:2] == b"II" else ">")))


def _directory(start: bytes, order: str) -> dict[int, tuple[int, int]]:
    """(value or offset, count) by tag of the first directory."""
    [at] = struct.unpack_from(f"{order}I", start, 4)
    [count] = struct.unpack_from(f"{order}H", start, at)
    tags = {}
    for i in range(min(count, 200)):
        tag, kind, number = struct.unpack_from(f"{order}HHI", start, at + 2 + 12 * i)
        [value] = struct.unpack_from(f"{order}H" if kind == 3 else f"{order}I", start, at + 10 + 12 * i)
        tags[tag] = (value, number)
    return tags


class RawImageFile(ImageFile.ImageFile):
    """A raw file; its pixels come upright."""

    format = OTHER
    format_description = "Camera raw"
    _at_least = 0

    def _open(self) -> None:
        assert self.fp is not None
        start = self.fp.read(HEADER)
        kind = kind_of(start)
        if kind is None:
            raise SyntaxError("not a camera's raw file")
        self.kind = kind
        try:
            with self._developer() as raw:
                sizes = raw.sizes
                self._preview, self._flip = _preview(raw), sizes.flip
        except RawError as error:
            if kind is MAYBE:  # what LibRaw does not know either is a TIFF like others
                raise SyntaxError("not a camera's raw file") from error
            raise
        if kind is MAYBE:
            self.kind = kind_by_make(start)
        self._size = (sizes.height, sizes.width) if sizes.flip in (5, 6) else (sizes.width, sizes.height)
        self._mode = "RGB"
        if not all(self._size):
            raise RawError("it has no pixels")

    def draft(self, mode: str | None, size: tuple[int, int] | None) -> None:
        """Note how small the picture may come."""
        self._at_least = max(size or (0, 0))

    def getexif(self) -> Image.Exif:
        """Return what the file or, where it is no TIFF, the picture in it says; upright already."""
        exif = Image.Exif()
        assert self.fp is not None
        self.fp.seek(0)
        is_tiff = self.fp.read(4) in (b"II*\0", b"MM\0*")
        self.fp.seek(0)
        if is_tiff:
            exif.load_from_fp(self.fp)
        elif self._preview:
            exif = self._preview.getexif()
        exif.pop(_ORIENTATION, None)
        return exif

    def load(self) -> Any:
        """Take the embedded picture where it is large enough, or develop the raw one."""
        if self._im is None:
            picture = self._preview
            if picture is None or not self._stands_for_it(picture):
                picture = self._developed()
            else:
                turn = _TURNS.get(self._flip)
                picture = picture.convert("RGB") if turn is None else picture.convert("RGB").transpose(turn)
            picture.load()
            self._im, self._size = picture.im, picture.size
        return Image.Image.load(self)

    def _stands_for_it(self, picture: Image.Image) -> bool:
        """Whether it is as good as whole, or large enough for what is asked, and no stamp with black bars.

        One that is larger than the sensor is nobody's.
        """
        if picture.width * picture.height > MORE * self.width * self.height:
            return False
        if max(picture.size) >= NEARLY_WHOLE * max(self.size):
            return True
        width, height = self.size if self._flip not in (5, 6) else self.size[::-1]
        alike = abs(picture.width * height / (picture.height * width) - 1) < SAME_SHAPE
        return alike and 0 < self._at_least <= max(picture.size)

    def _developed(self) -> Image.Image:
        with self._developer() as raw:
            half = bool(self._at_least) and max(self.size) >= 2 * self._at_least
            try:
                pixels = raw.postprocess(half_size=half, use_camera_wb=True, output_bps=8)
            except Exception as error:  # of rawpy's many
                raise RawError(str(error)) from error
        return Image.fromarray(pixels)

    def _developer(self) -> Any:
        import rawpy  # 10 MB: where there is something to develop

        assert self.fp is not None
        self.fp.seek(0)
        try:
            return rawpy.imread(cast(BinaryIO, self.fp))
        except rawpy.LibRawError as error:
            raise RawError(str(error)) from error


def _preview(raw: Any) -> Image.Image | None:
    """Return the picture that the camera made, as it lies there and not decoded yet; None for none."""
    import rawpy

    try:
        found = raw.extract_thumb()
        if found.format == rawpy.ThumbFormat.JPEG:
            return Image.open(io.BytesIO(found.data), formats=["JPEG"])
        return Image.fromarray(found.data)
    except Exception:  # there is none, or it is damaged: the raw pixels are what counts
        return None


Image.register_open(OTHER, RawImageFile)
