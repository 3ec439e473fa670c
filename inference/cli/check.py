"""The command that looks for faults in annotated data, and how its findings are shown."""

import json
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from claimstance.inference.cli.console import complain, must_exist, progress
from claimstance.inference.cli.data import (
    Annotator,
    Codebook,
    Column,
    DataFormat,
    Inputs,
    Role,
    Target,
    Task,
    Value,
    data_config,
    source_options,
)
from claimstance.model.errors import ConfigError, printable

if TYPE_CHECKING:
    from claimstance.training.data.lint.base import Finding, Place
    from claimstance.training.data.lint.linter import Inspection

_SHOWN = 3  # examples of each kind of finding in the table; findings of a kind in a file with a line each
_NAMED = 5  # places of a kind of finding in a file that one line for all of them names


def check(
    inputs: Inputs,
    data_format: DataFormat = None,
    task: Task = None,
    target: Target = None,
    column: Column = None,
    role: Role = None,
    value: Value = None,
    annotator: Annotator = None,
    codebook: Codebook = None,
    fix: Annotated[
        Path | None,
        typer.Option(
            "--fix",
            metavar="FIXED.jsonl",
            help="Write the records with what can safely be put right put right; none are "
            "written if not given.",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            metavar="FINDINGS.jsonl",
            help="Write the findings, one a line; they are only shown if not given.",
        ),
    ] = None,
    show_all: Annotated[
        bool, typer.Option("--all", help="Show every finding, not the first ones of each kind.")
    ] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit with 1 for warnings, too.")
    ] = False,
) -> None:
    """Find what is wrong in annotated data, all of it at once.

    Example: claimstance check annotations.jsonl --codebook codebook.yaml --fix fixed.jsonl
    """
    from claimstance.inference.writers.text import open_output
    from claimstance.training.data.codebook import load_codebook
    from claimstance.training.data.lint.linter import Inspection

    must_exist("CONFIG|FILE", *inputs)
    config = data_config(
        inputs, source_options(data_format, task, target, column, role, value, annotator)
    )
    files = [path for source in config.sources for path in source.paths()]
    _check_outputs(out, fix, [*files, *inputs, *filter(None, [codebook])])
    if fix is not None and (len(files) != 1 or len(config.sources) != 1):
        raise ConfigError(
            f"--fix: expected one file to put right, found {len(files)} files in "
            f"{len(config.sources)} sources"
        )
    inspection = Inspection(config, None if codebook is None else load_codebook(codebook))
    written = nullcontext() if out is None else open_output(out)
    with progress("checking records", None, prints=True) as advance, written as file:
        _show(_written(inspection.findings(advance), file), show_all)
    typer.echo(_summary(inspection))
    if fix is not None:
        _fix(inspection, fix)
    if inspection.counts["error"] or (strict and inspection.counts["warning"]):
        raise typer.Exit(1)


def _check_outputs(out: Path | None, fix: Path | None, inputs: Sequence[Path]) -> None:
    """Raise ``ConfigError`` if what is written would replace what is read, or be read as a part of it."""
    if fix is not None and fix.suffix.lower() not in (".jsonl", ".ndjson"):
        raise ConfigError(f"--fix: expected a name ending in .jsonl, found '{fix}'")
    for option, path in (("--out", out), ("--fix", fix)):
        if path is None:
            continue
        place = path.resolve()
        for source in inputs:
            there = source.resolve()
            same = place == there or (path.exists() and source.exists() and path.samefile(source))
            if same or (there.is_dir() and there in place.parents):
                raise ConfigError(
                    f"{option}: expected a place outside the inputs, found '{path}', which '{source}' "
                    "is or holds"
                )
    if out is not None and fix is not None and out.resolve() == fix.resolve():
        raise ConfigError(f"--out: expected another file than --fix, found '{out}' for both")


def _written(findings: "Iterable[Finding]", file: TextIO | None) -> "Iterator[Finding]":
    for finding in findings:
        if file is not None:
            file.write(json.dumps(finding.to_json(), ensure_ascii=False) + "\n")
        yield finding


