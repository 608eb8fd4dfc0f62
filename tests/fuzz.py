"""Broken files through every decoder path: `python -m tests.fuzz --cases 20000`; only refusals come."""

import argparse
import io
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Callable

from PIL import Image

from gallery.imaging import pixels
from gallery.imaging.decoder import DecodeError, Decoder, Limits
from gallery.imaging.writing import Said
from tests.gallery.imaging import raw_files

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP", "HEIF", "AVIF", "JXL")
SAID = Said(("harbour",), "At dusk", turn=1)


def whole_files() -> dict[str, bytes]:
    """A small file of each format, with metadata in it."""
    picture = Image.effect_noise((90, 60), 80).convert("RGB")
    exif = Image.Exif()
    exif[0x0112] = 6
    exif.get_ifd(0x8769)[0x9003] = "2024:05:17 10:00:00"
    exif.get_ifd(0x8825).update({1: "N", 2: (48.0, 30.0, 0.0), 3: "E", 4: (2.0, 30.0, 0.0)})
    found = {}
    for name in FORMATS:
        buffer = io.BytesIO()
        takes_exif = name not in ("GIF", "BMP")
        picture.save(buffer, name, **({"exif": exif.tobytes()} if takes_exif else {}))
        found[name] = buffer.getvalue()
    found["DNG"] = raw_files.dng(96, 64, preview=(48, 32))
    return found | raw_files.of_cameras()


def broken(content: bytes, chance: random.Random) -> bytes:
    """Damage a file: bits, bytes, lengths, parts that are cut, doubled or swapped."""
    data = bytearray(content)
    for _ in range(chance.choice((1, 1, 2, 5, 20))):
        at = chance.randrange(len(data))
        # The beginning is where structure is.
        at = chance.randrange(min(len(data), 600)) if chance.random() < 0.5 else at
        match chance.randrange(6):
            case 0:
                data[at] ^= 1 << chance.randrange(8)
            case 1:
                data[at] = chance.choice((0, 1, 127, 128, 255))
            case 2:
                data[at : at + 4] = chance.choice((b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff"))
            case 3:
                del data[at : at + chance.randrange(1, 200)]
            case 4:
                part = data[at : at + chance.randrange(1, 400)]
                data[at:at] = part * chance.choice((1, 1, 30))
            case 5:
                data = data[: max(at, 16)]
        if len(data) < 16:
            data += bytes(16)
    return bytes(data)


def main() -> int:
    """Run the cases; what came of them as JSON, and 1 where anything else than a DecodeError was raised."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    chance, files = random.Random(options.seed), whole_files() | raw_files.only_begun()
    decoder = Decoder(Limits(memory=300_000_000, seconds=10, megapixels=20))
    outcomes: Counter[str] = Counter()
    slowest, wrong = 0.0, []
    paths: dict[str, Callable[[io.BytesIO], object]] = {
        "examine": decoder.examine,
        "load": lambda file: decoder.load(file, at_least=pixels.HASHED, turn=chance.randrange(4)),
        "strip": decoder.strip,
        "write": lambda file: decoder.write(file, SAID),
    }
    for number in range(options.cases):
        name, path = chance.choice(list(files)), chance.choice(list(paths))
        content = broken(files[name], chance)
        began = time.monotonic()
        try:
            paths[path](io.BytesIO(content))
            outcomes["answered"] += 1
        except DecodeError as error:
            outcomes[error.kind] += 1
        except Exception as error:
            wrong.append(f"case {number}, {path} of {name}: {type(error).__name__}: {error}")
        slowest = max(slowest, time.monotonic() - began)
    print(
        json.dumps(
            {"cases": options.cases, "outcomes": outcomes, "slowest_s": round(slowest, 2), "wrong": wrong}
        )
    )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
