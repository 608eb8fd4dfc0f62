"""Every format, orientation, depth and colour space comes out as the same upright RGB."""

import io
import zlib

import numpy as np
import pytest
from PIL import Image as Pillow
from PIL import ImageCms

from gallery.imaging import containers, pixels, raw, wide_color
from gallery.imaging.containers import Coding
from tests.conftest import demo_path, drawn, encoded
from tests.gallery.imaging import raw_files

LEFT, RIGHT = (255, 0, 0), (255, 255, 255)


def load(content: bytes, **options) -> Pillow.Image:
    return pixels.load_rgb(io.BytesIO(content), **options)


def assert_halves(image: Pillow.Image, left=LEFT, right=RIGHT, tolerance=12):
    assert image.mode == "RGB"
    values = np.asarray(image).astype(int)
    height, width = values.shape[:2]
    assert np.abs(values[height // 2, width // 4] - left).max() <= tolerance
    assert np.abs(values[height // 2, -width // 4] - right).max() <= tolerance


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP", "HEIF", "AVIF", "JXL"])
def test_every_format_is_decoded(format):
    image = load(encoded(drawn(), format))
    assert image.size == (64, 48)
    assert_halves(image)


def test_the_first_frame_of_a_gif_is_taken():
    content = encoded(drawn(), "GIF", save_all=True, append_images=[drawn("blue")])
    assert_halves(load(content))


def test_a_multi_picture_jpeg_counts_as_jpeg():
    content = encoded(drawn(), "MPO", save_all=True, append_images=[drawn("blue")])
    assert pixels.format_of(pixels.open_header(io.BytesIO(content))) == "JPEG"
    assert_halves(load(content))


@pytest.mark.parametrize(
    ("orientation", "undo"),
    [
        (2, Pillow.Transpose.FLIP_LEFT_RIGHT),
        (3, Pillow.Transpose.ROTATE_180),
        (4, Pillow.Transpose.FLIP_TOP_BOTTOM),
        (5, Pillow.Transpose.TRANSPOSE),
        (6, Pillow.Transpose.ROTATE_90),
        (7, Pillow.Transpose.TRANSVERSE),
        (8, Pillow.Transpose.ROTATE_270),
    ],
)
def test_every_exif_orientation_is_turned_upright(orientation, undo):
    exif = Pillow.Exif()
    exif[pixels.ORIENTATION] = orientation
    content = encoded(drawn().transpose(undo), "JPEG", exif=exif, quality=95)
    image = load(content)
    assert image.size == (64, 48)
    assert_halves(image)


@pytest.mark.parametrize("mode", ["L", "1", "P", "CMYK", "LA", "RGBA", "I;16"])
def test_every_mode_keeps_light_and_dark_apart(mode):
    picture = drawn("black")
    if mode == "I;16":
        picture = Pillow.fromarray(np.asarray(picture.convert("L")).astype(np.uint16) * 257)
    else:
        picture = picture.convert(mode)
    assert_halves(load(encoded(picture, "TIFF" if mode == "CMYK" else "PNG")), (0, 0, 0))


def test_floating_point_and_32_bit_greyscale():
    ramp = np.asarray(drawn("black").convert("L")).astype(np.float32)
    for values in (ramp / 255, ramp, (ramp * 257).astype(np.int32), (ramp * 100_000).astype(np.int32)):
        assert_halves(load(encoded(Pillow.fromarray(values), "TIFF")), (0, 0, 0))


def test_a_dark_16_bit_picture_stays_dark():
    values = np.full((40, 40), 2000, np.uint16)
    assert np.asarray(load(encoded(Pillow.fromarray(values), "PNG"))).max() < 12


def test_a_cmyk_jpeg_keeps_its_colours():
    assert_halves(load(encoded(drawn("red").convert("CMYK"), "JPEG", quality=95)), tolerance=40)


def test_transparency_becomes_white():
    picture = drawn("red", mode="RGBA")
    picture.putalpha(drawn("white").convert("L").point(lambda _: 0))
    assert np.asarray(load(encoded(picture))).min() == 255
    palette = drawn("red").convert("P")
    content = encoded(palette, "PNG", transparency=palette.getpixel((63, 0)))
    assert_halves(load(content))


def test_a_wide_gamut_profile_is_converted_to_srgb():
    """In this profile red and green have changed places."""
    swapped = _profile_with_swapped_primaries()
    image = load(encoded(drawn((200, 0, 0)), "PNG", icc_profile=swapped))
    red, green, _ = image.getpixel((4, 4))
    assert green > red


def _profile_with_swapped_primaries() -> bytes:
    content = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    at = {content[i : i + 4].decode(): i for i in range(132, 132 + 12 * 20, 12)}
    red, green = at["rXYZ"] + 4, at["gXYZ"] + 4
    content[red : red + 8], content[green : green + 8] = content[green : green + 8], content[red : red + 8]
    return bytes(content)


def test_a_broken_profile_is_passed_over():
    assert_halves(load(encoded(drawn(), "PNG", icc_profile=b"nonsense")))


def test_a_large_jpeg_is_decoded_no_larger_than_asked():
    content = encoded(drawn(size=(4000, 3000)), "JPEG")
    image = load(content, at_least=300)
    assert 300 <= min(image.size) < 900
    assert_halves(image)
    assert load(content).size == (4000, 3000)


def test_copies_of_a_picture_share_their_perceptual_hash():
    """Smaller and compressed again; another picture's is far away."""

    def hash_of(name: str, side: int = 0, quality: int = 0) -> int:
        picture = pixels.load_rgb(demo_path(name))
        if side:
            picture.thumbnail((side, side))
            picture = pixels.load_rgb(io.BytesIO(encoded(picture, "JPEG", quality=quality)))
        return pixels.perceptual_hash(picture)

    def apart(a: int, b: int) -> int:
        return ((a ^ b) % 2**64).bit_count()

    for name in ("chelsea", "coffee", "rocket"):
        assert apart(hash_of(name), hash_of(name, 400, 60)) <= 8
    assert apart(hash_of("chelsea"), hash_of("coffee")) > 15
    assert pixels.perceptual_hash(Pillow.new("RGB", (50, 50), "green")) == 0
    assert -(2**63) <= hash_of("chelsea") < 2**63


def turned(format: str) -> bytes:
    """A picture that EXIF says to turn by a quarter, and its container, too."""
    exif = Pillow.Exif()
    exif[pixels.ORIENTATION] = 6
    return encoded(drawn(), format, exif=exif.tobytes())


def told_by_exif_alone(format: str) -> bytes:
    """The same without the container's word: its number is put into the EXIF of one not turned."""
    exif = Pillow.Exif()
    exif[0x0128] = 1  # another tag of the same kind, which no writer looks at
    content = encoded(drawn(), format, exif=exif.tobytes())
    at = content.index(b"MM\0*") if b"MM\0*" in content else content.index(b"II*\0")
    entry = b"\x01\x28\0\x03\0\0\0\x01\0" if content[at : at + 2] == b"MM" else b"\x28\x01\x03\0\x01\0\0\0"
    place = content.index(entry, at)
    turned = entry.replace(b"\x28", b"\x12") + b"\x06"
    return content[:place] + turned + content[place + len(turned) :]


@pytest.mark.parametrize("format", ["HEIF", "AVIF", "JXL"])
@pytest.mark.parametrize("make", [turned, told_by_exif_alone])
def test_a_picture_is_turned_once_whoever_says_so(format, make):
    content = make(format)
    turns = containers.read(io.BytesIO(content)).turns
    if make is told_by_exif_alone:
        assert not turns
    if format == "JXL":  # whose EXIF has no say: its writer and its reader leave the pixels alone
        assert load(content).size == (64, 48)
        return
    image = load(content)
    assert image.size == (48, 64)
    assert_halves(image.rotate(90, expand=True))
    assert pixels.is_turned(pixels.open_header(io.BytesIO(content))) == (format == "AVIF" or not turns)


def linear_p3(red: float, green: float, blue: float) -> tuple[int, int, int]:
    """What sRGB makes of Display P3 by the matrix that W3C's CSS Color 4 prints, for values from 0 to 1."""
    matrix = [[1.2249, -0.2247, 0.0], [-0.0420, 1.0419, 0.0], [-0.0197, -0.0786, 1.0979]]
    light = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (red, green, blue)]
    out = [min(max(sum(m * c for m, c in zip(row, light, strict=True)), 0), 1) for row in matrix]
    curved = [12.92 * c if c <= 0.0031308 else 1.055 * c ** (1 / 2.4) - 0.055 for c in out]
    return tuple(round(255 * c) for c in curved)


@pytest.mark.parametrize(
    "color", [(230, 20, 20), (40, 200, 60), (30, 60, 220), (200, 180, 170), (255, 255, 255)]
)
def test_display_p3_told_by_the_container_is_converted(color):
    image = wide_color.to_srgb(Pillow.new("RGB", (3, 2), color), Coding(12, 13))
    expected = linear_p3(*(c / 255 for c in color))
    assert np.abs(np.array(image.getpixel((1, 1))) - expected).max() <= 1


def test_a_png_tells_its_colours_in_a_chunk():
    plain = encoded(Pillow.new("RGB", (8, 8), (200, 100, 50)))
    chunk = b"cICP" + bytes([12, 13, 0, 1])
    told = plain[:33] + (4).to_bytes(4, "big") + chunk + zlib.crc32(chunk).to_bytes(4, "big") + plain[33:]
    assert containers.read(io.BytesIO(told)).coding == Coding(12, 13)
    assert load(told).getpixel((1, 1))[0] > load(plain).getpixel((1, 1))[0]


@pytest.mark.parametrize("transfer", [wide_color.PQ, wide_color.HLG])
def test_high_dynamic_range_is_brought_into_what_a_screen_shows(transfer):
    """Greys stay grey and in order, paper white is bright, and brighter things are not cut to white."""
    ramp = Pillow.fromarray(np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2))
    shown = np.asarray(wide_color.to_srgb(ramp, Coding(9, transfer)))[0].astype(int)
    assert (np.ptp(shown, axis=1) <= 1).all()
    assert (np.diff(shown[:, 0]) >= 0).all()
    paper = 148 if transfer == wide_color.PQ else 191  # 203 cd/m2, by ITU-R BT.2408: 58 and 75 %
    assert 140 < shown[paper, 0] < 250
    assert shown[paper, 0] < shown[paper + 30, 0] <= 255


@pytest.mark.parametrize(("bits", "white_is_zero"), [(16, False), (16, True), (32, False)])
def test_greys_of_many_bits_in_both_directions(bits, white_is_zero):
    """White on the left either way."""
    ramp = np.linspace(1, 0, 64)[None].repeat(8, axis=0)
    values = (1 - ramp if white_is_zero else ramp) * (2**16 - 1)
    content = tiff(values.astype(np.uint16 if bits == 16 else np.uint32), 0 if white_is_zero else 1)
    image = load(content)
    assert image.getpixel((0, 4))[0] > 250
    assert image.getpixel((63, 4))[0] < 5


def tiff(values: np.ndarray, photometric: int) -> bytes:
    tags = [
        (256, raw_files.LONG, [values.shape[1]]), (257, raw_files.LONG, [values.shape[0]]),
        (258, raw_files.SHORT, [values.itemsize * 8]), (259, raw_files.SHORT, [1]),
        (262, raw_files.SHORT, [photometric]), (273, raw_files.LONG, ["pixels"]), (277, raw_files.SHORT, [1]),
        (278, raw_files.LONG, [values.shape[0]]), (279, raw_files.LONG, [values.nbytes]),
    ]  # fmt: skip
    return raw_files._file([tags], {"pixels": values.tobytes()})


def test_what_is_drawn_in_white_on_nothing_can_be_seen():
    for mode, color in (("RGBA", (255, 255, 255, 255)), ("LA", (255, 255))):
        picture = Pillow.new(mode, (60, 40), tuple([0] * len(color)))
        picture.paste(color, (20, 10, 40, 30))
        image = load(encoded(picture))
        assert image.getpixel((30, 20))[0] - image.getpixel((2, 2))[0] > 100
    dark = Pillow.new("RGBA", (60, 40), (0, 0, 0, 0))
    dark.paste((20, 20, 20, 255), (20, 10, 40, 30))
    assert load(encoded(dark)).getpixel((2, 2)) == (255, 255, 255)


def test_lab_is_converted():
    lab = ImageCms.profileToProfile(
        drawn(), ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), outputMode="LAB"
    )
    assert_halves(load(encoded(lab, "TIFF")))


def test_a_jpeg_without_its_end_is_shown_as_far_as_it_goes():
    with open(demo_path("astronaut"), "rb") as file:
        whole = encoded(load(file.read()), "JPEG", quality=90)
    for lacking in (2, len(whole) // 2):
        with pytest.raises(OSError, match="truncated"):
            load(whole[:-lacking], lenient=False)
        image = load(whole[:-lacking])
        assert np.asarray(image)[: image.height // 4].std() > 20
    with pytest.raises(OSError, match=r"."):
        load(whole[: whole.index(b"\xff\xda") + 14])  # nothing of its pixels is there


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_person_turns_it_clockwise(quarters):
    image = load(encoded(drawn()), turn=quarters)
    assert_halves(image.rotate(90 * quarters, expand=True))


@pytest.mark.parametrize(
    ("options", "name", "size"),
    [
        ({}, "DNG", (480, 320)),
        ({"orientation": 6}, "DNG", (320, 480)),
        ({"preview": (160, 120)}, "DNG", (480, 320)),  # a stamp is not the picture
        ({"version": False, "make": "NIKON CORPORATION", "preview": (160, 107)}, "NEF", (480, 320)),
        ({"version": False, "make": "SONY", "preview": (160, 107)}, "ARW", (480, 320)),
        ({"version": False, "make": "PENTAX", "preview": (160, 107)}, "RAW", (480, 320)),
    ],
)
def test_raw_is_developed_at_full_size(options, name, size):
    content = raw_files.dng(**options)
    opened = pixels.open_header(io.BytesIO(content))
    assert (pixels.format_of(opened), opened.size) == (name, size)
    image = load(content)
    assert image.size == size
    at = [image.getpixel((int(image.width * x), int(image.height * x))) for x in (0.1, 0.5, 0.9)]
    assert [int(np.argmax(color)) for color in at] == [
        0,
        1,
        2,
    ]  # red, green, blue from one corner to the other
    small = load(content, at_least=100)
    assert min(small.size) >= 100


def test_the_cameras_own_picture_stands_for_a_raw_one():
    content = raw_files.dng(preview=(480, 320))
    assert load(content).getpixel((5, 5))[0] > 200
    assert load(content).size == (480, 320)


@pytest.mark.parametrize(
    ("start", "name"),
    [
        (b"FUJIFILMCCD-RAW 0201FF", "RAF"), (b"IIRO\x08\0\0\0", "ORF"), (b"IIRS\x08\0\0\0", "ORF"),
        (b"IIU\0\x18\0\0\0", "RW2"), (b"\0\0\0\x18ftypcrx \0\0\0\1", "CR3"),
        (b"II*\0\x10\0\0\0CR\2\0", "CR2"),
        (b"II*\0\x08\0\0\0", None), (b"II*\0\xff\xff\xff\xff", None), (b"\xff\xd8\xff\xe0", None),
        (b"", None),
    ],
)  # fmt: skip
def test_raw_files_are_known_by_their_beginning(start, name):
    assert raw.kind_of(start) == name
    if name:  # there is nothing behind it: said in that word, and no error of another kind
        with pytest.raises(raw.RawError):
            pixels.open_header(io.BytesIO(start + bytes(500)))


def box(kind: bytes, content: bytes) -> bytes:
    return (len(content) + 8).to_bytes(4, "big") + kind + content


def test_what_a_gain_map_says_is_not_the_pictures():
    """A primary item of Display P3, turned; another item with PQ, mirrored: as phones write them."""
    p3, pq = (box(b"colr", b"nclx" + bytes([0, one, 0, two, 0, 6, 128])) for one, two in ((12, 13), (9, 16)))
    every = box(b"ipco", pq + box(b"imir", b"\0") + p3 + box(b"irot", b"\1"))
    for primary, told in ((1, containers.Told(Coding(12, 13), True)), (3, containers.Told())):
        belongs = bytes(4) + (2).to_bytes(4, "big") + b"\0\2\2\x81\2" + b"\0\1\2\x83\4"
        meta = bytes(4) + box(b"pitm", bytes(4) + primary.to_bytes(2, "big"))
        meta += box(b"iprp", every + box(b"ipma", belongs))
        file = box(b"ftyp", b"heic" + bytes(8)) + box(b"meta", meta)
        assert containers.read(io.BytesIO(file)) == told


def test_tiffs_of_editors_are_no_raw_files():
    """One whose first picture is marked as a reduced one, without a camera's name."""
    values = np.tile(np.linspace(0, 65535, 64).astype(np.uint16), (8, 1))
    content = bytearray(tiff(values, 1))
    at = content.index((256).to_bytes(2, "little") + (4).to_bytes(2, "little"))
    assert raw.kind_of(bytes(content)) is None
    content[at : at + 12] = (
        (254).to_bytes(2, "little") + (4).to_bytes(2, "little") + (1).to_bytes(4, "little") * 2
    )
    assert raw.kind_of(bytes(content)) == raw.MAYBE
    with pytest.raises(Pillow.UnidentifiedImageError):  # for its width is gone; and not RawError
        pixels.open_header(io.BytesIO(bytes(content)))


def test_an_embedded_picture_larger_than_the_sensor_is_nobodys():
    image = load(raw_files.dng(preview=(960, 640)))
    assert image.size == (480, 320)
    assert image.getpixel((5, 5))[1] < 200
