"""Test training runs as a whole: interrupted runs that are resumed, and a run for a single task."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from transformers import TrainerCallback

from claimstance.model.config import ModelConfig
from claimstance.model.errors import ConfigError
from claimstance.model.labels import DEFAULT_LABELS
from claimstance.training.fine_tuning.train import train
from claimstance.training.fine_tuning.trainer import ClaimStanceTrainer

pytestmark = pytest.mark.slow


class Interrupt(TrainerCallback):
    """End a run after a step, as a crash would."""

    def __init__(self, step):
        self.step = step

    def on_step_end(self, args, state, control, **_):
        if state.global_step == self.step:
            raise KeyboardInterrupt


class RunRecorder(TrainerCallback):
    """Count the steps of a run, and keep its last step and weights."""

    def __init__(self):
        self.steps_taken = 0

    def on_step_end(self, args, state, control, **_):
        self.steps_taken += 1

    def on_train_end(self, args, state, control, model=None, **_):
        self.last_step = state.global_step
        self.weights = {name: value.clone() for name, value in model.state_dict().items()}


class InterruptAfterSaving(TrainerCallback):
    """End a run after its first checkpoint."""

    def on_save(self, args, state, control, **_):
        raise KeyboardInterrupt


def leave_uncalibrated(monkeypatch):
    """Let a run end without calibration, which would need an exported model."""
    module = "claimstance.training.fine_tuning.train"
    monkeypatch.setattr(
        f"{module}.load_predictor", lambda folder: (ModelConfig.load(Path(folder)), "")
    )
    monkeypatch.setattr(f"{module}.calibrate", lambda config, *_: config)


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("trained_tasks", [None, ["stance"]], ids=["all", "one head"])
def test_a_resumed_run_ends_with_the_weights_of_an_uninterrupted_one(
    make_config, trained, splits, tmp_path, monkeypatch, trained_tasks
):
    monkeypatch.setattr("claimstance.training.fine_tuning.train.export", lambda folder, **_: folder)
    uninterrupted_run, resumed_run = RunRecorder(), RunRecorder()
    settings = (
        {"trainable_tasks": trained_tasks, "model": {"init_from": str(trained)}, "epochs": 4}
        if trained_tasks
        else {}
    )
    splits = {"train": splits["train"]}  # without a dev split the last weights are kept
    train(
        make_config(tmp_path / "whole", **settings),
        splits,
        DEFAULT_LABELS,
        callbacks=[uninterrupted_run],
    )
    interrupted = make_config(tmp_path / "interrupted", **settings)
    with pytest.raises(KeyboardInterrupt):
        train(
            interrupted,
            splits,
            DEFAULT_LABELS,
            callbacks=[Interrupt(uninterrupted_run.last_step - 2)],
        )
    # The next checkpoint is incomplete, as if it was being written: the one before it counts.
    (interrupted.output / "checkpoints" / f"checkpoint-{uninterrupted_run.last_step - 2}").mkdir()
    train(interrupted, splits, DEFAULT_LABELS, resume=True, callbacks=[resumed_run])
    assert uninterrupted_run.last_step == resumed_run.last_step == uninterrupted_run.steps_taken
    assert 2 <= resumed_run.steps_taken < uninterrupted_run.last_step / 2
    different = [
        name
        for name, value in uninterrupted_run.weights.items()
        if not torch.equal(value, resumed_run.weights[name])
    ]
    assert different == []
    account = json.loads((interrupted.output / "training.json").read_text(encoding="utf-8"))
    # The history begins before the interruption.
    assert account["history"][0]["step"] < uninterrupted_run.last_step / 2


@pytest.mark.usefixtures("one_thread")
def test_a_resumed_run_keeps_the_count_of_evaluations_without_improvement(
    make_config, splits, tmp_path, monkeypatch
):
    scores = []

    def score(_):
        scores.append(1 / (1 + len(scores)))
        return {"mean": scores[-1]}

    class InterruptAfterTheSecond(TrainerCallback):
        def on_step_end(self, args, state, control, **_):
            if len(scores) == 2:
                raise KeyboardInterrupt

    monkeypatch.setattr("claimstance.training.fine_tuning.train.export", lambda folder, **_: folder)
    leave_uncalibrated(monkeypatch)
    monkeypatch.setattr(ClaimStanceTrainer, "scores", score)
    config = make_config(tmp_path / "stopped", evaluations_per_epoch=3, patience=3)
    with pytest.raises(KeyboardInterrupt):
        train(config, splits, DEFAULT_LABELS, callbacks=[InterruptAfterTheSecond()])
    train(config, splits, DEFAULT_LABELS, resume=True)
    assert len(scores) == 4  # the first is the best, and the patience is three


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("state", [None, b"", b'{"global_step'])
def test_a_run_without_a_complete_checkpoint_starts_from_the_beginning(
    make_config, splits, tmp_path, monkeypatch, state
):
    monkeypatch.setattr("claimstance.training.fine_tuning.train.export", lambda folder, **_: folder)
    recorder = RunRecorder()
    config = make_config(tmp_path / "started", epochs=1)
    checkpoint = config.output / "checkpoints" / "checkpoint-1"
    checkpoint.mkdir(parents=True)
    if state is not None:
        (checkpoint / "trainer_state.json").write_bytes(state)
    train(config, {"train": splits["train"]}, DEFAULT_LABELS, resume=True, callbacks=[recorder])
    assert recorder.steps_taken == recorder.last_step > 1


@pytest.mark.usefixtures("one_thread")
def test_resuming_without_a_folder_starts_from_the_beginning(
    make_config, splits, tmp_path, monkeypatch
):
    monkeypatch.setattr("claimstance.training.fine_tuning.train.export", lambda folder, **_: folder)
    recorder = RunRecorder()
    config = make_config(tmp_path / "new", epochs=1)
    train(config, {"train": splits["train"]}, DEFAULT_LABELS, resume=True, callbacks=[recorder])
    assert recorder.steps_taken == recorder.last_step > 1
    assert (config.output / "checkpoints" / "run.json").exists()


@pytest.mark.usefixtures("one_thread")
def test_a_run_can_be_resumed_in_a_moved_folder(make_config, splits, tmp_path, monkeypatch):
    monkeypatch.setattr("claimstance.training.fine_tuning.train.export", lambda folder, **_: folder)
    leave_uncalibrated(monkeypatch)
    # The best weights are those before the interruption, which are loaded from the moved folder.
    scores = iter([0.9, 0.1, 0.1])
    monkeypatch.setattr(ClaimStanceTrainer, "scores", lambda _: {"mean": next(scores)})
    config = make_config(tmp_path / "old", epochs=2)
    with pytest.raises(KeyboardInterrupt):
        train(config, splits, DEFAULT_LABELS, callbacks=[InterruptAfterSaving()])
    (tmp_path / "old").rename(tmp_path / "new")
    moved = make_config(tmp_path / "new", epochs=2)
    train(moved, splits, DEFAULT_LABELS, resume=True)
    checkpoints = (tmp_path / "new" / "checkpoints").glob("checkpoint-*")
    first_checkpoint = min(checkpoints, key=lambda path: int(path.name[11:]))
    expected = load_file(first_checkpoint / "model.safetensors")
    saved = load_file(tmp_path / "new" / "model.safetensors")
    assert [name for name in expected if not torch.equal(expected[name], saved[name])] == []


@pytest.mark.usefixtures("one_thread")
def test_a_run_cannot_be_resumed_with_other_data(make_config, splits, tmp_path, monkeypatch):
    monkeypatch.setattr("claimstance.training.fine_tuning.train.export", lambda folder, **_: folder)
    config = make_config(tmp_path / "stopped", epochs=4)
    with pytest.raises(KeyboardInterrupt):
        train(config, splits, DEFAULT_LABELS, callbacks=[InterruptAfterSaving()], fingerprint="one")
    weights = sorted(config.output.rglob("model.safetensors"))
    contents = [path.read_bytes() for path in weights]
    assert weights
    with pytest.raises(ConfigError, match="other data"):
        train(config, splits, DEFAULT_LABELS, resume=True, fingerprint="other")
    with pytest.raises(ConfigError, match="found the checkpoints of an interrupted run"):
        train(config, splits, DEFAULT_LABELS, fingerprint="other")
    assert sorted(config.output.rglob("model.safetensors")) == weights
    assert [path.read_bytes() for path in weights] == contents


@pytest.mark.usefixtures("one_thread")
def test_a_single_task_trains_on_rows_that_mostly_lack_it(
    make_config, splits, tmp_path, monkeypatch
):
    monkeypatch.setattr("claimstance.training.fine_tuning.train.export", lambda folder, **_: folder)
    records = [r.model_copy(update={"doc_id": None}) for r in splits["train"]]
    recorder = RunRecorder()
    settings = {"epochs": 1, "tokens_per_batch": 32, "topic_share": 0.0}
    config = make_config(tmp_path, model={"tasks": ["stance"]}, **settings)
    train(config, {"train": records}, DEFAULT_LABELS, callbacks=[recorder])
    assert recorder.last_step > 1
    assert {name.split(".")[1] for name in recorder.weights if name.startswith("heads.")} == {
        "stance"
    }
