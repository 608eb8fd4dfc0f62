"""XMP, inside a picture or in a file beside it, as plain properties and lists."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from defusedxml import ElementTree
from PIL import Image

LARGEST = 2_000_000  # bytes; more is nobody's
MOST_ITEMS = 1000  # of one list
_RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"


@dataclass(frozen=True)
class Xmp:
    """Properties by their local name: names of different vocabularies that are the same mean the same."""

    simple: Mapping[str, str] = field(default_factory=dict)
    lists: Mapping[str, list[str]] = field(
        default_factory=dict
    )  # of alternatives, the default language's first


def of_picture(image: Image.Image) -> Xmp:
    """Read the XMP of an opened picture."""
    packet = image.info.get("xmp") or image.info.get("XML:com.adobe.xmp") or b""
    return parse(packet.encode() if isinstance(packet, str) else bytes(packet))


def parse(packet: bytes) -> Xmp:
    """Read a packet; raises what the parser does on nonsense, and gives nothing of one above LARGEST."""
    packet = packet.strip(b"\0 \n\r\t")
    if not packet or len(packet) > LARGEST:
        return Xmp()
    simple: dict[str, str] = {}
    lists: dict[str, list[str]] = {}
    for element in ElementTree.fromstring(packet).iter():
        for name, value in element.attrib.items():
            simple.setdefault(_local(name), value)
        items = [item for kind in ("Bag", "Seq", "Alt") for item in element.findall(f"{_RDF}{kind}/{_RDF}li")]
        if items:
            ordered = sorted(items, key=lambda item: item.get(_LANGUAGE, "x-default") != "x-default")
            texts = [item.text.strip() for item in ordered[:MOST_ITEMS] if item.text and item.text.strip()]
            lists.setdefault(_local(element.tag), texts)
        elif element.text and element.text.strip():
            simple.setdefault(_local(element.tag), element.text.strip())
    return Xmp(simple, lists)


def _local(name: str) -> str:
    return name.rpartition("}")[2]
