"""Why a picture was found: what each component gave to its score, and which tags and words matched."""

from dataclasses import dataclass

import numpy as np

from search.evidence import Evidence, MatchedWord, among
from search.index import ranking
from search.index.index import Index
from search.query.resolve import Example, ResolvedQuery


@dataclass(frozen=True)
class Likeness:
    """How like a result is to one of several pictures that were searched by."""

    name: int | str  # the picture's number, or the key of an uploaded one
    similarity: float  # the dot product of the unit-length embeddings
    unwanted: bool

    @property
    def is_stored(self) -> bool:
        """Whether it is a picture of the gallery."""
        return isinstance(self.name, int)


@dataclass(frozen=True)
class Parts:
    """What each component gave to a result's score; they add up to it."""

    image: float
    text: float
    tags: float
    words: float
    matched_tags: list[str]
    meant_tags: list[str]  # those of the picture's that mean what the words do
    meant_colors: list[str]
    matched_words: list[MatchedWord]
    pictures: list[Likeness]  # likest first; empty unless several pictures were searched by


@dataclass(frozen=True)
class Explained:
    """A picture's number, its score and why."""

    pk: int
    score: float
    parts: Parts


def explain(
    index: Index, best: ranking.Best, offset: int, resolved: ResolvedQuery, found: Evidence
) -> list[Explained]:
    """Say why: (image id, score, parts) of the best rows from `offset` on."""
    rows, scores = best.rows[offset:], best.scores[offset:]
    ids = index.take("ids", rows)
    matched, written = _matched_tags(index, rows, resolved), found.matched(rows)
    meant_tags, meant_colors = _meant(index, rows, resolved)
    likenesses = _likenesses(index, rows, resolved.wanted, resolved.unwanted)
    given = {name: values[offset:] for name, values in best.parts.items()}
    explained = []
    for i in range(len(rows)):
        own = {name: float(given[name][i]) if name in given else 0.0 for name in ranking.COMPONENTS}
        parts = Parts(
            **own,
            matched_tags=matched[i],
            meant_tags=meant_tags[i],
            meant_colors=meant_colors[i],
            matched_words=written[i],
            pictures=likenesses[i],
        )
        explained.append(Explained(int(ids[i]), float(scores[i]), parts))
    return explained


def _matched_tags(index: Index, rows: np.ndarray, resolved: ResolvedQuery) -> list[list[str]]:
    """For each row the wanted tags that it carries, by name."""
    matched: list[list[str]] = [[] for _ in rows]
    for name in sorted(resolved.tags & resolved.tag_ids.keys()):
        for i in np.flatnonzero(index.carries(resolved.tag_ids[name], rows)):
            matched[i].append(name)
    return matched


def _meant(
    index: Index, rows: np.ndarray, resolved: ResolvedQuery
) -> tuple[list[list[str]], list[list[str]]]:
    """For each row the tags, and the colours, that it has of those which the texts mean."""
    tags: list[list[str]] = [[] for _ in rows]
    colors: list[list[str]] = [[] for _ in rows]
    for meaning in resolved.words.meanings:
        for tag_id, name in meaning.tags.items():
            for i in np.flatnonzero(index.carries(tag_id, rows)):
                tags[i] += [name] if name not in tags[i] else []
        for color in meaning.colors:
            for i in np.flatnonzero(among(rows, index.word_rows(f"color:{color}"))):
                colors[i] += [color] if color not in colors[i] else []
    return tags, colors


def _likenesses(
    index: Index, rows: np.ndarray, wanted: list[Example], unwanted: list[Example]
) -> list[list[Likeness]]:
    """For each row how like it is to each picture, likest first; empty where there is only one picture."""
    examples = [*wanted, *unwanted]
    if len(examples) < 2:
        return [[] for _ in rows]
    dots = [index.exact_dots(example.vector.astype(np.float64), rows).tolist() for example in examples]
    return [
        sorted(
            (
                Likeness(example.name, own[i], number >= len(wanted))
                for number, (example, own) in enumerate(zip(examples, dots, strict=True))
            ),
            key=lambda likeness: -likeness.similarity,
        )
        for i in range(len(rows))
    ]
