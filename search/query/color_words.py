"""Words for colours, as people type them, and the colours of gallery.imaging.colors that they mean."""

import re

from gallery.imaging.colors import BLACK_AND_WHITE, NAMES
from search.index.words import IDLE, fold

COLORS = {name: name for name in NAMES} | {
    "gray": "grey", "violet": "purple", "lilac": "purple", "crimson": "red", "scarlet": "red",
    "navy": "blue", "turquoise": "blue", "teal": "blue", "golden": "yellow", "beige": "brown",
    "silver": "grey", "magenta": "pink", "monochrome": BLACK_AND_WHITE, "greyscale": BLACK_AND_WHITE,
    "grayscale": BLACK_AND_WHITE, "bw": BLACK_AND_WHITE,
    "rot": "red", "rote": "red", "rotes": "red", "blau": "blue", "blaue": "blue", "blaues": "blue",
    "gelb": "yellow", "gelbe": "yellow", "grun": "green", "grune": "green", "grunes": "green",
    "schwarz": "black", "weiss": "white", "grau": "grey", "lila": "purple", "braun": "brown",
    "vermelho": "red", "vermelha": "red", "azul": "blue", "amarelo": "yellow", "amarela": "yellow",
    "verde": "green", "preto": "black", "preta": "black", "branco": "white", "branca": "white",
    "cinza": "grey", "roxo": "purple", "rosa": "pink", "marrom": "brown", "laranja": "orange",
}  # fmt: skip
BOTH = re.compile(
    r"\b(black\s*(and|&|\+|-)\s*white|b\s*(&|/)\s*w|schwarz[- ]?wei(ss|ß)|preto e branco)\b", re.IGNORECASE
)
# What stands beside a colour without asking for anything more.
EMPTY = {
    "something", "anything", "everything", "thing", "things", "stuff", "colour", "color", "colours", "colors",
    "coloured", "colored", "picture", "pictures", "photo", "photos", "image", "images", "etwas", "bild",
    "bilder", "foto", "fotos", "coisa", "algo", "imagem",
}  # fmt: skip


def split(text: str, names: frozenset[str] = frozenset()) -> tuple[list[str], str]:
    """Return the colours that a text asks for, and what else it does; '' for nothing.

    A colour that is part of a name, as in 'red panda', is none: such names are given folded.
    """
    rest, count = BOTH.subn(" ", text)
    colors = [BLACK_AND_WHITE] if count else []
    words = rest.split()
    kept = []
    for word in words:
        plain = fold(word).strip(",.;!?")
        is_part = any(plain in name.split() for name in names)
        if plain in COLORS and not is_part:
            colors.append(COLORS[plain])
        else:
            kept.append(word)
    if colors and all(fold(word).strip(",.;!?&+-/") in EMPTY | IDLE | {""} for word in kept):
        kept = []
    return list(dict.fromkeys(colors)), " ".join(kept)
