"""Write the head of every file of figures: the date, the machine and the model; and choose their folder."""

import os
import platform
from datetime import date
from pathlib import Path
from typing import Any

from claimstance.model.errors import ConfigError

HERE = Path(__file__).resolve().parent
#: Bundled model → the folder of its figures.
FOLDERS = {"small": HERE, "base": HERE / "base"}


def head(model_sha256: str | None) -> dict[str, Any]:
    """Return the date, the machine and the model's sha256, which is ``None`` if no model is measured."""
    return {**date_and_machine(), "model_sha256": model_sha256}


def date_and_machine() -> dict[str, str]:
    """Return when and where figures are measured."""
    machine = f"{platform.machine()}, {os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}"
    return {"date": date.today().isoformat(), "machine": machine}


def figures_folder(model: str, out: Path | None, is_partial: bool = False) -> Path:
    """Return the folder to write figures into: ``out``, or that of a bundled model.

    Args:
        model: the name of a bundled model, or a folder.
        out: the folder that the user chose, if any.
        is_partial: whether the figures are others than the folder of a model holds, such as those of another split.

    Raises:
        ConfigError: if a folder has to be chosen.
    """
    if out is not None:
        return out
    if is_partial or model not in FOLDERS:
        raise ConfigError(
            "expected --out FOLDER: the files here are about the bundled models and the whole reported part"
        )
    return FOLDERS[model]
