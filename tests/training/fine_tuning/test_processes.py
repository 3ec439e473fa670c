"""Test that training in two processes on this machine matches one process with batches twice as large."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from helpers.program import ROOT

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="gloo, as torchrun starts it"),
]
CLAIMSTANCE = Path(sys.executable).with_name("claimstance")
LAUNCHERS = {
    "torchrun": ("torch.distributed.run", "--standalone", "--nproc-per-node", "2"),
    # --multi_gpu: several processes on this machine; without it, accelerate starts one process or requires mpirun.
    "accelerate": (
        "accelerate.commands.launch",
        "--multi_gpu",
        "--num_processes",
        "2",
        "--num_machines",
        "1",
        "--mixed_precision",
        "no",
        "--dynamo_backend",
        "no",
    ),
}


@pytest.fixture(scope="module")
def plain_encoder(tiny_encoder, tmp_path_factory):
    """Return an encoder without dropout, which would differ between processes."""
    folder = shutil.copytree(tiny_encoder, tmp_path_factory.mktemp("plain") / "encoder")
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    config.update(hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def room(tmp_path_factory):
    folder = tmp_path_factory.mktemp("processes")
    subprocess.run(
        [CLAIMSTANCE, "build", ROOT / "configs" / "tiny.yaml", "--out", folder / "data"],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    return folder


def train(room, encoder, name, launcher=(), *settings, data="data"):
    start = [sys.executable, "-m", *launcher] if launcher else [sys.executable]
    return subprocess.run(
        [
            *start,
            CLAIMSTANCE,
            "train",
            ROOT / "configs" / "tiny.yaml",
            f"model.encoder={encoder}",
            "model.dropout=0",
            f"data.path={room / data}",
            f"output={room / name}",
            "training.tokens_per_batch=256",
            "training.threads=1",
            "training.epochs=2",
            *settings,
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
    )


def training_report(room, name):
    return json.loads((room / name / "training.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def alone(room, plain_encoder):
    process = train(room, plain_encoder, "alone", (), "training.batches_per_step=2")
    assert process.returncode == 0, process.stderr
    return load_file(room / "alone" / "model.safetensors")


@pytest.mark.parametrize("launcher", LAUNCHERS)
def test_two_processes_train_like_one(room, plain_encoder, alone, launcher):
    process = train(room, plain_encoder, launcher, LAUNCHERS[launcher])
    assert process.returncode == 0, process.stderr
    distributed_weights = load_file(room / launcher / "model.safetensors")
    for name, weights in alone.items():
        actual = distributed_weights[name]
        torch.testing.assert_close(actual, weights, atol=2e-5, rtol=1e-4, msg=name)
    reports = training_report(room, "alone"), training_report(room, launcher)
    assert reports[0]["steps"] == reports[1]["steps"] > 5
    expected, losses = (
        [entry["loss"] for entry in report["history"] if "loss" in entry] for report in reports
    )
    assert len(expected) > 3
    assert losses == pytest.approx(expected, rel=1e-4)
    assert (room / launcher / "manifest.json").exists()


def test_other_batches_give_other_weights(room, plain_encoder, alone):
    """Show that the comparison above would fail if the processes saw the same batches."""
    process = train(room, plain_encoder, "single", (), "training.batches_per_step=1")
    assert process.returncode == 0, process.stderr
    weights = load_file(room / "single" / "model.safetensors")
    assert any(
        not torch.allclose(weights[name], value, atol=2e-5, rtol=1e-4)
        for name, value in alone.items()
    )


def test_several_processes_need_a_built_dataset(room, plain_encoder):
    process = train(room, plain_encoder, "unbuilt", LAUNCHERS["torchrun"], data="nothing")
    assert process.returncode != 0
    assert "expected a built dataset at" in process.stderr
    assert not (room / "nothing").exists()
