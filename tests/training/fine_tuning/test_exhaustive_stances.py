"""Training on corpora whose sentences list every stance that they express."""

import pytest

from claimstance.model.config import ModelConfig
from claimstance.model.errors import ConfigError
from claimstance.model.labels import DEFAULT_LABELS, OPINION_HEADS
from claimstance.model.onnx.backend import load_predictor
from claimstance.training.fine_tuning.train import train

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("one_thread")]


def of_corpus(splits, corpus):
    return {
        name: [record.model_copy(update={"meta": {"corpus": corpus}}) for record in records]
        for name, records in splits.items()
    }


def test_a_model_learns_to_find_holders_and_targets(make_config, splits, tmp_path):
    config = make_config(
        tmp_path / "model", epochs=1, exhaustive_stances=["whole"], name_swap_share=0.5
    )
    folder = train(config, of_corpus(splits, "whole"), DEFAULT_LABELS)
    model_config = ModelConfig.load(folder)
    assert model_config.opinion_spans
    assert set(OPINION_HEADS) <= set(model_config.biases)
    predictor, _ = load_predictor(folder, threads=1)
    assert set(predictor.read(["Moss criticized the plan."]).opinions) == set(OPINION_HEADS)


def test_other_models_do_not_have_these_heads(trained):
    assert not ModelConfig.load(trained).opinion_spans
    predictor, _ = load_predictor(trained, threads=1)
    assert predictor.read(["Moss criticized the plan."]).opinions is None


def test_a_corpus_without_rows_is_refused(make_config, splits, tmp_path):
    config = make_config(tmp_path / "model", exhaustive_stances=["hole"])
    with pytest.raises(ConfigError, match=r"training\.exhaustive_stances: .*hole.*whole"):
        train(config, of_corpus(splits, "whole"), DEFAULT_LABELS)
