"""Every format, orientation, depth and colour space comes out as the same upright RGB."""

import io

import numpy as np
import pytest
from PIL import Image as Pillow
from PIL import ImageCms

from gallery.imaging import pixels
from tests.conftest import demo_path, drawn, encoded

LEFT, RIGHT = (255, 0, 0), (255, 255, 255)


def load(content: bytes, **options) -> Pillow.Image:
    return pixels.load_rgb(io.BytesIO(content), **options)


def assert_halves(image: Pillow.Image, left=LEFT, right=RIGHT, tolerance=12):
    assert image.mode == "RGB"
    values = np.asarray(image).astype(int)
    height, width = values.shape[:2]
    assert np.abs(values[height // 2, width // 4] - left).max() <= tolerance
    assert np.abs(values[height // 2, -width // 4] - right).max() <= tolerance


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP", "HEIF", "AVIF"])
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
    content = encoded(palette, "PNG", transparency=palette.getpixel((0, 0)))
    assert_halves(load(content), (255, 255, 255))


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
