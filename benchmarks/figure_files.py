"""Files of figures: the options of the scripts that write them, their folder, and the head of their content."""

import json
import os
import platform
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any, NoReturn

from claimstance.inference.writers.text import open_output
from claimstance.model.errors import ClaimstanceError, ConfigError

HERE = Path(__file__).resolve().parent
#: Bundled model → the folder of its figures.
FOLDERS = {"small": HERE, "base": HERE / "base"}


def figures_parser(description: str | None) -> ArgumentParser:
    """Return a parser with the options that all scripts have: ``--model`` and ``--out``."""
    parser = ArgumentParser(description=description, formatter_class=RawDescriptionHelpFormatter)
    parser.add_argument(
        "--model", default="small", help="small, base, or a folder; for a folder, --out is needed"
    )
    parser.add_argument("--out", type=Path, help="where to write, if not beside this file")
    return parser


def exit_with_error(parser: ArgumentParser, error: ClaimstanceError) -> NoReturn:
    """Print an error and exit: with 2 for a wrong call, and with 1 for failed work."""
    parser.exit(2 if isinstance(error, ConfigError) else 1, f"error: {error}\n")


def write_figures(folder: Path, name: str, figures: Mapping[str, Any], page: str) -> None:
    """Write figures to ``NAME.json``, and the page that shows them to ``NAME.md``."""
    content = json.dumps(figures, indent=1, ensure_ascii=False) + "\n"
    for file_name, text in ((f"{name}.json", content), (f"{name}.md", page)):
        with open_output(folder / file_name) as file:
            file.write(text)


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
