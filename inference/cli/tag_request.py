"""The request of ``claimstance tag``, and the checks of its options before any work is done."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from claimstance.inference.cli.console import check_outside_inputs
from claimstance.inference.cli.report import check_page
from claimstance.inference.writers.formats import (
    FORMATS_IN_PARTS,
    TABLE_FORMATS,
    OutputFormat,
    RowKind,
)
from claimstance.model.errors import ConfigError

if TYPE_CHECKING:
    from claimstance.inference.articles.sources import Columns

_FORMATS_BY_SUFFIX = {
    ".csv": OutputFormat.csv,
    ".html": OutputFormat.html,
    ".htm": OutputFormat.html,
    ".parquet": OutputFormat.parquet,
}


class Engine(str, Enum):
    """Name the engines that tag a long run."""

    local = "local"
    ray = "ray"


@dataclass(frozen=True)
class RayOptions:
    """Configure the workers on Ray.

    Attributes:
        workers: their number; ``None`` for as many as fit.
        address: the address of a cluster; ``None`` to start one on this machine.
    """

    workers: int | None
    address: str | None


@dataclass(frozen=True)
class TagRequest:
    """Represent the articles to tag, the targets and the output.

    Attributes:
        inputs: files, folders, addresses or ``-``.
        columns: the columns of a corpus that are read.
        allow_network: whether addresses may be fetched.
        targets: the names and topics on which stances are predicted.
        neutral: whether to list the stances that take no side, too.
        min_confidence: the probability below which stances abstain; ``None`` for the model's limits.
        output_format: the format.
        row_kind: the kind of rows of a table.
        article_count: the number of articles; ``None`` if unknown.
        show: whether to print a table of each article.
    """

    inputs: list[str]
    columns: "Columns"
    allow_network: bool
    targets: list[str]
    neutral: bool
    min_confidence: float | None
    output_format: OutputFormat
    row_kind: RowKind
    article_count: int | None
    show: bool


def choose_format(
    output_format: OutputFormat | None, row_kind: RowKind | None, out: Path | None
) -> OutputFormat:
    """Return the format of ``--format``, or else the one that the suffix of ``out`` implies.

    Raises:
        ConfigError: if the options contradict each other.
    """
    suffix = out.suffix.lower() if out else ""
    # Without this check, JSON would be written under the name of a spreadsheet.
    if output_format is None and suffix == ".xlsx":
        raise ConfigError(
            f"--out: expected a name ending in .jsonl, .csv, .parquet or .html, found '{suffix}'"
        )
    chosen = output_format or _FORMATS_BY_SUFFIX.get(suffix, OutputFormat.jsonl)
    if row_kind and chosen not in TABLE_FORMATS:
        raise ConfigError(f"--rows: expected --format csv or parquet, found {chosen.value}")
    if chosen is OutputFormat.parquet and out is None and sys.stdout.isatty():
        raise ConfigError("--out: expected a file for --format parquet, found a terminal")
    if chosen is OutputFormat.labelstudio and out and suffix != ".json":
        raise ConfigError(
            f"--out: expected a name ending in .json for --format labelstudio, found '{out}'"
        )
    return chosen


def parts_folder_of(output_format: OutputFormat, out: Path | None) -> Path | None:
    """Return ``out`` if it is a folder for parts: an existing folder, or a new name without a suffix."""
    if out is None or output_format not in FORMATS_IN_PARTS:
        return None
    is_new_folder = not out.suffix and not out.exists()
    return out if out.is_dir() or is_new_folder else None


def check_parts_folder(
    folder: Path | None, inputs: Sequence[str], has_folder_options: bool
) -> None:
    """Raise ``ConfigError`` if a run into a folder could not be resumed, or would read its own parts.

    Args:
        folder: the folder; ``None`` for other outputs.
        inputs: the inputs of the run.
        has_folder_options: whether an option was set that needs a folder.
    """
    from claimstance.inference.articles.sources import STANDARD_INPUT, SUFFIXES, is_address

    if folder is None:
        if has_folder_options:
            raise ConfigError(
                "--restart, --articles-per-part: expected --out FOLDER, and --format jsonl, csv or parquet"
            )
        return
    # A resumed run reads its inputs again from the beginning.
    for name in inputs:
        if name == STANDARD_INPUT or is_address(name):
            raise ConfigError(
                f"--out: expected a name ending in .jsonl, .csv or .parquet for '{name}', which cannot "
                f"be read twice, found the folder '{folder}'"
            )
    # A part is checked in place of the folder, since only files with a suffix become inputs.
    check_outside_inputs(folder / "part-00000.jsonl", inputs, SUFFIXES)


def check_page_output(out: Path | None, articles: int | None, inputs: Sequence[str]) -> None:
    """Raise ``ConfigError`` for several articles in one page, or pages that would become inputs.

    Args:
        out: the page or folder; ``None`` for standard output.
        articles: the number of articles; ``None`` if unknown.
        inputs: the inputs of the run.
    """
    from claimstance.inference.pages.folder import INDEX_FILE, PAGE_SUFFIXES, is_page

    if is_page(out) and (articles or 1) > 1:
        output = f"'{out}'" if out else "none"
        raise ConfigError(
            f"--out: expected the name of a folder for the pages of {articles} articles, found {output}"
        )
    if out and out.suffix.lower() in (".jsonl", ".csv", ".txt", ".parquet"):
        raise ConfigError(
            f"--out: expected a folder, or a name ending in .html, for --format html, found '{out}'"
        )
    page = out if out is None or is_page(out) else out / INDEX_FILE
    check_outside_inputs(page, inputs, PAGE_SUFFIXES)


def check_report_output(
    report: Path, output_format: OutputFormat, rows: RowKind | None, out: Path | None
) -> None:
    """Raise ``ConfigError`` if a report cannot be made of the results; ``rows`` is ``None`` if not given."""
    check_page("--report", report)
    if out is None:
        results = "no --out"
    elif output_format not in (OutputFormat.jsonl, OutputFormat.parquet):
        results = f"--format {output_format.value}"
    elif rows not in (None, RowKind.sentences):
        results = f"Parquet with rows of {rows.value}"
    elif not out.is_dir() and not _has_suffix_of(output_format, out):
        # The report reads the results by their suffix.
        results = f"{output_format.value} in '{out}'"
    else:
        return
    raise ConfigError(
        f"--report: expected --out in JSON Lines, or in Parquet with --rows sentences, found {results}"
    )


def _has_suffix_of(output_format: OutputFormat, out: Path) -> bool:
    """Return whether the results in a file are read in the format in which they are written."""
    suffix = out.suffix.lower()
    if output_format is OutputFormat.parquet:
        return suffix in ("", ".parquet")  # a folder of parts has no suffix
    return suffix not in (".parquet", ".csv", ".tsv")


def choose_ray_options(
    engine: Engine, workers: int | None, address: str | None, parts_folder: Path | None
) -> RayOptions | None:
    """Return the options of Ray; ``None`` for the local engine.

    Raises:
        ConfigError: if the options contradict each other.
    """
    if engine is Engine.local:
        if workers is not None:
            raise ConfigError("--workers: expected --engine ray, found local")
        if address is not None:
            raise ConfigError("--ray-address: expected --engine ray, found local")
        return None
    if parts_folder is None:
        raise ConfigError(
            "--engine: ray writes parts: expected --out FOLDER (a name without a suffix)"
        )
    return RayOptions(workers, address)
