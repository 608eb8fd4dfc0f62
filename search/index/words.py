"""What people wrote, cut into words that are compared: case and accents folded, any script.

A row's words are posting lists whose keys are 'field:word', as in 'name:beach'. Chinese and Japanese, which
have no spaces, are cut into single characters and pairs of them.
"""

import re
import unicodedata
from functools import lru_cache

LONGEST_WORD = 40  # characters; what is longer is no word that anybody types
SHORT = 48  # characters
MOST_WORDS = 2000  # of one text: files and texts in pictures come from strangers
FIELDS = ("name", "caption", "keyword", "place", "text")  # that plain words are looked for in
# Words that say nothing of a picture, in the languages that Picfusion speaks.
IDLE = {
    "a", "an", "the", "of", "in", "on", "at", "to", "with", "and", "or", "by", "for", "from", "is", "are",
    "was", "my", "our", "your", "his", "her", "some", "this", "that", "it", "its",
    "um", "uma", "o", "os", "as", "de", "da", "do", "das", "dos", "em", "no", "na", "nos", "nas", "com", "e",
    "ou", "por", "para", "que", "meu", "minha",
    "der", "die", "ein", "eine", "einer", "eines", "einem", "den", "dem", "des", "von", "im", "am", "mit",
    "und", "oder", "zu", "fur", "aus", "mein", "meine",
}  # fmt: skip
_PLAIN = str.maketrans({"ı": "i", "ø": "o", "ł": "l", "đ": "d", "æ": "ae", "œ": "oe", "ð": "d", "þ": "th"})
_UNSPACED = "\u3041-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"  # kana and Han characters
_RUN = re.compile(rf"[{_UNSPACED}]+|\d+|[^\W\d_{_UNSPACED}]+(?:['’][^\W\d_{_UNSPACED}]+)?")
_HUMP = re.compile(r"(?<=[a-zß-öø-ÿ])(?=[A-ZÀ-ÖØ-Þ])|(?<=[A-ZÀ-ÖØ-Þ])(?=[A-ZÀ-ÖØ-Þ][a-zß-öø-ÿ])")


def fold(text: str) -> str:
    """Write a text as words are compared: lower case, Latin, Greek and Cyrillic letters without accents."""
    parts = unicodedata.normalize("NFD", unicodedata.normalize("NFKC", text).casefold())
    bare = "".join(c for c in parts if not "\u0300" <= c <= "\u036f")
    return unicodedata.normalize("NFC", bare).translate(_PLAIN)


def in_text(text: str) -> tuple[str, ...]:
    """Return the words of what somebody wrote, each once, in order; 'BeachParty2019' holds four."""
    return _in_short_text(text) if len(text) <= SHORT else _in_text(text)


@lru_cache(maxsize=16_384)
def _in_short_text(text: str) -> tuple[str, ...]:
    """Remember what occurs again and again: cameras, places, titles. A few megabytes at most."""
    return _in_text(text)


def _in_text(text: str) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for run in _RUN.findall(unicodedata.normalize("NFKC", text)[: MOST_WORDS * 20]):
        pieces = _HUMP.split(run)
        for piece in (run, *pieces) if len(pieces) > 1 else (run,):
            found.update(dict.fromkeys(_cut(fold(piece))))
        if len(found) >= MOST_WORDS:
            break
    return tuple(found)


def in_query(text: str) -> list[tuple[str, ...]]:
    """Return the words of a query, each with the other forms of it that answer it, too.

    Idle words count only where there is nothing else.
    """
    runs = [fold(run) for run in _RUN.findall(unicodedata.normalize("NFKC", text))]
    words = list(dict.fromkeys(word for run in runs for word in _asked(run)))
    return [forms(word) for word in [word for word in words if word not in IDLE] or words]


def forms(word: str) -> tuple[str, ...]:
    """Return the word, its singulars and its plurals as English makes them."""
    found = [word]
    if word.isascii() and word.isalpha() and len(word) > 2:
        for ending, instead in (("ies", "y"), ("es", ""), ("s", "")):
            if word.endswith(ending) and len(word) > len(ending) + 2:
                found.append(word.removesuffix(ending) + instead)
        if re.search("(s|x|z|ch|sh|o)$", word):
            found.append(f"{word}es")
        elif re.search("[^aeiou]y$", word):
            found.append(f"{word[:-1]}ies")
        if not word.endswith("s"):
            found.append(f"{word}s")
    return tuple(dict.fromkeys(found))


def is_unspaced(run: str) -> bool:
    """Whether it is of a script without spaces between words."""
    return re.match(f"[{_UNSPACED}]", run) is not None


def _cut(run: str) -> list[str]:
    """Cut a folded run into what is kept of it."""
    if is_unspaced(run):
        return [*run, *_pairs(run)]
    return [run[:LONGEST_WORD], *_around_apostrophe(run)]


def _asked(run: str) -> list[str]:
    """Cut a folded run into what is asked for: pairs of characters, or the one that there is."""
    if is_unspaced(run):
        return _pairs(run) or [run]
    return _around_apostrophe(run) or [run[:LONGEST_WORD]]


def _around_apostrophe(run: str) -> list[str]:
    """Return what stands before and behind an apostrophe: "Ana's" is found by "Ana", "l'été" by "été"."""
    parts = re.split("['’]", run)
    return [part[:LONGEST_WORD] for part in parts if len(part) > 1] if len(parts) > 1 else []


def _pairs(run: str) -> list[str]:
    return [run[i : i + 2] for i in range(len(run) - 1)]
