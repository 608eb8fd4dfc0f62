"""Decoding in children: what they answer, and that nothing they meet harms the process that asks."""

import contextlib
import io
import os
import signal
import struct
import subprocess
import sys
import threading
import time
import zlib

import numpy as np
import psutil
import pytest
from PIL import Image as Pillow

from gallery.imaging import decoder, pixels
from gallery.imaging.decoder import DecodeError, Decoder, DecoderBusyError, Limits, asker
from tests.conftest import demo_path, drawn, encoded

MEGABYTE = 1_000_000


@pytest.fixture
def decoding():
    """A decoder with limits of one's own; its children end with the test."""
    made = []

    def make(**limits) -> Decoder:
        made.append(Decoder(Limits(**({"children": 1} | limits))))
        return made[-1]

    yield make
    for one in made:
        while not one._free.empty():
            if child := one._free.get():
                child.end()


def children() -> list[psutil.Process]:
    living = []
    for child in psutil.Process().children():
        with contextlib.suppress(psutil.Error):  # it ended just now
            if "gallery.imaging.decoder_process" in " ".join(child.cmdline()):
                living.append(child)
    return living


@pytest.mark.parametrize("name", ["rocket", "coffee", "chelsea"])
@pytest.mark.parametrize("at_least", [None, 100])
def test_it_decodes_as_this_process_would(decoding, name, at_least):
    path = demo_path(name)
    with path.open("rb") as file:
        decoded = decoding().load(file, at_least)
    expected = pixels.load_rgb(path, at_least)
    np.testing.assert_array_equal(np.asarray(decoded.picture), np.asarray(expected))
    assert decoded.perceptual_hash == pixels.perceptual_hash(expected)


def test_a_part_of_a_picture(decoding):
    decoded = decoding().load(io.BytesIO(encoded(drawn(size=(400, 200)))), box=(0.5, 0, 1, 0.5))
    assert decoded.picture.size == (200, 100)
    assert decoded.picture.getcolors() == [(20_000, (255, 255, 255))]


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"not a picture", "unreadable"),
        (encoded(drawn())[:-40], "damaged"),
        (encoded(drawn(size=(3000, 3000))), "pixels"),
        (encoded(Pillow.new("RGB", (1900, 1900)), "WEBP"), "memory"),
    ],
)
def test_what_cannot_be_decoded_is_sorted(decoding, content, kind):
    small = decoding(megapixels=8, memory=70 * MEGABYTE)
    with pytest.raises(DecodeError) as error:
        small.examine(io.BytesIO(content))
    assert error.value.kind == kind
    assert small.examine(io.BytesIO(encoded(drawn()))).width == 64


def test_a_child_that_is_killed_fails_no_file_and_is_replaced(decoding):
    one = decoding()
    one.examine(io.BytesIO(encoded(drawn())))
    child = one._free.get()
    one._free.put(child)
    os.kill(child.process.pid, signal.SIGKILL)
    child.process.wait()
    assert one.examine(io.BytesIO(encoded(drawn()))).width == 64


def test_a_child_that_was_killed_while_it_waited_is_not_lent(decoding):
    """A file is asked for of two: with others asking at once, both could have died before it came."""
    one = decoding()
    with one._child() as child:
        pass
    os.kill(child.process.pid, signal.SIGKILL)
    child.process.wait()
    with one._child() as another:
        assert another is not child
        assert another.process.poll() is None


def test_a_file_that_ends_two_children_is_at_fault_itself(decoding, monkeypatch):
    one, asked = decoding(), []

    def die(self, request, file):
        asked.append(self.process.pid)
        self.process.kill()
        self.process.wait()
        return ask(self, request, file)

    ask = decoder._Child.ask
    monkeypatch.setattr(decoder._Child, "ask", die)
    with pytest.raises(DecodeError, match="crashed"):
        one.examine(io.BytesIO(encoded(drawn())))
    assert len(set(asked)) == 2
    monkeypatch.undo()
    assert one.examine(io.BytesIO(encoded(drawn()))).width == 64


def test_one_that_takes_too_long_is_ended(decoding):
    one = decoding(seconds=3)
    one.examine(io.BytesIO(encoded(drawn())))
    child = one._free.get()
    one._free.put(child)
    os.kill(child.process.pid, signal.SIGSTOP)
    with pytest.raises(DecodeError, match="slow"):
        one.examine(io.BytesIO(encoded(drawn())))
    assert child.process.poll() is not None
    assert one.examine(io.BytesIO(encoded(drawn()))).width == 64


def test_a_large_picture_stays_within_its_memory_and_gives_it_back(decoding):
    """100 megapixels with alpha, of less than a megabyte: 400 MB decoded, and hardly more at the peak."""
    content = encoded(Pillow.new("RGBA", (10_000, 10_000), (10, 20, 30, 255)))
    one = decoding(memory=1200 * MEGABYTE)
    peak, done = [0], threading.Event()

    def watch():
        while not done.wait(0.02):
            for child in children():
                with contextlib.suppress(psutil.Error):
                    peak[0] = max(peak[0], child.memory_info().rss)

    thread = threading.Thread(target=watch)
    thread.start()
    before = psutil.Process().memory_info().rss
    decoded = one.load(io.BytesIO(content), 1600)
    done.set()
    thread.join()
    assert min(decoded.picture.size) >= 1600
    assert 300 * MEGABYTE < peak[0] < 800 * MEGABYTE
    assert psutil.Process().memory_info().rss - before < 150 * MEGABYTE
    assert one._free.get() is None  # its child is not used again
    one._free.put(None)


