"""The report on a training run in the folder of its model: what it began with, its history and its figures on dev."""

import json
from pathlib import Path
from typing import Any, TypedDict, cast

from claimstance.training.evaluation.scoring import PlainFigures

TRAINING_REPORT_FILE = "training.json"


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
    train_labels: dict[str, dict[str, int]]
    steps: int
    best: BestScore
    history: list[dict[str, Any]]
    threads: int
    python: str
    libraries: dict[str, str]
    dev: DevFigures


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
