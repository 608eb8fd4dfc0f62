"""CLIP through transformers, against a direct computation with transformers, on a small random checkpoint."""

import threading

import numpy as np
import pytest
import torch
from transformers import CLIPModel

from gallery.extraction.clip import Clip
from tests.conftest import drawn
from tests.gallery.extraction import tiny


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tiny.save_clip(tmp_path_factory.mktemp("clip"))


@pytest.fixture(scope="module")
def clip(folder):
    return Clip(folder)


def test_pictures_are_embedded_as_transformers_does(clip, folder):
    pictures = [drawn("red", (90, 60)), drawn("blue", (40, 200))]
    pixels = clip.preprocess(pictures)
    model = CLIPModel.from_pretrained(folder).eval()
    with torch.inference_mode():
        features = model.visual_projection(model.vision_model(pixel_values=pixels).pooler_output)
    expected = features / features.norm(dim=-1, keepdim=True)
    found = clip.embed_pixels(pixels)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected.numpy(), atol=1e-6)


def test_texts_are_embedded_as_transformers_does(clip, folder):
    texts = ["a cat", "a much longer text about dogs"]
    model = CLIPModel.from_pretrained(folder).eval()
    found = clip.embed_texts(texts)
    for text, vector in zip(texts, found, strict=True):  # alone, so without padding
        tokens = clip.tokenizer(text, return_tensors="pt")
        with torch.inference_mode():
            features = model.text_projection(model.text_model(**tokens).pooler_output)[0]
        np.testing.assert_allclose(vector, (features / features.norm()).numpy(), atol=1e-5)


def test_long_texts_are_cut_and_said_to_be(clip):
    short, long = "cat " * 20, "cat " * 40  # three letters a word: 60 and 120 tokens
    assert (clip.is_cut(short), clip.is_cut(long)) == (False, True)
    np.testing.assert_allclose(
        clip.embed_texts([long]), clip.embed_texts([long + "dogs and more dogs"]), atol=1e-6
    )
    assert clip.longest_text == 77


def test_many_threads_can_embed_at_once(clip):
    texts = [f"text number {i}" * (1 + i % 5) for i in range(40)]
    expected, failures = clip.embed_texts(texts), []

    def work(start: int):
        for i in range(start, 40, 4):
            vector = clip.embed_texts([texts[i]])[0]
            if clip.is_cut(texts[i]) or np.abs(vector - expected[i]).max() > 1e-5:
                failures.append(i)

    threads = [threading.Thread(target=work, args=(start,)) for start in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
