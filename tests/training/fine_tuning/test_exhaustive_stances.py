"""Test training on corpora whose sentences list every stance that they express."""

import pytest
import torch
from pydantic import ValidationError

from claimstance.model.config import ModelConfig
from claimstance.model.errors import ConfigError
from claimstance.model.labels import DEFAULT_LABELS, OPINION_HEADS
from claimstance.model.network import ClaimStanceModel
from claimstance.model.onnx.backend import load_predictor
from claimstance.training.fine_tuning.train import train
from helpers.tiny import exported

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
    assert predictor.read(["Moss criticized the plan."]).opinions == {}


def test_a_corpus_without_rows_is_refused(make_config, splits, tmp_path):
    config = make_config(tmp_path / "model", exhaustive_stances=["hole"])
    with pytest.raises(ConfigError, match=r"training\.exhaustive_stances: .*hole.*whole"):
        train(config, of_corpus(splits, "whole"), DEFAULT_LABELS)


def test_the_weights_of_the_initial_model_can_be_averaged_with_the_trained_ones(
    make_config, splits, trained, tmp_path
):
    records = of_corpus(splits, "whole")
    models = {}
    for share in (0, 0.5, 1):
        config = make_config(
            tmp_path / str(share),
            model={"init_from": str(trained)},
            epochs=1,
            evaluations_per_epoch=0,
            exhaustive_stances=["whole"],
            init_share=share,
        )
        folder = train(config, {"train": records["train"]}, DEFAULT_LABELS)
        models[share] = ClaimStanceModel.from_pretrained(folder).state_dict()
    start = ClaimStanceModel.from_pretrained(trained).state_dict()
    moved = 0
    for name, weight in start.items():
        torch.testing.assert_close(models[1][name], weight)
        torch.testing.assert_close(models[0.5][name], (models[0][name] + weight) / 2)
        moved += not torch.equal(models[0][name], weight)
    assert moved > 0
    new_heads = models[0].keys() - start.keys()
    assert {name.split(".")[1] for name in new_heads} == set(OPINION_HEADS)
    assert all(torch.equal(models[1][name], models[0][name]) for name in new_heads)


def test_an_average_needs_an_initial_model(make_config, tmp_path):
    with pytest.raises(ValidationError, match=r"training\.init_share: expected a model\.init_from"):
        make_config(tmp_path / "model", init_share=0.5)


def test_heads_with_other_labels_are_not_averaged(tiny_encoder):
    folders = [
        exported(tiny_encoder, ("claim", "stance")),
        exported(tiny_encoder, ("claim", "stance"), stance=("no", "maybe", "yes")),
    ]
    model, source = map(ClaimStanceModel.from_pretrained, folders)
    before = {name: weight.clone() for name, weight in model.state_dict().items()}
    torch.nn.init.ones_(source.heads["claim"].layers[1].bias)
    torch.nn.init.ones_(source.heads["stance"].text_mlp[1].bias)
    model.average_with(source, 1.0)
    after = model.state_dict()
    assert after["heads.claim.layers.1.bias"].eq(1).all()
    for name, weight in before.items():
        if name.startswith("heads.stance."):
            assert torch.equal(after[name], weight)
