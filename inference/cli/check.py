"""The command that checks annotated data, and the output of its findings."""

import json
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from claimstance.inference.cli.console import (
    check_exists,
    check_outside_inputs,
    print_message,
    progress,
)
from claimstance.inference.cli.data import (
    AnnotatorOption,
    CodebookOption,
    ColumnOption,
    FormatOption,
    InputsArgument,
    RoleOption,
    TargetOption,
    TaskOption,
    ValueOption,
    data_config,
    source_options,
)
from claimstance.model.errors import ConfigError, plural, printable

if TYPE_CHECKING:
    from claimstance.training.data.lint.base import Finding
    from claimstance.training.data.lint.linter import Inspection

#: Examples of each kind of finding in the table; more findings of a kind in a file share one line.
_MAX_EXAMPLES = 3
#: Locations that such a shared line lists.
_MAX_LOCATIONS = 5


def check(
    inputs: InputsArgument,
    data_format: FormatOption = None,
    task: TaskOption = None,
    target: TargetOption = None,
    column: ColumnOption = None,
    role: RoleOption = None,
    value: ValueOption = None,
    annotator: AnnotatorOption = None,
    codebook: CodebookOption = None,
    fix: Annotated[
        Path | None,
        typer.Option(
            "--fix",
            metavar="FIXED.jsonl",
            help="Write the records with all safe corrections applied; nothing is written if not given.",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            metavar="FINDINGS.jsonl",
            help="Write the findings, one per line; they are only printed if not given.",
        ),
    ] = None,
    show_all: Annotated[
        bool,
        typer.Option("--all", help="Show every finding, not only the first ones of each kind."),
    ] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit with code 1 for warnings, too.")
    ] = False,
) -> None:
    """Check annotated data and list all problems at once.

    Example: claimstance check annotations.jsonl --codebook codebook.yaml --fix fixed.jsonl
    """
    from claimstance.inference.writers.text import open_output
    from claimstance.training.data.codebook import load_codebook
    from claimstance.training.data.lint.linter import Inspection

    check_exists("CONFIG|FILE", *inputs)
    config = data_config(
        inputs, source_options(data_format, task, target, column, role, value, annotator)
    )
    files = []
    for source in config.sources:
        files += source.paths()
    read_paths = [*files, *inputs]
    if codebook is not None:
        read_paths.append(codebook)
    _check_outputs(out, fix, read_paths)
    if fix is not None and (len(files) != 1 or len(config.sources) != 1):
        raise ConfigError(
            f"--fix: expected one file to correct, found {len(files)} files in "
            f"{len(config.sources)} sources"
        )
    inspection = Inspection(config, None if codebook is None else load_codebook(codebook))
    output = nullcontext() if out is None else open_output(out)
    with progress("checking records", None, prints_results=True) as advance, output as file:
        findings = _write_findings(inspection.findings(advance), file)
        # Other programs can read lines; a table is for people.
        if sys.stdout.isatty():
            _print_table(findings, show_all)
        else:
            _print_lines(findings, show_all)
    records = plural(inspection.facts.records, "record")
    errors = plural(inspection.counts["error"], "error")
    warnings = plural(inspection.counts["warning"], "warning")
    typer.echo(f"{records}: {errors}, {warnings}")
    if fix is not None:
        _write_fixed_records(inspection, fix)
    if inspection.counts["error"] or (strict and inspection.counts["warning"]):
        raise typer.Exit(1)


def _check_outputs(out: Path | None, fix: Path | None, inputs: Sequence[Path]) -> None:
    """Raise ``ConfigError`` if an output would replace an input, or lie in a folder that is read."""
    if fix is not None and fix.suffix.lower() not in (".jsonl", ".ndjson"):
        raise ConfigError(f"--fix: expected a name ending in .jsonl, found '{fix}'")
    check_outside_inputs(out, inputs)
    check_outside_inputs(fix, inputs, option="--fix")
    if out is not None and fix is not None and out.resolve() == fix.resolve():
        raise ConfigError(f"--out: expected another file than --fix, found '{out}' for both")


