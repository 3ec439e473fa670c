"""Test which runs resume from checkpoints, and the errors of the others."""

import json
import re

import numpy as np
import pytest

from claimstance.model.errors import ConfigError
from claimstance.model.record import Record
from claimstance.training.config import Config
from claimstance.training.fine_tuning.checkpoints import (
    checkpoint_to_resume,
    describe_run,
    require_no_checkpoints,
    write_description,
)

RECORDS = {
    "train": [Record(id="1", text="Holm praised it.", claim="claim")],
    "dev": [Record(id="2", text="Rain fell.", claim="no_claim")],
}
LABELS = {"claim": ("no_claim", "claim")}


def describe(
    splits=RECORDS,
    labels=LABELS,
    soft=None,
    fingerprint="",
    processes=1,
    model=None,
    data="d",
    **training,
):
    config = Config.model_validate(
        {
            "output": "out",
            "data": {"path": data},
            "model": model or {},
            "training": {"learning_rate": 1e-4, **training},
        }
    )
    return describe_run(config, splits, labels, soft or {}, fingerprint, processes)


@pytest.fixture
def interrupted(tmp_path):
    """Write the checkpoints of an interrupted run of ``describe()``."""
    write_description(tmp_path, describe())
    for step in (9, 18, 100):
        folder = tmp_path / f"checkpoint-{step}"
        folder.mkdir()
        (folder / "trainer_state.json").write_text("{}")
    (tmp_path / "checkpoint-100" / "trainer_state.json").write_text('{"step')  # being written
    return tmp_path


def test_the_same_run_resumes_from_its_last_complete_checkpoint(interrupted):
    assert checkpoint_to_resume(interrupted, describe()) == interrupted / "checkpoint-18"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"learning_rate": 5e-5}, "training.learning_rate 0.0001 -> 5e-05"),
        ({"epochs": 4}, "training.epochs 3.0 -> 4.0"),
        ({"patience": 2}, "training.patience 0 -> 2"),
        ({"seed": 14}, "training.seed 13 -> 14"),
        ({"class_weight_power": {"claim": 0.5}}, "training.class_weight_power.claim null -> 0.5"),
        ({"metric": "d/claim"}, "training.metric mean -> d/claim"),
        ({"model": {"max_tokens": 128}}, "model.max_tokens 256 -> 128"),
        ({"model": {"encoder": "other/encoder"}}, "model.encoder sentence-transformers/all-MiniLM-L6-v2 -> other/"),
        ({"model": {"init_from": "small"}}, "model.init_from null -> small"),
        ({"labels": {"claim": ("claim", "no_claim")}}, "labels of claim no_claim, claim -> claim, no_claim"),
        ({"labels": {**LABELS, "stance": ("a", "b")}}, "labels of stance none -> a, b"),
        ({"labels": {}}, "labels of claim no_claim, claim -> none"),
        ({"processes": 2}, "training processes 1 -> 2"),
        ({"soft": {"1": {"claim": np.ones(2, np.float32)}}}, "other data"),
        ({"splits": {**RECORDS, "dev": []}}, "other data"),
        ({"splits": {**RECORDS, "train": [Record(id="1", text="Holm praised it.", claim="no_claim")]}}, "other data"),
    ],
)  # fmt: skip
def test_a_changed_run_is_refused_with_its_changes(interrupted, change, message):
    with pytest.raises(
        ConfigError, match=r"^--resume: expected the data, labels and settings"
    ) as error:
        checkpoint_to_resume(interrupted, describe(**change))
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_a_changed_dataset_is_named_by_path_and_fingerprint(tmp_path, interrupted):
    write_description(interrupted, describe(data="d_normal", fingerprint="1234567890abcdef"))
    with pytest.raises(ConfigError) as error:
        checkpoint_to_resume(
            interrupted, describe(data="d_z", fingerprint="fedcba0987654321", learning_rate=5e-5)
        )
    assert (
        "other data: data.path d_normal (fingerprint 1234567890ab) -> d_z (fingerprint fedcba098765); "
        "training.learning_rate 0.0001 -> 5e-05."
    ) in str(error.value)


