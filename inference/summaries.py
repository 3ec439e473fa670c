"""What the commands tell on a terminal: what was built, how well a model does, what is installed."""

import importlib.util
import os
import platform
from importlib import metadata
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from claimstance.model.config import ModelConfig
from claimstance.model.runtime import BUNDLED, READER_FILE, check_files

#: The figures that a table shows of each task; evaluation.json has all.
_SHOWN = {
    "attribution": ("source.overlap.f1", "cue.overlap.f1", "content.overlap.f1", "source.exact.f1", "cue.exact.f1",
                    "content.exact.f1", "linked.f1"),
    "entity": ("precision", "recall", "f1"),
}
_EXTRAS = {"train": "torch", "html": "trafilatura", "serve": "fastapi", "scale": "ray", "spacy": "spacy"}


def _console() -> Console:
    console = Console()
    return console if console.is_terminal else Console(width=120)


def built(folder: Path, report: dict[str, Any]) -> None:
    """What a build gave: rows and labels of each split, what was left out, what splits share."""
    table = Table("split", "rows", "labels", title=f"{folder}")
    for split, rows in report["rows"].items():
        labels = "\n".join(f"{task}: " + ", ".join(f"{name} {count}" for name, count in counts.items())
                           for task, counts in report["labels"][split].items())
        table.add_row(split, str(rows), labels)
    console = _console()
    console.print(table)
    for source in report["sources"]:
        for reason, count in source["dropped"].items():
            console.print(f"{source['name']}: {count} rows left out: {reason}", highlight=False)
    for overlap in report["overlaps"]:
        if overlap["exact"] or overlap["near"]:
            console.print(f"{overlap['second']} shares texts with {overlap['first']}: {overlap['exact']} rows exactly, "
                          f"{overlap['near']} nearly", highlight=False)


def evaluated(account: dict[str, Any]) -> None:
    """The figures of an evaluation, with their intervals."""
    table = Table("corpus", "task", "metric", "value", "95 % interval", "n",
                  title=f"{account['model']['name']} on {account['data']['path']}, split {account['data']['split']}")
    for name, figures in account["results"].items():
        corpus, _, task = name.rpartition("/")
        shown = _SHOWN.get(task) or [m for m in figures if not m.endswith((".precision", ".recall"))]
        for metric in shown:
            figure = figures[metric]
            digits = 3 if metric == "calibration_error" else 1
            value, low, high = (figure[key] if digits == 3 else 100 * figure[key] for key in ("value", "low", "high"))
            interval = "" if low == high == value else f"{low:.{digits}f} – {high:.{digits}f}"
            table.add_row(corpus, task, metric, f"{value:.{digits}f}", interval, str(figure["n"]))
        table.add_section()
    _console().print(table)


def about(model: Path | None) -> None:
    """The program, the machine, the extras, the model."""
    folder = model or BUNDLED
    files = check_files(folder)
    config = ModelConfig.load(folder)
    table = Table("", "", show_header=False)
    extras = [name for name, module in _EXTRAS.items() if importlib.util.find_spec(module)]
    rows = {
        "claimstance": metadata.version("claimstance"),
        "python": f"{platform.python_version()} on {platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "onnxruntime": metadata.version("onnxruntime"),
        "extras installed": ", ".join(extras) or "none",
        "model": f"{config.name} {config.version}" + ("" if model else " (bundled)"),
        "sha256": files[READER_FILE],
        "tasks": ", ".join(config.tasks),
        **{f"labels of {task}": ", ".join(names) for task, names in config.labels.items()},
        "window": f"{config.max_tokens} tokens",
        "size": f"{sum((folder / name).stat().st_size for name in files) / 1e6:.1f} MB",
    }
    for key, value in rows.items():
        table.add_row(key, value)
    console = _console()
    console.print(table)
    card = folder / "README.md"
    if card.is_file():
        console.print(f"The model card: {card}", highlight=False)
