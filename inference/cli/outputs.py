"""Output options of ``claimstance tag``: checks before any work is done, and the writers they select."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from claimstance.inference.cli.console import check_outside_inputs
from claimstance.inference.writers.formats import (
    FORMATS_IN_PARTS,
    TABLE_FORMATS,
    OutputFormat,
    RowKind,
    open_rows,
)
from claimstance.model.errors import ConfigError

if TYPE_CHECKING:
    from claimstance.inference.tagger import Tagger
    from claimstance.inference.writers.text import Writer

_FORMATS_BY_SUFFIX = {
    ".csv": OutputFormat.csv,
    ".html": OutputFormat.html,
    ".htm": OutputFormat.html,
    ".parquet": OutputFormat.parquet,
}


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


def is_parts_folder(output_format: OutputFormat, out: Path | None) -> bool:
    """Return whether ``out`` is a folder for parts: an existing folder, or a new name without a suffix."""
    if out is None or output_format not in FORMATS_IN_PARTS:
        return False
    return out.is_dir() or not (out.suffix or out.exists())


def check_parts_folder(
    out: Path | None,
    inputs: Sequence[str],
    suffixes: Sequence[str],
    has_folder_options: bool,
) -> None:
    """Raise ``ConfigError`` if a run into a folder could not be resumed, or would read its own parts.

    Args:
        out: the folder; ``None`` for other outputs.
        inputs: the inputs of the run.
        suffixes: suffixes of files that are read as articles.
        has_folder_options: whether an option was set that needs a folder.
    """
    from claimstance.inference.articles.sources import STANDARD_INPUT, is_address

    if out is None:
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
                f"be read twice, found the folder '{out}'"
            )
    check_outside_inputs(out / "part-00000.jsonl", inputs, suffixes)


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


@contextmanager
def open_writer(
    output_format: OutputFormat, row_kind: RowKind, out: Path | None, tagger: "Tagger"
) -> Iterator["Writer"]:
    """Open a writer of one file, of a folder of pages or of Label Studio tasks."""
    # Each format imports only the modules it needs, so that the program starts fast.
    if output_format is OutputFormat.html:
        from claimstance.inference.pages.folder import open_pages

        with open_pages(out) as pages:
            yield pages
    elif output_format is OutputFormat.labelstudio:
        from claimstance.inference.writers.label_studio import open_tasks

        with open_tasks(out, tagger.tasks, tagger.labels) as tasks:
            yield tasks
    else:
        with open_rows(output_format, row_kind, out, tasks=tagger.tasks) as writer:
            yield writer
