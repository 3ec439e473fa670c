"""What `tag` writes, and where to: told from the command line's options, and checked before any work is done."""

import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from claimstance.inference.cli.console import must_not_read
from claimstance.model.errors import ConfigError
from claimstance.model.labels import TASKS

if TYPE_CHECKING:
    from claimstance.inference.tagger import Tagger
    from claimstance.inference.writers.text import Writer


class Format(str, Enum):
    """What `tag` writes."""

    jsonl = "jsonl"
    csv = "csv"
    html = "html"
    labelstudio = "labelstudio"
    parquet = "parquet"


#: The formats whose results a folder holds in parts, so that a run into it can be gone on with.
IN_PARTS = (Format.jsonl, Format.csv, Format.parquet)


class Rows(str, Enum):
    """What a row of CSV or Parquet is."""

    sentences = "sentences"
    stances = "stances"
    attributions = "attributions"


def choose_format(given: Format | None, rows: Rows | None, out: Path | None) -> Format:
    """What to write, by what was given or else by the name of ``out``.

    Raises:
        ConfigError: if these do not fit.
    """
    ending = out.suffix.lower().removeprefix(".") if out else ""
    if given is None and ending == "xlsx":
        raise ConfigError(
            f"--out: expected a name ending in .jsonl, .csv, .parquet or .html, found '.{ending}'"
        )
    named = {"csv": Format.csv, "html": Format.html, "htm": Format.html, "parquet": Format.parquet}
    chosen = given or named.get(ending, Format.jsonl)
    if rows and chosen not in (Format.csv, Format.parquet):
        raise ConfigError("--rows: expected --format csv or parquet beside it, which have rows")
    if chosen is Format.parquet and out is None and sys.stdout.isatty():
        raise ConfigError("--out: expected a file for --format parquet, found a terminal")
    if chosen is Format.labelstudio and out and ending != "json":
        raise ConfigError(
            f"--out: expected a name ending in .json for --format labelstudio, found '{out}'"
        )
    return chosen


def is_in_parts(chosen: Format, out: Path | None) -> bool:
    """Whether ``out`` is a folder for parts: one that is there, or a name without a suffix that nothing has yet."""
    return (
        chosen in IN_PARTS
        and out is not None
        and (out.is_dir() or not (out.suffix or out.exists()))
    )


def check_parts(
    out: Path | None, inputs: Sequence[str], suffixes: Sequence[str], asked: bool
) -> None:
    """Raise ``ConfigError`` if a run into the folder ``out`` could not be gone on with, or would read its own parts;
    and without a folder (``None``) if what only a folder has was ``asked`` for.
    """
    from claimstance.inference.articles.sources import STANDARD_INPUT, is_address

    if out is None:
        if asked:
            raise ConfigError(
                "--restart, --articles-per-part: expected --out FOLDER beside them, and --format jsonl, "
                "csv or parquet"
            )
        return
    for name in inputs:
        if name == STANDARD_INPUT or is_address(name):
            raise ConfigError(
                f"--out: expected a name ending in .jsonl, .csv or .parquet for '{name}', which cannot "
                f"be read twice, found the folder '{out}'"
            )
    must_not_read(out / "part-00000.jsonl", inputs, suffixes)


def check_pages(out: Path | None, articles: int | None, inputs: Sequence[str]) -> None:
    """Raise ``ConfigError`` for what cannot be, before any work is done: several articles in one page, pages of ``out``
    that are or become an input. ``articles``: how many there are to read; ``None`` if that is not known.
    """
    from claimstance.inference.pages.folder import INDEX_FILE, PAGE_SUFFIXES, is_page

    if is_page(out) and (articles or 1) > 1:
        raise ConfigError(
            f"--out: expected the name of a folder for the pages of {articles} articles, found "
            + (f"'{out}'" if out else "none")
        )
    if out and out.suffix.lower() in (".jsonl", ".csv", ".txt", ".parquet"):
        raise ConfigError(
            f"--out: expected a folder, or a name ending in .html, for --format html, found '{out}'"
        )
    must_not_read(out if out is None or is_page(out) else out / INDEX_FILE, inputs, PAGE_SUFFIXES)


@contextmanager
def open_writer(
    chosen: Format, rows: Rows, out: Path | None, tagger: "Tagger"
) -> Iterator["Writer"]:
    """A writer of what was chosen: of one file, of a folder of pages (``open_pages``), of tasks (``open_tasks``)."""
    if chosen is Format.html:
        from claimstance.inference.pages.folder import open_pages

        with open_pages(out) as pages:
            yield pages
    elif chosen is Format.labelstudio:
        from claimstance.inference.writers.label_studio import open_tasks

        with open_tasks(out, tagger.tasks, tagger.labels) as tasks:
            yield tasks
    else:
        with open_rows(chosen, rows, out, tasks=tagger.tasks) as writer:
            yield writer


@contextmanager
def open_rows(
    chosen: Format, rows: Rows, out: Path | None, tasks: Collection[str] = TASKS
) -> Iterator["Writer"]:
    """A writer of one file, standard output if ``None``, in a format of ``IN_PARTS``."""
    from claimstance.inference.writers.text import open_output

    with open_output(out) as file, rows_writer(chosen, rows, file, tasks=tasks) as writer:
        yield writer


@contextmanager
def rows_writer(
    chosen: Format,
    rows: Rows,
    file: TextIO,
    meta: Mapping[str, Any] | None = None,
    tasks: Collection[str] = TASKS,
) -> Iterator["Writer"]:
    """A writer to an open file in a format of ``IN_PARTS``.

    Args:
        chosen: the format.
        rows: what a row is, where there are rows.
        file: where to.
        meta: of the article that settles the columns, if that is not the first one written.
        tasks: of the model: columns that it never fills are left out.
    """
    from claimstance.inference.writers.parquet import open_parquet
    from claimstance.inference.writers.text import CsvWriter, JsonlWriter

    if chosen is Format.parquet:
        with open_parquet(file.buffer, rows.value, meta, tasks) as writer:
            yield writer
    elif chosen is Format.csv:
        table = CsvWriter(file, rows.value, meta, tasks)
        yield table
        table.finish()
    else:
        yield JsonlWriter(file)