def test_many_changes_are_counted(interrupted):
    changes = {
        "seed": 1, "epochs": 1, "patience": 1, "weight_decay": 0.5, "topic_share": 0.5, "isolated_share": 0.5,
        "context_share": 0.1, "tokens_per_batch": 64,
    }  # fmt: skip
    with pytest.raises(ConfigError, match="; 2 more"):
        checkpoint_to_resume(interrupted, describe(**changes))


def test_settings_that_change_no_trained_weight_may_change(interrupted):
    moved = describe(data="moved", threads=2)
    assert not [key for key in moved["settings"] if key in ("name", "version", "output")]
    assert checkpoint_to_resume(interrupted, moved) == interrupted / "checkpoint-18"

    start = {"init_from": "small"}
    write_description(interrupted, describe(model=start))
    averaged = describe(model=start, init_share=0.3)
    assert checkpoint_to_resume(interrupted, averaged) == interrupted / "checkpoint-18"


def test_other_weights_of_the_initial_model_are_refused(interrupted, tmp_path):
    start = tmp_path / "start"
    start.mkdir()
    (start / "model.safetensors").write_bytes(b"one")
    write_description(interrupted, describe(model={"init_from": str(start)}))
    same = describe(model={"init_from": str(start)})
    assert checkpoint_to_resume(interrupted, same) == interrupted / "checkpoint-18"
    (start / "model.safetensors").write_bytes(b"two")
    with pytest.raises(ConfigError, match=r"found other weights in model\.init_from"):
        checkpoint_to_resume(interrupted, describe(model={"init_from": str(start)}))


@pytest.mark.parametrize("content", [None, "", "{", "[]", '{"format": 99}', '{"format": 1}'])
def test_checkpoints_without_a_valid_description_are_refused(interrupted, content):
    (interrupted / "run.json").unlink()
    if content is not None:
        (interrupted / "run.json").write_text(content)
    with pytest.raises(ConfigError, match=f"^--resume: expected .*{re.escape(str(interrupted))}"):
        checkpoint_to_resume(interrupted, describe())


def test_a_run_without_checkpoints_starts_from_the_beginning(tmp_path):
    assert checkpoint_to_resume(tmp_path / "none", describe()) is None
    write_description(tmp_path / "begun", describe())
    assert checkpoint_to_resume(tmp_path / "begun", describe(seed=14)) is None


def test_a_new_run_does_not_start_beside_checkpoints_of_another(interrupted, tmp_path):
    with pytest.raises(
        ConfigError, match=r"found the checkpoints of an interrupted run .*--resume"
    ):
        require_no_checkpoints(interrupted)
    require_no_checkpoints(tmp_path / "new")


def test_the_description_is_plain_json(interrupted):
    values = json.loads((interrupted / "run.json").read_text())
    assert values["settings"]["training.learning_rate"] == 1e-4
    assert not [key for key in values["settings"] if key.startswith(("data", "card", "output"))]
    assert list(interrupted.glob("*.part")) == []


@pytest.mark.parametrize("recorded", ["/gone/runs/own/checkpoints/checkpoint-9", "checkpoint-9"])
def test_the_best_checkpoint_is_looked_for_in_the_current_folder_of_the_run(interrupted, recorded):
    state = interrupted / "checkpoint-18" / "trainer_state.json"
    state.write_text(json.dumps({"best_model_checkpoint": recorded, "global_step": 18}))
    assert checkpoint_to_resume(interrupted, describe()) == state.parent
    expected = {"best_model_checkpoint": str(interrupted / "checkpoint-9"), "global_step": 18}
    assert json.loads(state.read_text()) == expected


def test_a_missing_best_checkpoint_is_reported(interrupted):
    state = interrupted / "checkpoint-18" / "trainer_state.json"
    state.write_text(json.dumps({"best_model_checkpoint": "runs/own/checkpoints/checkpoint-5"}))
    with pytest.raises(ConfigError, match=r"expected the best checkpoint so far in .*checkpoint-5"):
        checkpoint_to_resume(interrupted, describe())
