"""A CLIP-like model alone: arithmetic against transformers itself, on small random checkpoints."""

import numpy as np
import pytest
import torch
from PIL import Image as Pillow
from transformers import CLIPModel, SiglipModel

from gallery.extraction import weights
from gallery.extraction.clip import Clip
from gallery.extraction.weights import WrongWeightsError
from gallery.extraction.zero_shot import ZeroShot, log_sums
from tests.conftest import drawn
from tests.gallery.extraction import tiny

PICTURES = [drawn("red", (90, 60)), drawn("blue", (40, 200))]


@pytest.fixture(scope="module", params=["clip", "siglip"])
def models(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    {"clip": tiny.save_clip, "siglip": tiny.save_siglip}[request.param](folder / "clip")
    tiny.save_tags(folder / "tags")
    return folder


@pytest.fixture(scope="module")
def extractor(models):
    assert ZeroShot.missing(models) == []
    return ZeroShot(models)


def test_it_is_described_without_being_loaded(models, extractor):
    description = ZeroShot.describe(models)
    assert description.key.startswith("clip/1-")
    assert description.dim == extractor.clip.dim == extractor.embed_texts(["a"]).shape[1]


def test_tags_are_the_softmax_of_transformers_own_logits(models, extractor):
    model_type = CLIPModel if extractor.clip.padding is True else SiglipModel
    model = model_type.from_pretrained(models / "clip").eval()
    prompts = extractor.clip.tokenizer(
        [f"a photo of {tag}" for tag in extractor.tags],
        padding=extractor.clip.padding, truncation=True, max_length=extractor.clip.longest_text,
        return_tensors="pt",
    )  # fmt: skip
    with torch.inference_mode():
        answer = model(pixel_values=extractor.clip.preprocess(PICTURES), **prompts)
    logits = answer.logits_per_image.numpy() - float(getattr(model, "logit_bias", 0))
    confidences = torch.from_numpy(logits).softmax(1).numpy()
    for extraction, expected in zip(extractor.extract(PICTURES), confidences, strict=True):
        assert all(
            extraction.tags[tag] == pytest.approx(expected[extractor.tags.index(tag)], abs=1e-4)
            for tag in extraction.tags
        )
        surest = np.argsort(-expected)[: len(extraction.tags)]
        assert {extractor.tags[i] for i in surest} == set(extraction.tags)


def test_a_tags_own_probability_is_told_by_its_prompt(extractor):
    """exp(scale * similarity - log_sum) of a tag's prompt is its confidence: the verdict's arithmetic."""
    extractions = extractor.extract(PICTURES)
    for extraction in extractions:
        assert extractor.log_sums(extraction.embedding[None])[0] == pytest.approx(
            extraction.log_sum, abs=1e-5
        )
        for tag, confidence in extraction.tags.items():
            [text] = extractor.embed_texts([f"a photo of {tag}"])
            told = np.exp(extractor.scale * float(text @ extraction.embedding) - extraction.log_sum)
            assert told == pytest.approx(confidence, rel=1e-3)


def test_sums_of_large_numbers_do_not_overflow():
    np.testing.assert_allclose(
        log_sums(np.array([[1000.0, 1000.0], [-1000.0, -1001.0]])), [1000.6931, -999.6867], atol=1e-3
    )


def test_prompts_are_embedded_once(models, extractor, monkeypatch):
    monkeypatch.setattr(Clip, "embed_texts", None)
    np.testing.assert_array_equal(ZeroShot(models).prompts, extractor.prompts)


def test_any_shape_of_picture_is_taken(extractor):
    [thin] = extractor.extract([Pillow.new("RGB", (1, 60_000), "red")])
    assert np.linalg.norm(thin.embedding) == pytest.approx(1, abs=1e-5)
    assert extractor.extract([]) == []


def test_what_is_missing_is_named(tmp_path):
    assert "ram_tag_list.txt" in ZeroShot.missing(tmp_path)
    assert "config.json" in ZeroShot.missing(tmp_path)


def test_another_kind_of_model_is_refused(models, tmp_path):
    import json
    import shutil

    shutil.copytree(models / "clip", tmp_path / "clip")
    (tmp_path / "clip" / "config.json").write_text(json.dumps({"model_type": "bert"}))
    with pytest.raises(WrongWeightsError, match="of the type bert"):
        Clip(tmp_path / "clip")


def test_other_repositories_have_folders_of_their_own(tmp_path):
    model = weights.clip_model("google/siglip2-base-patch16-224")
    assert weights.folder(tmp_path, model).name == "clip-google-siglip2-base-patch16-224"
    assert {file.repo for file in weights.files(model)} == {"google/siglip2-base-patch16-224"}
    assert weights.clip_model(weights.CLIP_REPO) == "clip"