def _write_findings(findings: "Iterable[Finding]", file: TextIO | None) -> "Iterator[Finding]":
    """Write each finding to the file, if there is one, and yield it."""
    for finding in findings:
        if file is not None:
            file.write(json.dumps(finding.to_json(), ensure_ascii=False) + "\n")
        yield finding


def _print_lines(findings: "Iterable[Finding]", show_all: bool) -> None:
    """Print a line for each finding; without ``show_all``, many of a kind in a file share one line."""
    if show_all:
        for finding in findings:
            typer.echo(printable(str(finding)))
        return
    counts: dict[tuple[str, str, str], int] = defaultdict(int)
    examples: dict[tuple[str, str, str], list[Finding]] = defaultdict(list)
    for finding in findings:
        kind = finding.severity, finding.code, finding.location.file
        counts[kind] += 1
        if counts[kind] <= _MAX_LOCATIONS:
            examples[kind].append(finding)
    for key, count in counts.items():
        if count > _MAX_EXAMPLES:
            lines = [_shared_line(examples[key], count)]
        else:
            lines = [str(finding) for finding in examples[key]]
        for line in lines:
            typer.echo(printable(line))


def _shared_line(examples: "Sequence[Finding]", count: int) -> str:
    """Return the line for ``count`` findings of a kind in a file: the first one, and the locations of the others."""
    locations = []
    for finding in examples[1:]:
        if finding.location.line is not None:
            locations.append(f"line {finding.location.line}")
        elif finding.location.record is not None:
            locations.append(f"record '{finding.location.record}'")
    listed = ""
    if locations:
        listed = f" in {', '.join(locations)}"
        if count > len(examples):
            listed += ", …"
    return f"{examples[0]} (and {count - 1} more{listed}; --all shows each)"


def _print_table(findings: "Iterable[Finding]", show_all: bool) -> None:
    """Print a table with the number of findings of each kind, and the first ones or all of them."""
    from rich.table import Column

    from claimstance.inference.cli.terminal import SafeConsole, SafeTable

    counts: dict[tuple[str, str], int] = defaultdict(int)
    examples: dict[tuple[str, str], list[str]] = defaultdict(list)
    for finding in findings:
        kind = finding.severity, finding.code
        counts[kind] += 1
        if show_all or counts[kind] <= _MAX_EXAMPLES:
            examples[kind].append(f"{finding.location}: {finding.message}")
    if not counts:
        return

    table = SafeTable(
        "",
        "finding",
        Column("count", justify="right"),
        Column("where and what", ratio=1),
        show_lines=True,
    )
    for key in sorted(counts, key=lambda key: (key[0], -counts[key])):  # errors first
        lines = examples[key]
        omitted = counts[key] - len(lines)
        if omitted:
            lines.append(f"… and {omitted} more (--all)")
        table.add_row(*key, str(counts[key]), "\n".join(lines))
    SafeConsole().print(table)


def _write_fixed_records(inspection: "Inspection", path: Path) -> None:
    """Write the corrected records and print the number of corrections of each kind."""
    from claimstance.inference.writers.text import open_output
    from claimstance.model.record import write_jsonl

    if not inspection.facts.records:
        print_message(f"{path}: not written, since no record could be read")
        return
    fixes = inspection.fixes()
    # The records are read a second time, so that they need not all fit in memory.
    with open_output(path) as file:
        count = write_jsonl(fixes.apply(inspection.records()), file)
    changes = "; ".join(f"{kind}: {number}" for kind, number in fixes.changed.items())
    written = plural(count, "record")
    typer.echo(f"{printable(str(path))}: {written} written; {changes or 'nothing to correct'}")
    if inspection.unread:
        findings = plural(inspection.unread, "finding")
        print_message(
            f"{path}: without the records that could not be read (see {findings} above)", "warning"
        )
