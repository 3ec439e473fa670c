"""The commands that say how good a model is; ``cli`` registers them."""

import json
import logging
from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from claimstance.inference.cli.console import must_be_model, must_exist, progress
from claimstance.model.errors import ConfigError

if TYPE_CHECKING:
    from claimstance.training.evaluation.evaluation import Evaluation

FIGURES_FILE = "evaluation.json"


class Precision(str, Enum):
    """Of the encoder of an exported model."""

    int8 = "int8"
    float32 = "float32"


class Told(str, Enum):
    """What an evaluation or a comparison is written as."""

    json = "json"
    html = "html"


ToldAs = Annotated[
    Told | None,
    typer.Option(
        "--format", "-f", help="What to write; if not given, what the name of --out ends in."
    ),
]


def evaluate(
    model: Annotated[
        str, typer.Argument(metavar="MODEL", help="Model folder, name on the hub, or 'bundled'.")
    ],
    data: Annotated[Path, typer.Option("--data", help="Folder of a built dataset.")],
    split: Annotated[
        str, typer.Option("--split", help="Which split to score on: train, dev or test.")
    ] = "test",
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            help="A page (.html), figures (.json), or a folder: both, and what `compare` reads; "
            "none is written if not given.",
        ),
    ] = None,
    told: ToldAs = None,
    precision: Annotated[
        Precision | None,
        typer.Option(help="float32: the weights through torch; as exported if not given."),
    ] = None,
) -> None:
    """Score a model on held-out data, with 95 % intervals.

    Example: claimstance evaluate runs/mine --data data --out page.html
    """
    from claimstance.inference.cli.tables import evaluated
    from claimstance.training.pipeline import examine

    name = None if model == "bundled" else model
    must_be_model("MODEL", name)
    must_exist("--data", data)
    written = _written_as(told, out)
    prints = out is None and written is not None
    with progress("reading sentences", None, prints) as advance:
        exact = precision is Precision.float32
        found = examine(name, data, split, exact, advance, baselines=True)
    if written:
        _write(
            out,
            {Told.json: lambda: [_json(found.account)], Told.html: lambda: _page(found)}[written],
        )
    elif out is not None:
        _write_folder(found, out)
    if not prints:
        evaluated(found.account)


def compare(
    run_a: Annotated[
        Path, typer.Argument(metavar="RUN_A", help="Folder that `evaluate --out` wrote.")
    ],
    run_b: Annotated[
        Path, typer.Argument(metavar="RUN_B", help="Another, of the same data and split.")
    ],
    metric: Annotated[
        list[str] | None,
        typer.Option(
            "--metric",
            help="Such as yes.f1 (several times); what training is steered by if not given.",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", help="A page (.html), or a JSON file for all of it; none if not given."
        ),
    ] = None,
    told: ToldAs = None,
) -> None:
    """Say whether one evaluation is better than another.

    By a paired bootstrap test over documents. The page shows besides where the two disagree.

    Example: claimstance compare scores/old scores/new --out comparison.html
    """
    from claimstance.inference.cli.tables import compared
    from claimstance.training.evaluation.significance import compare as compare_runs

    must_exist("RUN_A", run_a)
    must_exist("RUN_B", run_b)
    written = _written_as(told, out) or told or (Told.json if out is not None else None)
    comparison = compare_runs(run_a, run_b, metric or ())
    if written is Told.html:
        from claimstance.training.evaluation.page.comparison import comparison_page

        _hush()
        _write(out, lambda: comparison_page(comparison, run_a, run_b))
    elif written:
        _write(out, lambda: [_json(comparison)])
    if out is not None or written is None:
        compared(comparison)


def _written_as(told: Told | None, out: Path | None) -> Told | None:
    """What one file is to hold; ``None`` if ``out`` is none or a folder.

    Raises:
        ConfigError: if the name of ``out`` says another thing than ``told``.
    """
    endings = {".json": Told.json, ".html": Told.html, ".htm": Told.html}
    named = None if out is None or out.is_dir() else endings.get(out.suffix.lower())
    if told and named and told is not named:
        raise ConfigError(
            f"--out: expected a name ending in .{told.value}, or a folder, for --format {told.value}, "
            f"found '{out}'"
        )
    return told if out is None else named


def _write_folder(found: "Evaluation", folder: Path) -> None:
    """All that there is to tell of an evaluation, for people and for programs; the page last, as it takes longest."""
    from claimstance.inference.writers.text import open_output
    from claimstance.training.evaluation.cases import CASES_FILE, write_cases
    from claimstance.training.evaluation.counts import OUTCOMES_FILE, write_outcomes
    from claimstance.training.evaluation.page.page import PAGE_FILE

    with open_output(folder / OUTCOMES_FILE) as file:
        write_outcomes(
            found.outcomes, {key: found.account[key] for key in ("date", "model", "data")}, file
        )
    with open_output(folder / CASES_FILE) as file:
        write_cases(found.cases, file)
    _write(folder / FIGURES_FILE, lambda: [_json(found.account)])
    _write(folder / PAGE_FILE, lambda: _page(found))


def _page(found: "Evaluation") -> Iterable[str]:
    from claimstance.training.evaluation.page.page import evaluation_page

    _hush()
    return evaluation_page(found)


def _hush() -> None:
    """Keep what matplotlib says of its cache of fonts from standard error: that is for what needs attention."""
    logging.getLogger("matplotlib").setLevel(logging.ERROR)


def _write(out: Path | None, pieces: Callable[[], Iterable[str]]) -> None:
    """A file whose pieces are asked for once it is known that it can be written."""
    from claimstance.inference.writers.text import open_output

    with open_output(out) as file:
        file.writelines(pieces())


def _json(values: Mapping[str, Any]) -> str:
    return json.dumps(values, indent=2, ensure_ascii=False) + "\n"
