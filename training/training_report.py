"""The report on a training run in the folder of its model: what it began with, its history and its figures on dev."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

TRAINING_REPORT_FILE = "training.json"


def write_training_report(folder: Path, report: Mapping[str, Any]) -> None:
    """Write the report on the training of the model in ``folder``."""
    text = json.dumps(report, indent=2, ensure_ascii=False)
    (folder / TRAINING_REPORT_FILE).write_text(text + "\n", encoding="utf-8")


def read_training_report(folder: Path) -> dict[str, Any]:
    """Return the report on the training of a model; an empty dict if it cannot be read."""
    try:
        report = json.loads((folder / TRAINING_REPORT_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return report if isinstance(report, dict) else {}


def dev_figures(folder: Path) -> dict[str, Any] | None:
    """Return the figures on dev that training wrote: ``results`` and ``baselines``; ``None`` without any."""
    figures = read_training_report(folder).get("dev")
    if isinstance(figures, dict) and figures.get("results"):
        return figures
    return None
