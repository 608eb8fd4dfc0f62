"""What an English word is the plural of."""

import gzip
from functools import cache
from pathlib import Path

DATA = Path(__file__).parent / "data" / "plurals.txt.gz"  # by make_wordnet_data.py
ENDINGS = (("ies", "y"), ("es", ""), ("s", ""))


def singulars(phrase: str) -> list[str]:
    """Return what the phrase may be the plural of, by its last word: 'wolf' for 'wolves'."""
    before, space, last = phrase.rpartition(" ")
    if irregular := _irregular().get(last):
        return [f"{before}{space}{irregular}"]
    return [
        f"{before}{space}{last.removesuffix(ending)}{instead}"
        for ending, instead in ENDINGS
        if last.endswith(ending) and len(last) > len(ending) + 2
    ]


@cache
def _irregular() -> dict[str, str]:
    lines = gzip.decompress(DATA.read_bytes()).decode().split("\n")
    return dict(line.split(" ", 1) for line in lines)
