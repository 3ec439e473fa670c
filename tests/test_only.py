"""One head trained, the rest of the model as it was: ``training.only``."""

import shutil
from dataclasses import asdict

import pytest
import torch
from pydantic import ValidationError

from claimstance.model.config import ModelConfig
from claimstance.model.errors import ConfigError
from claimstance.model.labels import DEFAULT_LABELS
from claimstance.model.network import ClaimStanceModel
from claimstance.training.train import train

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("one_thread")]
OTHERS = ("attributions", "entities", "claim", "check_worthy", "subjective")
STANCES = {**dict.fromkeys(OTHERS), "meta": {"corpus": "own"}}


@pytest.fixture(scope="module")
def stances(splits):
    """Rows that tell of stances alone, as those of somebody's own corpus may."""
    return {name: [row.model_copy(update=STANCES) for row in rows] for name, rows in splits.items()}


@pytest.fixture
def go_on(make_config, stances, tmp_path):
    def go_on(start, only, rows=stances, labels=DEFAULT_LABELS, model=None, **settings):
        config = make_config(tmp_path / "own", model={"start": str(start), **(model or {})}, only=only, epochs=1,
                             evaluations_per_epoch=0, **settings)
        return train(config, rows, labels)

    return go_on


def changed(start, end):
    """The parts of the network whose weights differ."""
    before, after = (ClaimStanceModel.from_pretrained(folder).state_dict() for folder in (start, end))
    assert before.keys() == after.keys()
    different = [name for name in before if not torch.equal(before[name], after[name])]
    return {name.split(".")[1] if name.startswith("heads.") else "encoder" for name in different}


def fitted(folder, whose):
    config = asdict(ModelConfig.load(folder))
    return {(name, key): value for name in ("temperatures", "biases", "thresholds", "abstain_below", "conformal")
            for key, value in config[name].items() if key.startswith("stance") == whose}


@pytest.mark.parametrize("weights", [True, False])
def test_a_stance_head_learns_and_nothing_else_changes(trained, go_on, tmp_path, weights):
    start = shutil.copytree(trained, tmp_path / "start")
    if not weights:
        (start / "model.safetensors").unlink()
    end = go_on(start, ["stance"])
    assert changed(start, end) == {"stance"}
    assert (end / "reader.onnx").read_bytes() == (start / "reader.onnx").read_bytes()
    assert (end / "stance.onnx").read_bytes() != (start / "stance.onnx").read_bytes()
    assert ModelConfig.load(end).tasks == ModelConfig.load(start).tasks
    assert fitted(end, whose=False) == fitted(start, whose=False) != {}
    assert fitted(end, whose=True) != fitted(start, whose=True)


def test_heads_within_the_encoders_file_are_exported_anew(trained, go_on, splits):
    end = go_on(trained, ["claim", "attribution"], splits)
    assert changed(trained, end) == {"claim", "attribution", "link"}
    assert (end / "reader.onnx").read_bytes() != (trained / "reader.onnx").read_bytes()
    assert fitted(end, whose=True) == fitted(trained, whose=True)


def test_a_float32_export_is_no_reader_of_an_int8_model(trained, go_on, tmp_path):
    from claimstance.model.export import export

    start = export(trained, tmp_path / "start", "float32")
    end = go_on(start, ["stance"])
    assert (end / "reader.onnx").stat().st_size < (start / "reader.onnx").stat().st_size


def test_what_does_not_learn_has_no_dropout(trained):
    model = ClaimStanceModel.from_pretrained(trained)
    model.learn_only(["attribution"])
    model.train()
    assert {name for name, head in model.heads.items() if head.training} == {"attribution", "link"}
    assert not any(module.training for module in model.encoder.modules())
    model.eval()
    assert not model.heads["link"].training


@pytest.mark.parametrize(("settings", "message"), [
    ({"model": {"max_tokens": 64}}, "model.max_tokens: expected "),
    ({"labels": {**DEFAULT_LABELS, "stance": ("no", "yes")}},
     "training.only: expected the labels of model.start for 'stance' (against, neutral, favor), found no, yes"),
    ({"only": ["entity"], "rows": None}, "no row of the train split has labels for 'entity'"),
])
def test_what_does_not_fit_the_start_is_said(trained, go_on, stances, settings, message):
    settings = {"only": ["stance"], **settings, "rows": stances}
    with pytest.raises(ConfigError) as raised:
        go_on(trained, **settings)
    assert message in str(raised.value)


def test_a_task_that_the_start_lacks(trained, go_on, tmp_path, splits, make_config):
    start = train(make_config(tmp_path / "start", model={"tasks": ["claim"]}, epochs=1, evaluations_per_epoch=0),
                  splits, DEFAULT_LABELS)
    with pytest.raises(ConfigError, match=r"training\.only: unknown task 'stance'"):
        go_on(start, ["stance"])


@pytest.mark.parametrize(("model", "message"), [
    ({}, "training.only: expected a model.start"),
    ({"start": "bundled", "tasks": ["stance"]}, "model.tasks: expected none beside training.only")])
def test_a_configuration_that_leaves_nothing_as_it_was(make_config, tmp_path, model, message):
    with pytest.raises(ValidationError, match=message):
        make_config(tmp_path, model=model, only=["stance"])