def _show(findings: "Iterable[Finding]", show_all: bool) -> None:
    """Print a line for each finding, or for many of a kind in a file; on a terminal a table, a row for each kind."""
    if not sys.stdout.isatty():
        for line in _lines(findings, show_all):
            typer.echo(printable(line))
        return
    counts: dict[tuple[str, str], int] = defaultdict(int)
    examples: dict[tuple[str, str], list[str]] = defaultdict(list)
    for finding in findings:
        kind = finding.severity, finding.code
        counts[kind] += 1
        if show_all or counts[kind] <= _SHOWN:
            examples[kind].append(f"{finding.place}: {finding.message}")
    if counts:
        _table(counts, examples)


def _lines(findings: "Iterable[Finding]", show_all: bool) -> "Iterator[str]":
    """Yield a line for each finding; with more than ``_SHOWN`` of a kind in a file, one line for all of them."""
    if show_all:
        yield from map(str, findings)
        return
    kinds: dict[tuple[str, str, str], _Kind] = {}
    for finding in findings:
        kinds.setdefault((finding.severity, finding.code, finding.place.file), _Kind()).add(finding)
    for kind in kinds.values():
        yield from kind.lines()


class _Kind:
    """The findings of one kind in one file: the first ones, and how many there are."""

    def __init__(self) -> None:
        self._count = 0
        self._first: list[Finding] = []

    def add(self, finding: "Finding") -> None:
        self._count += 1
        if len(self._first) < _NAMED:
            self._first.append(finding)

    def lines(self) -> "Iterator[str]":
        if self._count <= _SHOWN:
            yield from map(str, self._first)
            return
        places = [_place_in_file(finding.place) for finding in self._first[1:]]
        named = f" in {', '.join(place for place in places if place)}" if any(places) else ""
        more = ", …" if self._count > len(self._first) and named else ""
        yield f"{self._first[0]} (and {self._count - 1} more{named}{more}; --all shows each)"


def _place_in_file(place: "Place") -> str:
    if place.line is not None:
        return f"line {place.line}"
    return f"record '{place.record}'" if place.record is not None else ""


def _table(counts: dict[tuple[str, str], int], examples: dict[tuple[str, str], list[str]]) -> None:
    from rich.table import Column

    from claimstance.inference.cli.terminal import Console, Table

    table = Table(
        "",
        "finding",
        Column("count", justify="right"),
        Column("where and what", ratio=1),
        show_lines=True,
    )
    for kind in sorted(counts, key=lambda kind: (kind[0], -counts[kind])):  # errors first
        more = counts[kind] - len(examples[kind])
        shown = examples[kind] + [f"… and {more} more (--all)"] * bool(more)
        table.add_row(*kind, str(counts[kind]), "\n".join(shown))
    Console().print(table)


def _summary(inspection: "Inspection") -> str:
    counts = [_count(inspection.counts[severity], severity) for severity in ("error", "warning")]
    return f"{_count(inspection.facts.records, 'record')}: {', '.join(counts)}"


def _count(number: int, name: str) -> str:
    return f"{number} {name}{'s' * (number != 1)}"


def _fix(inspection: "Inspection", path: Path) -> None:
    """Write what can be put right put right, and say what that was."""
    from claimstance.inference.writers.text import open_output
    from claimstance.model.record import write_jsonl

    if not inspection.facts.records:
        complain(f"{path}: not written, since no record could be read")
        return
    fixes = inspection.fixes()
    with open_output(path) as file:
        count = write_jsonl(fixes.apply(inspection.records()), file)
    changes = "; ".join(f"{kind}: {number}" for kind, number in fixes.changed.items())
    typer.echo(
        f"{printable(str(path))}: {_count(count, 'record')} written; {changes or 'nothing to put right'}"
    )
    if inspection.unread:
        complain(
            f"{path}: what could not be read is not in it: see {_count(inspection.unread, 'finding')} above",
            "warning",
        )
