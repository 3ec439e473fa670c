"""Test that one head is trained while the rest of the model stays as it was: ``training.trainable_tasks``."""

import json
import shutil
from dataclasses import asdict

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from claimstance.model.config import ModelConfig
from claimstance.model.errors import ConfigError, ModelError
from claimstance.model.labels import DEFAULT_LABELS
from claimstance.model.network import ClaimStanceModel
from claimstance.model.onnx.backend import load_predictor
from claimstance.model.onnx.export import export
from claimstance.model.onnx.manifest import check_files
from claimstance.training.evaluation.scoring import evaluate
from claimstance.training.fine_tuning.train import train
from claimstance.training.model_card import write_card

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("one_thread")]
OTHERS = ("attributions", "entities", "claim", "check_worthy", "subjective")
STANCES = {**dict.fromkeys(OTHERS), "meta": {"corpus": "own"}}


@pytest.fixture(scope="module")
def stances(splits):
    """Return rows annotated with stances only, as those of a user's own corpus may be."""
    return {name: [row.model_copy(update=STANCES) for row in rows] for name, rows in splits.items()}


@pytest.fixture
def go_on(make_config, stances, tmp_path):
    def go_on(start, only, rows=stances, labels=DEFAULT_LABELS, model=None, **settings):
        config = make_config(
            tmp_path / "own",
            model={"init_from": str(start), **(model or {})},
            trainable_tasks=only,
            epochs=1,
            **{"evaluations_per_epoch": 0, **settings},
        )
        return train(config, rows, labels)

    return go_on


def changed(start, end):
    """Return the names of the heads whose weights differ, and encoder where others differ."""
    before, after = (
        ClaimStanceModel.from_pretrained(folder).state_dict() for folder in (start, end)
    )
    assert before.keys() == after.keys()
    different = [name for name in before if not torch.equal(before[name], after[name])]
    return {name.split(".")[1] if name.startswith("heads.") else "encoder" for name in different}


def fitted(folder, of_stance):
    config = asdict(ModelConfig.load(folder))
    return {
        (name, key): value
        for name in ("temperatures", "biases", "thresholds", "abstain_below", "conformal")
        for key, value in config[name].items()
        if key.startswith("stance") == of_stance
    }


@pytest.mark.parametrize("weights", [True, False])
def test_a_stance_head_learns_and_nothing_else_changes(trained, go_on, tmp_path, weights):
    start = shutil.copytree(trained, tmp_path / "start")
    if not weights:
        (start / "model.safetensors").unlink()
    end = go_on(start, ["stance"])
    assert changed(start, end) == {"stance"}
    for name in ("reader.onnx", "link.onnx"):
        assert (end / name).read_bytes() == (start / name).read_bytes()
    assert (end / "stance.onnx").read_bytes() != (start / "stance.onnx").read_bytes()
    assert ModelConfig.load(end).tasks == ModelConfig.load(start).tasks
    assert fitted(end, of_stance=False) == fitted(start, of_stance=False) != {}
    assert fitted(end, of_stance=True) != fitted(start, of_stance=True)


def test_heads_in_the_file_of_the_encoder_are_exported_anew(trained, go_on, splits):
    end = go_on(trained, ["claim", "attribution"], splits)
    assert changed(trained, end) == {"claim", "attribution", "link"}
    assert (end / "reader.onnx").read_bytes() != (trained / "reader.onnx").read_bytes()
    assert fitted(end, of_stance=True) == fitted(trained, of_stance=True)


def test_unchanged_files_of_a_float32_model_stay_float32(trained, go_on, tmp_path):
    start = export(trained, tmp_path / "start", "float32")
    end = go_on(start, ["stance"])
    for name in ("reader.onnx", "link.onnx"):
        assert (end / name).read_bytes() == (start / name).read_bytes()
    assert json.loads((end / "manifest.json").read_bytes())["precision"] == "float32"


def test_an_altered_initial_model_is_refused(trained, go_on, tmp_path):
    start = shutil.copytree(trained, tmp_path / "start")
    with (start / "reader.onnx").open("ab") as file:
        file.write(b"\x72\x00")
    with pytest.raises(ModelError, match="the file was altered"):
        go_on(start, ["stance"])
    assert not (tmp_path / "own" / "checkpoints").exists()


def test_an_initial_model_that_was_not_exported(trained, go_on, tmp_path):
    start = shutil.copytree(trained, tmp_path / "start")
    (start / "manifest.json").unlink()
    end = go_on(start, ["stance"])
    assert changed(trained, end) == {"stance"}
    assert check_files(end)


def test_without_dev_a_new_head_is_not_calibrated(trained, go_on, stances):
    end = go_on(trained, ["stance"], {"train": stances["train"]})
    assert fitted(end, of_stance=True) == {}
    assert fitted(end, of_stance=False) == fitted(trained, of_stance=False)


def test_labels_of_frozen_tasks_are_ignored(trained, go_on, splits):
    rows = {
        name: [row.model_copy(update={"claim": "opinion"}) for row in rows]
        for name, rows in splits.items()
    }
    end = go_on(trained, ["stance"], rows, evaluations_per_epoch=2)
    assert changed(trained, end) == {"stance"}
    history = json.loads((end / "training.json").read_bytes())["history"]
    scored = {name for entry in history for name in entry if name.startswith("eval_")}
    assert {name.partition("/")[2] for name in scored} - {""} == {"stance"}


