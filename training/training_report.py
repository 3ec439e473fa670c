"""The report on a training run in the folder of its model: what it began with, its history and its figures on dev."""

import json
import platform
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, cast

from claimstance.training.data.label_checks import LabelCounts
from claimstance.training.evaluation.scoring import PlainFigures

if TYPE_CHECKING:
    from transformers import TrainerState

TRAINING_REPORT_FILE = "training.json"
#: Libraries whose versions the report states.
LIBRARIES = (
    "claimstance",
    "torch",
    "transformers",
    "datasets",
    "tokenizers",
    "numpy",
    "scikit-learn",
)


class BestScore(TypedDict):
    """Report the best evaluation during training; ``None`` without evaluations."""

    score: float | None
    step: int | None


class DevFigures(TypedDict):
    """Report the figures of the exported model on dev, and those of each baseline."""

    results: PlainFigures
    baselines: dict[str, PlainFigures]


class TrainingReport(TypedDict, total=False):
    """Report on a training run.

    Attributes:
        data_fingerprint: the fingerprint of the dataset.
        started_from: the name of the model whose weights training began with; ``None`` for a bare encoder.
        train_labels: task → label → count in the train split.
        steps: the number of optimizer steps.
        best: the best evaluation during training.
        history: the log of the trainer, in order.
        threads: the number of threads of torch.
        python: the version of Python.
        libraries: library → version.
        dev: the figures on dev, which are added once the exported model is scored.
    """

    data_fingerprint: str
    started_from: str | None
    train_labels: LabelCounts
    steps: int
    best: BestScore
    history: list[dict[str, Any]]
    threads: int
    python: str
    libraries: dict[str, str]
    dev: DevFigures


def describe_training(
    state: "TrainerState",
    *,
    data_fingerprint: str,
    started_from: str | None,
    train_labels: LabelCounts,
    threads: int,
) -> TrainingReport:
    """Return the report on a finished run: everything needed to repeat it, and its history.

    Args:
        state: the state of the trainer.
        data_fingerprint: see ``TrainingReport``, as for the following arguments.
        started_from: the name of the initial model.
        train_labels: the label counts of the train split.
        threads: the number of threads of torch.
    """
    return {
        "data_fingerprint": data_fingerprint,
        "started_from": started_from,
        "train_labels": train_labels,
        "steps": state.global_step,
        "best": {"score": state.best_metric, "step": state.best_global_step},
        "history": state.log_history,
        "threads": threads,
        "python": platform.python_version(),
        "libraries": {name: metadata.version(name) for name in LIBRARIES},
    }


def write_training_report(folder: Path, report: TrainingReport) -> None:
    """Write the report on the training of the model in ``folder``."""
    text = json.dumps(report, indent=2, ensure_ascii=False)
    (folder / TRAINING_REPORT_FILE).write_text(text + "\n", encoding="utf-8")


def read_training_report(folder: Path) -> TrainingReport:
    """Return the report on the training of a model; an empty one if it cannot be read."""
    try:
        report = json.loads((folder / TRAINING_REPORT_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return cast(TrainingReport, report) if isinstance(report, dict) else {}


def dev_figures(folder: Path) -> DevFigures | None:
    """Return the figures on dev that training wrote; ``None`` without any."""
    figures = read_training_report(folder).get("dev")
    if isinstance(figures, dict) and figures.get("results"):
        return figures
    return None
