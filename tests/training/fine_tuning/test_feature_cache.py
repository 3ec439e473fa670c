"""Test that the output of a frozen encoder is computed once, and read from a file in every epoch."""

from collections import namedtuple

import numpy as np
import pytest
import torch

from claimstance.model.labels import DEFAULT_LABELS
from claimstance.model.network import ClaimStanceModel
from claimstance.model.onnx.backend import OnnxBackend, load_predictor
from claimstance.model.windows import Window
from claimstance.training.fine_tuning import feature_cache
from claimstance.training.fine_tuning.feature_cache import (
    FEATURES_FILE,
    cache_features,
    exported_encoder,
    network_encoder,
)
from claimstance.training.fine_tuning.train import train

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("one_thread")]


@pytest.fixture(scope="module")
def model(trained):
    return ClaimStanceModel.from_pretrained(trained)


@pytest.fixture(scope="module")
def windows(model):
    texts = ["He denied it.", "The mayor says that the bridge is safe.", "Nobody agreed."]
    tokenized = model.windows.tokenize(texts)
    return [next(iter(model.windows.windows([(0, tokens)], 32))) for tokens in tokenized]


@pytest.fixture(scope="module")
def cached(model):
    """Return a function that caches the output of the network's encoder for windows."""

    def cached(folder, windows):
        encode = network_encoder(model, use_bfloat16=False)
        return cache_features(folder, encode, windows, model.config.hidden_size)

    return cached


def encode(model, window: Window) -> torch.Tensor:
    ids = torch.tensor([window.ids])
    with torch.inference_mode():
        return model.encode(ids, torch.ones_like(ids), torch.tensor([window.segments]))[0]


def test_cached_output_is_that_of_the_encoder(cached, model, windows, tmp_path):
    cache = cached(tmp_path, [*windows, windows[0]])
    order = [windows[1], windows[0]]
    hidden = cache.hidden(order)
    assert hidden.shape == (2, max(map(len, order)), model.config.hidden_size)
    for row, window in enumerate(order):
        expected = encode(model, window)
        torch.testing.assert_close(hidden[row, : len(window)], expected, atol=2e-3, rtol=2e-3)
        assert not hidden[row, len(window) :].any()


@pytest.mark.parametrize("workers", [1, 2])
def test_cached_output_is_that_of_the_exported_encoder(trained, windows, tmp_path, workers):
    predictor, _ = load_predictor(trained, workers)
    encode = exported_encoder(predictor)
    cache = cache_features(tmp_path, encode, windows, predictor.config.hidden_size)
    hidden = cache.hidden(windows)
    for row, window in enumerate(windows):
        ids, segments = np.array([window.ids]), np.array([window.segments])
        sentences = np.array([[0, 0, len(window)]])
        expected = predictor.backend.read(ids, segments, sentences)["hidden"][0]
        torch.testing.assert_close(
            hidden[row, : len(window)], torch.from_numpy(expected), atol=2e-3, rtol=2e-3
        )


def test_equal_windows_are_stored_once(cached, model, windows, tmp_path):
    cached(tmp_path, [*windows, *windows])
    tokens = sum(map(len, windows))
    assert (tmp_path / FEATURES_FILE).stat().st_size == tokens * model.config.hidden_size * 2


def test_interrupted_file_is_not_used(cached, windows, tmp_path, monkeypatch):
    calls = []

    def interrupt(*_):
        calls.append(1)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(ClaimStanceModel, "encode", interrupt)
        with pytest.raises(KeyboardInterrupt):
            cached(tmp_path, windows)
    assert calls
    assert not (tmp_path / FEATURES_FILE).exists()
    assert cached(tmp_path, windows) is not None


def test_full_disk_is_a_warning(cached, windows, tmp_path, monkeypatch, caplog):
    usage = namedtuple("usage", "total used free")(10**6, 10**6 - 100, 100)
    monkeypatch.setattr(feature_cache.shutil, "disk_usage", lambda _: usage)
    assert cached(tmp_path, windows) is None
    assert "the encoder runs again in every epoch" in caplog.text
    assert not (tmp_path / FEATURES_FILE).exists()


@pytest.fixture
def train_head(trained, make_config, splits, tmp_path):
    """Return a function that trains one head for some epochs and counts the tokens that the exported encoder reads."""

    def train_head(epochs, folder="own", task="stance", **options):
        config = make_config(
            tmp_path / folder,
            model={"init_from": str(trained)},
            trainable_tasks=[task],
            epochs=epochs,
            evaluations_per_epoch=0,
        )
        tokens = []
        read = OnnxBackend.read

        def counted(self, ids, segments, sentences):
            tokens.append(ids.size)
            return read(self, ids, segments, sentences)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(OnnxBackend, "read", counted)
            end = train(config, {"train": splits["train"]}, DEFAULT_LABELS, **options)
        return end, sum(tokens)

    return train_head


def test_encoder_runs_once_for_any_number_of_epochs(train_head, tmp_path):
    _, once = train_head(1, "one")
    end, thrice = train_head(3, "three")
    assert once == thrice > 0
    assert not (end / "checkpoints" / FEATURES_FILE).exists()


def test_training_on_the_cache_gives_nearly_the_weights_of_training_without(
    train_head, monkeypatch
):
    # For another task than stance, both runs use the encoder of the network.
    cached, _ = train_head(2, "cached", "claim")
    monkeypatch.setattr(
        "claimstance.training.fine_tuning.train.cache_features", lambda *_, **__: None
    )
    plain, _ = train_head(2, "plain", "claim")
    expected = ClaimStanceModel.from_pretrained(plain).state_dict()
    for name, weight in ClaimStanceModel.from_pretrained(cached).state_dict().items():
        torch.testing.assert_close(weight, expected[name], atol=5e-3, rtol=0.05)


def test_new_run_does_not_use_the_file_of_another(train_head, tmp_path):
    checkpoints = tmp_path / "own" / "checkpoints"
    checkpoints.mkdir(parents=True)
    (checkpoints / FEATURES_FILE).write_bytes(b"of another run")
    _, tokens = train_head(1)
    assert tokens > 0
