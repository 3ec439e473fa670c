"""The commands that measure and compare models."""

import json
import logging
from collections.abc import Iterable, Mapping
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from claimstance.inference.cli.console import check_exists, check_model, progress
from claimstance.inference.cli.options import MODEL_HELP
from claimstance.model.errors import ConfigError

if TYPE_CHECKING:
    from claimstance.training.evaluation.result import Evaluation

FIGURES_FILE = "evaluation.json"


class Precision(str, Enum):
    """Name the number formats in which a model is evaluated."""

    int8 = "int8"
    float32 = "float32"


class ExportPrecision(str, Enum):
    """Name the number formats that a model is exported in."""

    int8 = "int8"
    int8_compact = "int8-compact"
    float32 = "float32"


class ReportFormat(str, Enum):
    """Name the formats of an evaluation or a comparison."""

    json = "json"
    html = "html"


ReportFormatOption = Annotated[
    ReportFormat | None,
    typer.Option(
        "--format",
        "-f",
        help="Format of the report; if not given, the one that the suffix of --out implies.",
    ),
]
_FORMATS_BY_SUFFIX = {
    ".json": ReportFormat.json,
    ".html": ReportFormat.html,
    ".htm": ReportFormat.html,
}


def evaluate(
    model: Annotated[str, typer.Argument(metavar="MODEL", help=MODEL_HELP)],
    data: Annotated[Path, typer.Option("--data", help="Folder of a built dataset.")],
    split: Annotated[
        str, typer.Option("--split", help="Split to evaluate on: train, dev or test.")
    ] = "test",
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            help="Page (.html), figures (.json), or a folder for both and for the files that `compare` reads; "
            "nothing is written if not given.",
        ),
    ] = None,
    report_format: ReportFormatOption = None,
    precision: Annotated[
        Precision | None,
        typer.Option(
            help="float32 evaluates the trained weights with torch; the exported model if not given."
        ),
    ] = None,
) -> None:
    """Evaluate a model on held-out data, with 95 % intervals.

    Example: claimstance evaluate runs/mine --data data --out page.html
    """
    from claimstance.inference.cli.tables import print_evaluation
    from claimstance.inference.writers.text import open_output
    from claimstance.training.evaluate_model import evaluate_model

    check_model("MODEL", model)
    check_exists("--data", data)
    file_format = _file_format(report_format, out)
    prints_report = out is None and file_format is not None
    with progress("reading sentences", None, prints_report) as advance:
        exact = precision is Precision.float32
        evaluation = evaluate_model(model, data, split, exact, advance, baselines=True)
    if file_format is ReportFormat.json:
        with open_output(out) as file:
            file.write(_to_json(evaluation.account))
    elif file_format is ReportFormat.html:
        with open_output(out) as file:
            file.writelines(_page(evaluation))
    elif out is not None:
        _write_folder(evaluation, out)
    if not prints_report:
        print_evaluation(evaluation.account)


def compare(
    run_a: Annotated[
        Path, typer.Argument(metavar="RUN_A", help="Folder that `evaluate --out` wrote.")
    ],
    run_b: Annotated[
        Path,
        typer.Argument(
            metavar="RUN_B", help="Folder of another evaluation on the same data and split."
        ),
    ],
    metric: Annotated[
        list[str] | None,
        typer.Option(
            "--metric",
            help="Metric to compare, such as yes.f1 (several times); those that training optimises if not given.",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", help="Page (.html) or JSON file with all results; none if not given."
        ),
    ] = None,
    report_format: ReportFormatOption = None,
) -> None:
    """Test whether one evaluation is better than another.

    Uses a paired bootstrap test over documents. The page also shows where the two models disagree.

    Example: claimstance compare scores/old scores/new --out comparison.html
    """
    from claimstance.inference.cli.tables import print_comparison
    from claimstance.inference.writers.text import open_output
    from claimstance.training.evaluation.significance import compare as compare_runs

    check_exists("RUN_A", run_a)
    check_exists("RUN_B", run_b)
    # Unlike an evaluation, a comparison is a single file: a name without a known suffix is one, too.
    file_format = _file_format(report_format, out) or report_format
    if file_format is None and out is not None:
        file_format = ReportFormat.json
    comparison = compare_runs(run_a, run_b, metric or ())
    if file_format is ReportFormat.html:
        from claimstance.training.evaluation.page.comparison import comparison_page

        _mute_matplotlib()
        with open_output(out) as file:
            file.writelines(comparison_page(comparison, run_a, run_b))
    elif file_format is ReportFormat.json:
        with open_output(out) as file:
            file.write(_to_json(comparison))
    if out is not None or file_format is None:
        print_comparison(comparison)


def _file_format(report_format: ReportFormat | None, out: Path | None) -> ReportFormat | None:
    """Return the format of a single file; ``None`` for a folder, or without ``--format`` and ``--out``.

    Raises:
        ConfigError: if the suffix of ``out`` contradicts ``report_format``.
    """
    if out is None:
        return report_format
    implied = None if out.is_dir() else _FORMATS_BY_SUFFIX.get(out.suffix.lower())
    if report_format and implied and report_format is not implied:
        name = report_format.value
        raise ConfigError(
            f"--out: expected a name ending in .{name}, or a folder, for --format {name}, found '{out}'"
        )
    return implied


def _write_folder(evaluation: "Evaluation", folder: Path) -> None:
    """Write the counts, the predictions, the figures and the page of an evaluation."""
    from claimstance.inference.writers.text import open_output
    from claimstance.training.evaluation.counts import OUTCOMES_FILE, write_outcomes
    from claimstance.training.evaluation.page.page import PAGE_FILE
    from claimstance.training.evaluation.prediction_log import (
        PREDICTION_LOG_FILE,
        write_prediction_log,
    )

    header = {key: evaluation.account[key] for key in ("date", "model", "data")}
    with open_output(folder / OUTCOMES_FILE) as file:
        write_outcomes(evaluation.outcomes, header, file)
    with open_output(folder / PREDICTION_LOG_FILE) as file:
        write_prediction_log(evaluation.prediction_log, file)
    with open_output(folder / FIGURES_FILE) as file:
        file.write(_to_json(evaluation.account))
    # The page takes longest, so it comes last.
    with open_output(folder / PAGE_FILE) as file:
        file.writelines(_page(evaluation))


def _page(evaluation: "Evaluation") -> Iterable[str]:
    """Return the pieces of the page of an evaluation."""
    from claimstance.training.evaluation.page.page import evaluation_page

    _mute_matplotlib()
    return evaluation_page(evaluation)


def _mute_matplotlib() -> None:
    """Suppress messages about matplotlib's cache of fonts, which need no attention."""
    logging.getLogger("matplotlib").setLevel(logging.ERROR)


def _to_json(values: Mapping[str, Any]) -> str:
    """Return figures as JSON for people and programs to read."""
    return json.dumps(values, indent=2, ensure_ascii=False) + "\n"