def test_children_know_no_secrets(decoding, monkeypatch):
    monkeypatch.setenv("SECRET_KEY", "very secret")
    one = decoding()
    one.examine(io.BytesIO(encoded(drawn())))
    child = one._free.get()
    one._free.put(child)
    assert b"very secret" not in psutil.Process(child.process.pid).environ().__repr__().encode()


def test_many_threads_share_few_children(decoding):
    one = decoding(children=2)
    sizes = []

    def load():
        sizes.append(one.load(io.BytesIO(encoded(drawn()))).picture.size)

    threads = [threading.Thread(target=load) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sizes == [(64, 48)] * 12


def test_the_process_has_one_decoder():
    assert decoder.decoder() is decoder.decoder()


@pytest.mark.parametrize(
    ("mode", "color"),
    [("RGB", (10, 200, 30)), ("L", 90), ("RGBA", (10, 200, 30, 255)), ("P", 3), ("CMYK", (9, 9, 9, 9))],
)
def test_reduced_in_bands_it_is_the_same_picture(mode, color):
    """However large it is: a picture of more than one band."""
    picture = Pillow.new(mode, (2100, 1900), color)
    content = encoded(picture, "TIFF" if mode == "CMYK" else "PNG")
    small = pixels.load_rgb(io.BytesIO(content), 100)
    assert min(small.size) >= 100
    assert small.size[0] < 200
    assert len(small.getcolors()) == 1
    whole = pixels.load_rgb(io.BytesIO(content))
    assert np.abs(np.asarray(small)[50, 50].astype(int) - np.asarray(whole)[50, 50]).max() <= 1


def slow_picture() -> bytes:
    """A small JPEG that takes a decoder half a minute: a thousand scans that say nothing new of any block."""
    side, scans = 8192, 1000
    frame = struct.pack(">HBHHBBBB", 11, 8, side, side, 1, 1, 0x11, 0)
    codes = [bytes([kind, 1, *[0] * 15, symbol]) for kind, symbol in ((0x00, 0x00), (0x10, 0xE0))]
    parts = [b"\xff\xd8\xff\xdb" + struct.pack(">HB", 67, 0) + bytes([1] * 64), b"\xff\xc2" + frame]
    parts += [b"\xff\xc4" + struct.pack(">H", 2 + len(code)) + code for code in codes]
    bits = (
        15 * (side // 8) ** 2 // (1 << 14)
    )  # each run of 2^14 blocks has a code of one bit and fourteen more
    scan = b"\xff\xda" + struct.pack(">HBBBBBB", 8, 1, 1, 0, 1, 63, 0x10) + bytes(bits // 8)
    return b"".join(parts) + scan * scans + b"\xff\xd9"


PARENT = """
import sys
from gallery.imaging.decoder import Decoder, Limits
with open(sys.argv[1], "rb") as file:
    Decoder(Limits(children=1, seconds=60)).load(file)
"""


def test_a_busy_child_ends_with_its_parent(tmp_path):
    """The one that watches the time was killed: nobody else would ever end it."""
    path = tmp_path / "slow.jpg"
    path.write_bytes(slow_picture())
    parent = subprocess.Popen([sys.executable, "-c", PARENT, str(path)], cwd=decoder.ROOT)
    try:
        own = psutil.Process(parent.pid)
        assert until(lambda: [c for c in own.children() if c.cpu_times().user > 1.0])
        child = own.children()[0]
    finally:
        parent.kill()
        parent.wait()
    try:
        assert until(lambda: not child.is_running(), 3)
    finally:
        with contextlib.suppress(psutil.Error):
            child.kill()


def until(found, seconds=20.0):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if answer := found():
            return answer
        time.sleep(0.05)
    return found()


def test_a_crowd_is_told_to_come_back_and_harms_nobody(decoding):
    one = decoding(waiting=2, patience=0.1)
    with one._places, one._places, one._places, pytest.raises(DecoderBusyError):
        one.load(demo_path("rocket").open("rb"))
    with demo_path("rocket").open("rb") as file:
        assert one.load(file).picture.size


def test_one_person_leaves_places_for_others(decoding):
    one = decoding(waiting=4, patience=0.1)

    def rocket(who: str) -> bool:
        token = asker.set(lambda: who)
        try:
            with demo_path("rocket").open("rb") as file:
                return bool(one.load(file).picture.size)
        finally:
            asker.reset(token)

    with contextlib.ExitStack() as held:
        for _ in range(one.limits.of_one):
            held.enter_context(one._turn_of("ana"))
        with pytest.raises(DecoderBusyError):
            rocket("ana")
        assert rocket("ben")
        assert rocket("")  # the site itself, as its worker
    assert rocket("ana")
    assert not one._held


def jpeg_with(*segments: bytes) -> bytes:
    content = encoded(drawn(), "JPEG")
    return content[:2] + b"".join(segments) + content[2:]


def png_with(count: int) -> bytes:
    content, chunk = encoded(drawn(), "PNG"), b"\0\0\0\0tEXt" + struct.pack(">I", zlib.crc32(b"tEXt"))
    return content[:33] + chunk * count + content[33:]


def tiff_with(entries: int) -> bytes:
    """A picture whose directory stands at the end, with unknown tags behind its own."""
    content = encoded(drawn(), "TIFF")
    [at] = struct.unpack_from("<I", content, 4)
    [own] = struct.unpack_from("<H", content, at)
    more = b"".join(struct.pack("<HHII", 50_000, 4, 1, 0) for _ in range(entries))
    directory = struct.pack("<H", own + entries) + content[at + 2 : at + 2 + 12 * own] + more + bytes(4)
    return content[:4] + struct.pack("<I", len(content)) + content[8:] + directory


def big_tiff_with(entries: int) -> bytes:
    return b"II+\0\x08\0\0\0" + struct.pack("<QQ", 16, entries) + bytes(20) * min(entries, 100_000)


def webp_with(chunks: int) -> bytes:
    content, more = encoded(drawn(), "WEBP"), b"ABCD\0\0\0\0" * chunks
    return b"RIFF" + struct.pack("<I", len(content) + len(more) - 8) + content[8:] + more


def gif_with(*blocks: bytes) -> bytes:
    content = encoded(drawn().quantize(4), "GIF")
    at = 13 + (3 << (content[10] & 7) + 1)
    return content[:at] + b"".join(blocks) + content[at:]


def boxes_with(format: str, boxes: int) -> bytes:
    content = encoded(drawn(), format)
    if format == "JXL":
        start = b"\0\0\0\x0cJXL \r\n\x87\n\0\0\0\x14ftypjxl \0\0\0\0jxl "
        content = start + struct.pack(">I", len(content) + 8) + b"jxlc" + content
    return content + b"\0\0\0\x08free" * boxes


COMMENT = b"\x21\xfe\x01A\0"
EXIF = b"\xff\xe1\xff\xffExif\0\0II*\0\x08\0\0\0" + bytes(65535 - 16)


@pytest.mark.parametrize(
    "content",
    [
        jpeg_with(b"\xff\xe0\0\x02" * 500_000),
        jpeg_with(b"\0" + b"\xff\xe0\0\x02" * 500_000),  # what is no segment is passed over
        jpeg_with(b"\xff\xd9" + b"\xff\xe0\0\x02" * 500_000),  # so is an end that is none
        jpeg_with((b"\xff\xf0\xff\xff" + b"\xff\xe0\0\x02" * 16_383) * 30),  # or a marker without a segment
        jpeg_with(b"\xff" * 200_000),
        jpeg_with(EXIF * 200),
        png_with(100_000),
        tiff_with(20_000),
        big_tiff_with(2**40),
        webp_with(100_000),
        gif_with(COMMENT * 150_000),
        gif_with(b"\x21\xfe", b"\x01A" * 300_000, b"\0"),
        gif_with(b"?" * 300_000),
        gif_with(b"\x21\xf9\0\x2c", bytes(44), b"\0", b"?" * 300_000),
        boxes_with("HEIF", 100_000),
        boxes_with("AVIF", 100_000),
        boxes_with("JXL", 100_000),
    ],
    ids=[
        "empty segments",
        "behind a loose byte",
        "behind an end",
        "in a marker",
        "padding",
        "much EXIF",
        "chunks",
        "TIFF",
        "big TIFF",
        "WebP",
        "comments",
        "a long comment",
        "junk",
        "junk behind an empty block",
        "HEIF",
        "AVIF",
        "JPEG XL",
    ],
)
def test_a_file_of_too_many_parts_is_refused_before_anything_slow_reads_it(decoding, content):
    for ask in (decoding().examine, decoding().load):
        with pytest.raises(DecodeError, match="parts"):
            ask(io.BytesIO(content))


@pytest.mark.parametrize(
    "content",
    [
        jpeg_with(b"\xff\xe0\0\x02" * 500),
        jpeg_with(b"\xff" * 2_000),
        jpeg_with(EXIF * 3),
        png_with(500),
        tiff_with(500),
        webp_with(500),
        encoded(drawn(), "WEBP") + bytes(60_000),  # as recovered files end
        gif_with(b"\x21\xff\x0bXMP DataXMP", b"<rdf:li>0123456789</rdf:li>" * 80_000, bytes(256), b"\0"),
        gif_with(COMMENT * 500),
        boxes_with("HEIF", 500),
        boxes_with("AVIF", 500),
        boxes_with("JXL", 500),
    ],
)
def test_many_parts_are_no_reason_to_refuse_a_picture(decoding, content):
    assert decoding().load(io.BytesIO(content)).picture.size == drawn().size
