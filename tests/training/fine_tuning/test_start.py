"""Test the weights that training begins with: ``model.init_from``."""

import pytest
import torch

from claimstance.model.bundled import BUNDLED_MODELS
from claimstance.model.errors import ConfigError
from claimstance.model.io import encoders
from claimstance.model.io.encoders import PACKAGED, locate
from claimstance.model.labels import STANCE
from claimstance.model.network import ClaimStanceModel
from claimstance.training.config import Config
from claimstance.training.fine_tuning.initialization import new_model

pytestmark = pytest.mark.slow
[MINILM] = PACKAGED
LABELS = {"stance": STANCE, "claim": ("boast", "menace", "pledge")}


def new(**model):
    config = Config.model_validate({"output": "out", "data": {"path": "data"}, "model": model})
    return new_model(config, ("claim", "stance"), LABELS)


@pytest.fixture(scope="module")
def bundled():
    return ClaimStanceModel.from_pretrained(BUNDLED_MODELS["small"])


@pytest.fixture
def minilm():
    if locate(MINILM) == MINILM:
        pytest.skip("no package with the bundled model's encoder is installed")
    return MINILM


@pytest.mark.parametrize("start", ["auto", "small"])
def test_training_begins_with_the_bundled_weights(minilm, bundled, start):
    model, name = new(encoder=minilm, init_from=start)
    assert name == bundled.config.name
    bundled_weights = bundled.state_dict()
    equal = {
        key: torch.equal(value, bundled_weights[key])
        for key, value in model.state_dict().items()
        if key in bundled_weights and value.shape == bundled_weights[key].shape
    }
    assert {key for key in equal if key.startswith(("encoder.", "heads.stance."))}
    differing = [key for key, is_equal in equal.items() if not is_equal]
    assert [key for key in differing if not key.startswith("heads.claim.")] == []
    # A head with other labels is initialized anew.
    assert model.config.labels["claim"] == LABELS["claim"]


def test_auto_ignores_a_bundled_model_with_another_encoder(tiny_encoder, caplog):
    caplog.set_level("INFO", "claimstance")
    _, name = new(encoder=str(tiny_encoder), init_from="auto", max_tokens=64)
    assert name is None
    assert "which the bundled model small does not have" in caplog.text


def test_a_named_initial_model_with_another_encoder_is_refused(tiny_encoder):
    with pytest.raises(ConfigError, match=r"expected a model with the encoder .*, found another"):
        new(encoder=str(tiny_encoder), init_from="small", max_tokens=64)


def test_a_named_initial_model_brings_its_encoder_along(monkeypatch):
    def unreachable(name):
        raise ConfigError(f"{name} is out of reach")

    monkeypatch.setattr(encoders, "load_pretrained", unreachable)
    model, name = new(encoder="sentence-transformers/all-mpnet-base-v2", init_from="base")
    assert name == "claimstance-mpnet"
    assert model.config.encoder["model_type"] == "mpnet"
    assert all(weight.requires_grad for weight in model.parameters())


def test_windows_may_not_be_longer_than_those_of_the_initial_model(bundled):
    with pytest.raises(ConfigError, match=r"model\.max_tokens: expected at most 512"):
        ClaimStanceModel.with_encoder_of(bundled, {"max_tokens": 4096})


def test_an_encoder_with_another_vocabulary_is_another_encoder(bundled):
    other = ClaimStanceModel.with_encoder_of(bundled, {})
    assert other.has_encoder_of(bundled)
    other.tokenizer_json = "{}"
    assert not other.has_encoder_of(bundled)


def test_without_an_initial_model_the_encoder_has_its_pretrained_weights(tiny_encoder):
    model, name = new(encoder=str(tiny_encoder), max_tokens=64)
    second_model, _ = new(encoder=str(tiny_encoder), max_tokens=64)
    assert name is None
    weights = second_model.state_dict()
    differing = [
        key for key, value in model.state_dict().items()
        if key.startswith("encoder.") and not torch.equal(value, weights[key])
    ]  # fmt: skip
    assert differing == []


def test_a_new_model_states_the_name_and_version_of_its_configuration(tiny_encoder):
    settings = {
        "name": "mine",
        "version": "2.5",
        "output": "out",
        "data": {"path": "data"},
        "model": {"encoder": str(tiny_encoder), "max_tokens": 64},
    }
    model, _ = new_model(Config.model_validate(settings), ("claim", "stance"), LABELS)
    assert (model.config.name, model.config.version) == ("mine", "2.5")
