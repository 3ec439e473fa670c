"""The commands that report on a corpus of tagged articles, and that draw a sample of it to code by hand."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from claimstance.inference.cli.console import (
    check_exists,
    check_outside_inputs,
    print_message,
    progress,
)
from claimstance.inference.corpus.sampling.units import UnitKind
from claimstance.model.errors import ConfigError, plural, printable

if TYPE_CHECKING:
    from claimstance.inference.corpus.store import Store

_RESULT_SUFFIXES = (".jsonl", ".ndjson")
_SAMPLE_SUFFIXES = (".csv", ".json")


@dataclass(frozen=True)
class ReportRequest:
    """Represent the files of a report.

    Attributes:
        results: results of ``tag``: JSON Lines or Parquet files and folders of them.
        out: the page to write.
        names: a table of names across articles.
        write_names: the table of names to write.
        labelled: a sample with labels by hand.
        pages: the folder with the pages of the articles.
        details: the file of all statements and stances to write.
    """

    results: Sequence[Path]
    out: Path
    names: Path | None = None
    write_names: Path | None = None
    labelled: Path | None = None
    pages: Path | None = None
    details: Path | None = None


def report(
    results: Annotated[
        list[Path],
        typer.Argument(
            metavar="RESULTS",
            help="Results of tag: JSON Lines or Parquet files, or folders of them.",
        ),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="Page to write (.html).")],
    names: Annotated[
        Path | None,
        typer.Option(
            "--names",
            help="Table (.csv) that maps each name to a merged name, as --write-names writes it; names are merged by "
            "rules if not given.",
        ),
    ] = None,
    write_names: Annotated[
        Path | None,
        typer.Option(
            "--write-names",
            help="Table (.csv) of names to write, which you can edit and pass to --names; "
            "none if not given.",
        ),
    ] = None,
    labelled: Annotated[
        Path | None,
        typer.Option(
            "--labelled",
            help="Coded sample that corrects the shares (claimstance sample draws it); none if not given.",
        ),
    ] = None,
    pages: Annotated[
        Path | None,
        typer.Option(
            "--pages",
            help="Folder with the pages of these articles (tag --format html), to which sentences link; if "
            "not given, they link to the URLs of the articles.",
        ),
    ] = None,
    details: Annotated[
        Path | None,
        typer.Option(
            "--details",
            help="File (.jsonl) of all statements and stances to write; none if not given.",
        ),
    ] = None,
) -> None:
    """Report on tagged articles: who speaks, and who stands where.

    Example: claimstance report tagged.jsonl --out report.html

    With names merged by hand: claimstance report tagged.jsonl --names names.csv --out report.html
    """
    request = ReportRequest(results, out, names, write_names, labelled, pages, details)
    check_report(request)
    typer.echo(printable(write_report(request)))


def check_report(request: ReportRequest) -> None:
    """Raise ``ConfigError`` for files that do not exist, or that a report would replace."""
    check_exists("RESULTS", *request.results)
    check_exists("--names", request.names)
    check_exists("--labelled", request.labelled)
    check_exists("--pages", request.pages)
    if request.pages is not None and not request.pages.is_dir():
        raise ConfigError(f"--pages: expected a folder, found the file '{request.pages}'")
    check_page("--out", request.out)
    for option, path, suffixes in (
        ("--details", request.details, _RESULT_SUFFIXES),
        ("--write-names", request.write_names, (".csv",)),
    ):
        if path is not None and path.suffix.lower() not in suffixes:
            raise ConfigError(f"{option}: expected a name ending in {suffixes[0]}, found '{path}'")
    check_outside_inputs(request.details, request.results, _RESULT_SUFFIXES, "--details")


def check_page(option: str, path: Path) -> None:
    """Raise ``ConfigError`` unless a path, the value of ``option``, can be a page."""
    from claimstance.inference.pages.folder import PAGE_SUFFIXES

    if path.suffix.lower() not in PAGE_SUFFIXES:
        raise ConfigError(f"{option}: expected a name ending in .html, found '{path}'")


def write_report(request: ReportRequest) -> str:
    """Write the files of a report; return one line about it."""
    from claimstance.inference.corpus.corrections import corrections
    from claimstance.inference.corpus.differences import differences
    from claimstance.inference.corpus.results_reader import results_size
    from claimstance.inference.corpus.sampling.population import read_population
    from claimstance.inference.corpus.sampling.sheets import read_labelled
    from claimstance.inference.corpus.store import Store
    from claimstance.inference.corpus.summary import summarize
    from claimstance.inference.pages.excerpts import excerpts
    from claimstance.inference.pages.folder import link_pages
    from claimstance.inference.pages.known_errors import known_errors
    from claimstance.inference.pages.report import ReportInput, render_report
    from claimstance.inference.writers.text import open_output

    size = results_size(request.results)
    population = None
    if request.labelled is not None:
        sample = read_labelled(request.labelled)
        with progress("reading bytes for the sample", size) as advance:
            population = read_population(request.results, sample, advance)

    with progress("reading bytes", size) as advance:
        store = Store.build(request.results, request.names, advance)
    with store, progress("writing the report", 4) as advance:
        for warning in store.warnings:
            print_message(warning, "warning")
        if request.pages is not None:
            linked = link_pages(store.connection, request.pages, request.out.resolve().parent)
            if not linked:
                print_message(f"--pages: no page of these articles in '{request.pages}'", "warning")
        _write_tables(store, request)
        advance(1)

        summary = summarize(store.connection)
        advance(1)
        sources = [row.person for row in summary.sources]
        shown_excerpts = excerpts(store.connection, summary.people(), sources, summary.labels)
        advance(1)
        corrected = None
        if population is not None:
            corrected = corrections(store.connection, summary, population)
        page = ReportInput(
            summary,
            shown_excerpts,
            differences(store.connection, summary),
            known_errors(store.models),
            store.models,
            store.warnings,
            corrected,
        )
        with open_output(request.out) as file:
            file.writelines(render_report(page))
        advance(1)

    overview = summary.overview
    counts = (
        plural(overview.articles, "article"),
        plural(overview.statements, "statement"),
        plural(sum(overview.sides.values()), "stance"),
    )
    return f"{request.out}: {', '.join(counts)}"


def _write_tables(store: "Store", request: ReportRequest) -> None:
    """Write the files beside the page."""
    from claimstance.inference.corpus.names import write_names
    from claimstance.inference.pages.excerpts import details
    from claimstance.inference.writers.text import open_output

    if request.write_names is not None:
        write_names(store, request.write_names)
    if request.details is not None:
        with open_output(request.details) as file:
            for row in details(store.connection):
                file.write(json.dumps(row, ensure_ascii=False) + "\n")


def sample(
    results: Annotated[
        list[Path],
        typer.Argument(
            metavar="RESULTS",
            help="Results of tag: JSON Lines or Parquet files, or folders of them.",
        ),
    ],
    size: Annotated[int, typer.Option("--size", "-n", min=1, help="Number of rows to code.")] = 200,
    rows: Annotated[
        UnitKind,
        typer.Option(
            "--rows",
            help="Kind of rows: stances that count (which side is it?), or sentences (a claim or not?).",
        ),
    ] = UnitKind.stances,
    by: Annotated[
        str,
        typer.Option(
            "--by",
            help="What the sample is stratified by: outlet, label (the model's) or target, separated by commas; "
            "'' for a simple random sample.",
        ),
    ] = "label",
    seed: Annotated[
        int,
        typer.Option(
            "--seed",
            help="Random seed of the draw; a larger sample with the same seed contains the smaller one.",
        ),
    ] = 13,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            help="Output file: a spreadsheet (.csv), or tasks for Label Studio (.json, with a labelling configuration "
            "beside it); CSV to standard output if not given. An existing file is not replaced.",
        ),
    ] = None,
) -> None:
    """Draw a random sample of answers to code by hand.

    The coded sample corrects the shares of a report.

    Example: claimstance sample tagged.jsonl -n 200 --by outlet,label --out sample.csv
    """
    from claimstance.inference.corpus.results_reader import results_size
    from claimstance.inference.corpus.sampling.drawing import draw_sample
    from claimstance.inference.corpus.sampling.sheets import TASKS_SUFFIX, write_sample

    check_exists("RESULTS", *results)
    if out is not None:
        suffix = out.suffix.lower()
        if suffix not in _SAMPLE_SUFFIXES:
            raise ConfigError(f"--out: expected a name ending in .csv or .json, found '{out}'")
        files = [out]
        if suffix == TASKS_SUFFIX:
            files.append(out.with_suffix(".xml"))
        for file in files:
            if file.exists():
                raise ConfigError(
                    f"--out: expected a new file, found '{file}', which may be coded or in use"
                )

    keys = [key.strip() for key in by.split(",") if key.strip()]
    with progress("reading results", results_size(results), out is None) as advance:
        drawn = draw_sample(results, rows, size, keys, seed, advance)
    write_sample(drawn, out)
    if out is None:
        return

    strata = "1 stratum" if len(drawn.strata) == 1 else f"{len(drawn.strata):,} strata"
    summary = f"{len(drawn.rows):,} of {drawn.units:,} {rows.value}, in {strata}"
    typer.echo(printable(f"{out}: {summary}"))
    if out.suffix.lower() == TASKS_SUFFIX:
        config = out.with_suffix(".xml")
        typer.echo(printable(f"{config}: the labelling configuration for Label Studio"))
