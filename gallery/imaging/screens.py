"""Which pictures are of a screen."""

import re

NAMED = re.compile(
    r"screen[\W_]?(shot|capture|grab)|bildschirmfoto|captura|capture d.?.?cran|schermata|zrzut|snimok|"
    r"\u30b9\u30af\u30ea\u30fc\u30f3\u30b7\u30e7\u30c3\u30c8|\u622a\u5c4f|\u5c4f\u5e55\u622a\u56fe",
    re.IGNORECASE,
)
# Width and height of common screens, the shorter side first.
SIZES = {
    (480, 640), (600, 800), (640, 1136), (720, 1280), (720, 1520), (720, 1600), (750, 1334), (768, 1024),
    (768, 1366), (800, 1280), (828, 1792), (864, 1536), (900, 1440), (900, 1600), (1024, 1280), (1024, 1366),
    (1050, 1680), (1080, 1920), (1080, 2160), (1080, 2220), (1080, 2280), (1080, 2340), (1080, 2400),
    (1080, 2460), (1125, 2436), (1170, 2532), (1179, 2556), (1200, 1920), (1206, 2622), (1242, 2208),
    (1242, 2688), (1284, 2778), (1290, 2796), (1320, 2868), (1440, 2560), (1440, 2880), (1440, 2960),
    (1440, 3040), (1440, 3120), (1440, 3200), (1440, 3440), (1488, 2266), (1536, 2048), (1600, 2560),
    (1620, 2160), (1640, 2360), (1668, 2224), (1668, 2388), (1800, 2880), (1864, 2880), (1964, 3024),
    (2048, 2732), (2160, 3840), (2234, 3456), (2880, 5120),
}  # fmt: skip


def is_screenshot(filename: str, format: str, width: int, height: int, camera: str) -> bool:
    """Say whether a picture's name tells so, or no camera took it and it has a screen's size."""
    if camera:
        return False
    is_screen = format == "PNG" and (min(width, height), max(width, height)) in SIZES
    return is_screen or NAMED.search(filename) is not None
