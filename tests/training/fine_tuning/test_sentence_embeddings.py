"""Test sentence embeddings of an encoder as it was before training."""

import numpy as np
import pytest

from claimstance.model.errors import ConfigError
from claimstance.training.fine_tuning.sentence_embeddings import SentenceEncoder

TEXTS = [
    "The dockers walked out.",
    "",
    "Rain.",
    "The harbour tax is theft, said the senator.",
    "Rain.",
]


@pytest.fixture(scope="module")
def encode(tiny_encoder):
    return SentenceEncoder(str(tiny_encoder), max_tokens=16)


def test_embeddings_have_length_one_and_the_order_of_the_texts(encode):
    vectors = encode(TEXTS)
    assert vectors.shape == (5, 32)
    # A text without words has no direction.
    assert np.linalg.norm(vectors, axis=1) == pytest.approx([1, 0, 1, 1, 1])
    assert vectors[2] == pytest.approx(vectors[4], abs=1e-5)
    assert np.abs(vectors[0] - vectors[3]).max() > 0.01


def test_embeddings_do_not_depend_on_other_texts_of_a_batch(encode):
    together = encode(TEXTS * 30)  # several batches
    for number, text in enumerate(TEXTS):
        assert encode([text])[0] == pytest.approx(together[number], abs=1e-5)


def test_long_texts_are_cut(encode):
    words = "dockers " * 16
    assert encode([words])[0] == pytest.approx(encode([words + "harbour tax"])[0], abs=1e-5)


def test_no_texts_give_no_embeddings(encode):
    assert encode([]).shape == (0, 32)


def test_an_encoder_that_cannot_be_loaded_is_reported(tmp_path):
    with pytest.raises(ConfigError, match="expected a folder, or the name of a model"):
        SentenceEncoder(str(tmp_path / "none"), 16)
