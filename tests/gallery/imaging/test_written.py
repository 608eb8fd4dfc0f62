"""What people wrote into their files with other programs, in every way that it is written."""

import io

import pytest
from PIL import Image as Pillow

from gallery.imaging import dates, metadata, pixels, places
from gallery.imaging.metadata import Beside
from gallery.imaging.written import MOST_KEYWORDS, Written
from tests.conftest import drawn, encoded

XMP = """<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/"
 xmlns:lr="http://ns.adobe.com/lightroom/1.0/" xmlns:digiKam="http://www.digikam.org/ns/1.0/"
 xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/" xmlns:exif="http://ns.adobe.com/exif/1.0/"
 {attributes}>{elements}</rdf:Description></rdf:RDF></x:xmpmeta>"""


def bag(name: str, *words: str) -> str:
    items = "".join(f"<rdf:li>{word}</rdf:li>" for word in words)
    return f"<{name}><rdf:Bag>{items}</rdf:Bag></{name}>"


def alt(name: str, **texts: str) -> str:
    items = "".join(
        f'<rdf:li xml:lang="{key.replace("_", "-")}">{text}</rdf:li>' for key, text in texts.items()
    )
    return f"<{name}><rdf:Alt>{items}</rdf:Alt></{name}>"


def xmp(elements: str = "", attributes: str = "") -> bytes:
    return XMP.format(elements=elements, attributes=attributes).encode()


def read(content: bytes) -> metadata.Facts:
    facts = metadata.read(pixels.open_header(io.BytesIO(content)))
    assert metadata.from_json(metadata.to_json(facts)) == facts
    return facts


def with_xmp(packet: bytes, format: str = "JPEG") -> Written:
    return read(encoded(drawn(), format, xmp=packet)).written


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF", "HEIF", "AVIF"])
def test_keywords_caption_and_rating_in_xmp(format):
    packet = xmp(
        bag("dc:subject", "Grandma Rosa", "harbour")
        + bag("lr:hierarchicalSubject", "Places|Portugal|Setúbal")
        + bag("digiKam:TagsList", "People/Rosa")
        + alt("dc:description", de="Der alte Leuchtturm", x_default="The old lighthouse")
        + alt("dc:title", x_default="Dusk"),
        'xmp:Rating="5"',
    )
    options = {
        "PNG": {"pnginfo": _png_text("XML:com.adobe.xmp", packet.decode())},
        "TIFF": {"tiffinfo": {700: packet}},
    }
    content = encoded(drawn(), format, **options.get(format, {"xmp": packet}))
    own = read(content).written
    assert own.keywords == ("Grandma Rosa", "harbour", "Places", "Portugal", "Setúbal", "People", "Rosa")
    assert (own.caption, own.rating) == ("Dusk\nThe old lighthouse", 5)


def _png_text(key: str, text: str):
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    info.add_itxt(key, text)
    return info


def iptc(*fields: tuple[int, int, bytes]) -> bytes:
    """A JPEG with these (record, number, content) of IPTC-IIM in Photoshop's segment."""
    data = b"".join(
        bytes([0x1C, record, number]) + len(content).to_bytes(2, "big") + content
        for record, number, content in fields
    )
    resource = b"8BIM\x04\x04\0\0" + len(data).to_bytes(4, "big") + data + b"\0" * (len(data) % 2)
    body = b"Photoshop 3.0\0" + resource
    content = encoded(drawn(), "JPEG")
    return content[:2] + b"\xff\xed" + (len(body) + 2).to_bytes(2, "big") + body + content[2:]


def test_iptc_in_utf_8_and_as_windows_wrote_it():
    own = read(iptc((2, 25, b"harbour"), (2, 25, "Käse".encode()), (2, 120, b"At dusk"))).written
    assert (own.keywords, own.caption) == (("harbour", "Käse"), "At dusk")
    own = read(iptc((1, 90, b"\x1b%G"), (2, 25, "Ümit".encode()), (2, 5, "Başlık".encode()))).written
    assert (own.keywords, own.caption) == (("Ümit",), "Başlık")
    own = read(iptc((2, 25, "Käse".encode("cp1252")), (2, 90, b"Testville"), (2, 101, b"Utopia"))).written
    assert (own.keywords, own.place) == (("Käse",), "Testville, Utopia")


@pytest.mark.parametrize(
    "junk", ["OLYMPUS DIGITAL CAMERA", "SONY DSC", "", "DCIM\\100MEDIA\\DJI_0001.JPG", '{"shape": [2]}']
)
def test_what_cameras_write_is_no_caption(junk):
    exif = Pillow.Exif()
    exif[0x010E] = junk
    assert read(encoded(drawn(), "JPEG", exif=exif)).written.caption == ""
    exif[0x010E] = "Rosa at the harbour"
    assert read(encoded(drawn(), "JPEG", exif=exif)).written.caption == "Rosa at the harbour"