def test_a_metric_of_a_frozen_task_is_refused(trained, go_on, splits):
    with pytest.raises(ConfigError, match=r"training.metric: unknown metric 'seeds/claim'"):
        go_on(trained, ["stance"], splits, metric="seeds/claim", evaluations_per_epoch=1)


def test_soft_labels_of_other_tasks_are_left_out(trained, make_config, stances, tmp_path):
    soft = {row.id: {"claim": np.array([0.5, 0.5], dtype=np.float32)} for row in stances["train"]}
    config = make_config(
        tmp_path / "own",
        model={"init_from": str(trained)},
        trainable_tasks=["stance"],
        epochs=1,
        evaluations_per_epoch=0,
    )
    assert changed(trained, train(config, stances, DEFAULT_LABELS, soft)) == {"stance"}


def test_the_card_names_the_trained_head(trained, make_config, stances, tmp_path):
    config = make_config(
        tmp_path / "own",
        model={"init_from": str(trained)},
        trainable_tasks=["stance"],
        epochs=1,
        evaluations_per_epoch=0,
    )
    folder = train(config, stances, DEFAULT_LABELS)
    results = evaluate(load_predictor(folder)[0], stances["dev"])
    card = write_card(folder, config, results).read_text(encoding="utf-8")
    assert (
        f"From the model {ModelConfig.load(trained).name}, of which nothing but what reads stance learned: 1 epochs"
        in card
    )
    assert "seed 13, windows of 64 tokens" in card
    assert "base_model" not in card


@pytest.mark.parametrize("shared", [True, False])
def test_layers_without_training_stances_stay_exactly_equal(trained, go_on, stances, shared):
    """Check that stances with a holder leave the layers for stances without one unchanged, without weight decay."""

    def training_row(row):  # in short sentences, since a holder in another piece counts as none
        row_stances = [
            stance
            for stance in row.stances or ()
            if shared or (isinstance(stance.holder, list) and len(row.text) < 120)
        ]
        return row.model_copy(update={"stances": row_stances})

    end = go_on(
        trained, ["stance"], {"train": [*map(training_row, stances["train"])]}, weight_decay=0.0
    )
    before, after = (
        ClaimStanceModel.from_pretrained(folder).state_dict() for folder in (trained, end)
    )
    holderless = [
        name for name in before if "stance.text_mlp" in name or name.endswith("no_holder")
    ]
    assert all(torch.equal(before[name], after[name]) for name in holderless) != shared
    assert not torch.equal(
        before["heads.stance.holder_mlp.1.weight"], after["heads.stance.holder_mlp.1.weight"]
    )


def test_frozen_modules_have_no_dropout(trained):
    model = ClaimStanceModel.from_pretrained(trained)
    model.freeze_except(["attribution"], 0.3)
    model.train()
    assert {name for name, head in model.heads.items() if head.training} == {"attribution", "link"}
    assert not any(module.training for module in model.encoder.modules())
    dropouts = {
        name: {module.p for module in head.modules() if isinstance(module, torch.nn.Dropout)}
        for name, head in model.heads.items()
    }
    assert dropouts["link"] == {0.3} == {model.config.dropout}
    model.eval()
    assert not model.heads["link"].training


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"model": {"max_tokens": 32}},
            "model.max_tokens: expected 64 as in model.init_from, found 32",
        ),
        (
            {"labels": {**DEFAULT_LABELS, "stance": ("no", "yes")}},
            "training.trainable_tasks: expected the labels of model.init_from for 'stance' (against, neutral, favor), found no, yes",
        ),
        (
            {"only": ["entity"]},
            "training.trainable_tasks: expected a task with train labels (stance), found 'entity'",
        ),
    ],
)
def test_settings_that_contradict_the_initial_model_are_reported(
    trained, go_on, stances, settings, message
):
    settings = {"only": ["stance"], **settings, "rows": stances}
    with pytest.raises(ConfigError) as error:
        go_on(trained, **settings)
    assert message in str(error.value)


def test_a_task_that_the_initial_model_lacks_is_refused(
    trained, go_on, tmp_path, splits, make_config
):
    start = train(
        make_config(
            tmp_path / "start", model={"tasks": ["claim"]}, epochs=1, evaluations_per_epoch=0
        ),
        splits,
        DEFAULT_LABELS,
    )
    with pytest.raises(ConfigError, match=r"training\.trainable_tasks: unknown task 'stance'"):
        go_on(start, ["stance"])


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ({}, "training.trainable_tasks: expected a model.init_from"),
        (
            {"init_from": "small", "tasks": ["stance"]},
            "model.tasks: expected none beside training.trainable_tasks",
        ),
    ],
)
def test_invalid_configurations_of_trainable_tasks_are_refused(
    make_config, tmp_path, model, message
):
    with pytest.raises(ValidationError, match=message):
        make_config(tmp_path, model=model, trainable_tasks=["stance"])
