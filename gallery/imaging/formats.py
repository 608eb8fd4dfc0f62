"""The picture formats that are taken: ONE table, which everything else reads.

A new format is one more entry and its test; where Pillow cannot read it by itself, `pixels.py` registers its
plugin.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Format:
    """A file format."""

    name: str  # Pillow's, kept in the database
    label: str  # for people
    extension: str
    media_type: str
    shown_by_browsers: bool
    # Memory that decoding takes at its peak, measured and rounded up; a JPEG that is not progressive takes 1.
    bytes_per_pixel: float
    aliases: tuple[str, ...] = ()  # other names and extensions that people give it
    is_raw: bool = False

    @property
    def is_known_to_browsers(self) -> bool:
        """Whether every browser's file dialog takes it for a picture."""
        return not self.is_raw and self.name not in ("HEIF", "AVIF", "JXL")


FORMATS = (
    Format("JPEG", "JPEG", "jpg", "image/jpeg", True, 7, aliases=("jpeg", "jpe")),
    Format("PNG", "PNG", "png", "image/png", True, 6),
    Format("WEBP", "WebP", "webp", "image/webp", True, 21),
    Format("GIF", "GIF", "gif", "image/gif", True, 8),
    Format("TIFF", "TIFF", "tif", "image/tiff", False, 10, aliases=("tiff",)),
    Format("BMP", "BMP", "bmp", "image/bmp", False, 6, aliases=("dib",)),
    Format("HEIF", "HEIF", "heic", "image/heic", False, 11, aliases=("heif", "hif")),
    Format("AVIF", "AVIF", "avif", "image/avif", True, 13),
    Format("JXL", "JPEG XL", "jxl", "image/jxl", False, 16, aliases=("jpegxl",)),
    *(
        Format(name, f"{name} (raw)", name.lower(), f"image/x-{maker}-{name.lower()}", False, 16, is_raw=True)
        for name, maker in (
            ("DNG", "adobe"),
            ("NEF", "nikon"),
            ("ARW", "sony"),
            ("CR2", "canon"),
            ("CR3", "canon"),
            ("RAF", "fuji"),
            ("ORF", "olympus"),
            ("RW2", "panasonic"),
        )
    ),
    Format("RAW", "Camera raw", "raw", "image/x-raw", False, 16, is_raw=True),
)
BY_NAME = {format.name: format for format in FORMATS}
# Every word that people may say for a format, lower case -> its name.
_NAMES = {
    word: format.name
    for format in FORMATS
    for word in (format.name.lower(), format.extension, *format.aliases)
}
# What a file field offers: browsers know most formats by image/*, the rest by extension.
ACCEPT = ",".join(
    ["image/*", *(f".{word}" for word, name in _NAMES.items() if not BY_NAME[name].is_known_to_browsers)]
)


def named(word: str) -> Format | None:
    """Find the format that a person means by 'jpg', 'TIFF' or 'heic'."""
    name = _NAMES.get(word.lower().removeprefix("."))
    return BY_NAME[name] if name else None


def without_extension(filename: str) -> str:
    """Return the name without the last part that says which format it is: 'IMG_2019' of 'IMG_2019.jpg'."""
    stem, dot, extension = filename.rpartition(".")
    return stem if stem and dot and named(extension) else filename


def labels() -> str:
    """List every format for a sentence: 'JPEG, PNG, ...'; raw ones are one."""
    return ", ".join([*(format.label for format in FORMATS if not format.is_raw), "camera raw"])