def test_windows_own_tags():
    exif = Pillow.Exif()
    for tag, text in ((0x9C9E, "harbour;Rosa"), (0x9C9C, "At dusk")):
        exif[tag] = text.encode("utf-16-le") + b"\0\0"
    own = read(encoded(drawn(), "JPEG", exif=exif)).written
    assert (own.keywords, own.caption) == (("harbour", "Rosa"), "At dusk")


def test_strangers_words_are_bounded():
    words = [f"word {i}" for i in range(5000)] + ["x" * 5000]
    own = with_xmp(xmp(bag("dc:subject", *words) + alt("dc:description", x_default="c" * 60_000)), "WEBP")
    assert len(own.keywords) == MOST_KEYWORDS
    assert len(own.caption) == 2000
    assert with_xmp(xmp(bag("dc:subject", "a", "A", " a "))).keywords == ("a",)
    assert with_xmp(b"<not xml") == Written()
    bomb = b'<!DOCTYPE a [<!ENTITY b "bbbb">]><a>&b;</a>'
    assert with_xmp(bomb) == Written()
    assert with_xmp(xmp(attributes='xmp:Rating="-1"')).rating == 0
    assert with_xmp(xmp(attributes='xmp:Rating="1e999"')).rating == 0


def test_a_place_in_xmp():
    packet = xmp(attributes='exif:GPSLatitude="48,30.0N" exif:GPSLongitude="2,15,36W"')
    assert read(encoded(drawn(), "JPEG", xmp=packet)).location == pytest.approx((48.5, -2.26))
    assert places.of_xmp({"GPSLatitude": "48.5", "GPSLongitude": "-2.25"}) == (48.5, -2.25)
    for wrong in ("", "x", "200,0N", "nan", "1,2,3,4,5N,"):
        assert places.of_xmp({"GPSLatitude": wrong, "GPSLongitude": "2,0E"}) is None or wrong.startswith("1")
    named = with_xmp(xmp(attributes='photoshop:City="Testville" photoshop:Country="Utopia"'))
    assert named.place == "Testville, Utopia"


def test_a_file_beside_it():
    packet = xmp(
        bag("dc:subject", "harbour"),
        'xmp:Rating="5" exif:DateTimeOriginal="1998-05-06T07:08:09+02:00" exif:GPSLatitude="48,30N" '
        'exif:GPSLongitude="2,15E"',
    )
    beside = metadata.read_sidecar(packet)
    assert (beside.written.keywords, beside.written.rating) == (("harbour",), 5)
    assert (beside.location, beside.taken) == ((48.5, 2.25), dates.parse("1998-05-06T07:08:09+02:00"))
    assert metadata.read_sidecar(b"nonsense") == Beside()


@pytest.mark.parametrize(
    ("text", "precision", "local"),
    [
        ("2005", "year", (2005, 1, 1)), ("2005:06", "month", (2005, 6, 1)),
        ("2005-06", "month", (2005, 6, 1)),
        ("20050600", "month", (2005, 6, 1)), ("20050000", "year", (2005, 1, 1)),
        ("2005:00:00 00:00:00", "year", (2005, 1, 1)), ("2005:06:07", "day", (2005, 6, 7)),
        ("2005:13", None, None),
        ("0000", None, None), ("0000:00:00 00:00:00", None, None), ("12345", None, None),
    ],
)  # fmt: skip
def test_a_year_or_a_month_alone_is_kept_as_such(text, precision, local):
    moment = dates.parse(text)
    if precision is None:
        assert moment is None
    else:
        assert (moment.precision, moment.local.timetuple()[:3]) == (precision, local)


@pytest.mark.parametrize(
    ("name", "local"),
    [
        ("IMG_20191104_094433.jpg", "2019-11-04T09:44:33"),
        ("2019-11-04 09.44.33.jpg", "2019-11-04T09:44:33"),
        ("PXL_20210102_123456789.MP.jpg", "2021-01-02T12:34:56"),
        ("Screenshot_20200101-121212.png", "2020-01-01T12:12:12"),
        ("WhatsApp Image 2019-11-04 at 09.44.33.jpeg", "2019-11-04T09:44:33"),
        ("IMG-20191104-WA0001.jpg", "2019-11-04T00:00:00"),
        ("signal-2021-05-06-123456.jpg", "2021-05-06T12:34:56"),
        ("DSC_1234.jpg", None), ("12345678.jpg", None), ("IMG_99999999_999999.jpg", None),
        ("Photo 2020-13-45.jpg", None), ("scan 1987.jpg", None), ("20200230_101010.jpg", None),
        ("invoice 4711-20191104123456789.png", None),
    ],
)  # fmt: skip
def test_a_name_is_a_guess(name, local):
    moment = dates.of_name(name)
    assert (moment and moment.local.isoformat()) == local
    assert moment is None or moment.is_guess
