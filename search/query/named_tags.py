"""Tags that words name: as they are, in the plural, or by a synonym."""

from collections.abc import Iterator

from gallery.extraction import registry
from gallery.extraction.base import Description
from gallery.extraction.plurals import singulars
from gallery.models import Tag
from gallery.models.tag import fold

LONGEST_NAME = 4  # words of the text that are taken together for a tag's name


def named_in(text: str, extractor: Description) -> dict[int, tuple[str, str]]:
    """Return (tag, the words of the text that name it) by the tag's id."""
    meant: dict[str, str] = {}
    synonyms = registry.synonyms(extractor) if text else {}
    for phrase in _phrases(text):
        for form in (phrase, *singulars(phrase)):
            for name in (form, synonyms.get(form)):
                if name:
                    meant.setdefault(name, phrase)
    return {tag_id: (name, meant[name]) for name, tag_id in Tag.objects.ids_of(set(meant)).items()}


def known_in(text: str, names: frozenset[str]) -> frozenset[str]:
    """Return those parts of the text that are, in the singular or plural, one of these names."""
    return frozenset(
        phrase for phrase in _phrases(text) if any(form in names for form in (phrase, *singulars(phrase)))
    )


def _phrases(text: str) -> Iterator[str]:
    """Yield every run of a few words of the text, folded, long ones first."""
    words = fold(text).split()
    for size in range(min(LONGEST_NAME, len(words)), 0, -1):
        for start in range(len(words) - size + 1):
            yield " ".join(words[start : start + size])
