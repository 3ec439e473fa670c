"""Writers of JSON Lines and CSV, and output files that appear only once they are complete."""

import contextlib
import csv
import errno
import json
import os
import re
import sys
import tempfile
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol, TextIO

from claimstance.inference.results import TaggedArticle
from claimstance.inference.writers.rows import MetaColumns, table_schema
from claimstance.model.errors import ClaimstanceError
from claimstance.model.labels import TASKS

_SEPARATOR = " | "  # between several values in one cell of a CSV
#: Characters that make a spreadsheet treat a cell as a formula, including their wide and small forms.
_FORMULA_SIGNS = tuple("=+-@＝＋－＠﹦﹢﹣﹫")
_NUMBER = re.compile(r"[+-]?[\d.,]*\d%?(?:[eE][+-]?\d+)?")
#: Characters before such a sign that a spreadsheet may ignore: white space and invisible marks.
_BLANK = re.compile(r"[\s\u00ad\u200b-\u200f\u2060\ufeff]*")
#: A cell to a program that expects other delimiters than commas, as spreadsheets do where the comma is
#: the decimal mark. Quotation marks within such cells quote nothing, so a line end is a delimiter, too.
_INNER_CELL = re.compile(r"(?<=[;|\t\r\n])[^;|\t\r\n]+")


@contextlib.contextmanager
def open_output(path: Path | None) -> Iterator[TextIO]:
    """Open standard output, or a file that gets its name only once it is complete.

    The target of a link is replaced, not the link. Devices and pipes are written to directly.

    Args:
        path: the file, whose folder is created if needed; ``None`` for standard output.

    Raises:
        ClaimstanceError: if the file cannot be written; if possible, before the context begins.
    """
    if path is None:
        yield sys.stdout
        return
    try:
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if path.exists() and not path.is_file():
            with path.open("w", encoding="utf-8", newline="") as file:
                yield file
            return
        # A temporary file replaces the target if no error occurs.
        target = path.resolve()
        target.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
                yield file
            # Only its owner may read a temporary file. The mask cannot be read without setting it.
            mask = os.umask(0)
            os.umask(mask)
            Path(name).chmod(0o666 & ~mask)
            Path(name).replace(target)
        finally:
            Path(name).unlink(missing_ok=True)
    except BrokenPipeError:
        raise  # the reader of a pipe has seen enough, which is no error of the file
    except OSError as error:
        raise ClaimstanceError(f"{path}: cannot be written: {error.strerror or error}") from None


def sync_folder(folder: Path) -> None:
    """Write the names in a folder to the disk, so that they survive a power cut; Windows cannot."""
    if hasattr(os, "O_DIRECTORY"):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


class Writer(Protocol):
    """Define the interface of writers of tagged articles."""

    def write(self, article: TaggedArticle) -> None:
        """Write one article."""


class JsonlWriter:
    """Write one JSON object per line."""

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def write(self, article: TaggedArticle) -> None:
        """Write one article."""
        self._file.write(json.dumps(article.to_dict(), ensure_ascii=False) + "\n")


class CsvWriter:
    """Write one row per sentence, stance or attribution, without nested values.

    ``escape_formula`` changes texts that a spreadsheet would treat as formulas.

    Args:
        file: the file.
        rows: the kind of rows, a key of ``TABLES``.
        meta: metadata that determine the columns; those of the first article by default.
        tasks: the tasks of the model; columns of other tasks are omitted.
    """

    def __init__(
        self,
        file: TextIO,
        rows: str = "sentences",
        meta: Mapping[str, Any] | None = None,
        tasks: Collection[str] = TASKS,
    ) -> None:
        self._table = table_schema(rows, tasks)
        self._csv = csv.writer(file)
        self._names = [
            column.name for column in self._table.columns if column.kind != "attributions"
        ]
        self._first_meta = meta
        self._meta_columns: MetaColumns | None = None

    def write(self, article: TaggedArticle) -> None:
        """Write the rows of one article."""
        meta_cells = self._write_header_once(article.meta).cells(article.meta)
        for row in self._table.rows(article):
            values = [row[name] for name in self._names]
            values += meta_cells.values()
            cells = []
            for value in values:
                cell = _SEPARATOR.join(value) if isinstance(value, list) else value
                if isinstance(cell, str):
                    cell = escape_formula(cell)
                cells.append(cell)
            # A program that expects semicolons reads the whole line as one cell, which is no number.
            if isinstance(cells[0], str) and cells[0].startswith(_FORMULA_SIGNS):
                cells[0] = f"'{cells[0]}"
            self._csv.writerow(cells)

    def finish(self) -> None:
        """Write the header if there was no article."""
        self._write_header_once({})

    def _write_header_once(self, meta: Mapping[str, Any]) -> MetaColumns:
        """Write the header before the first row, and return the columns for metadata."""
        if self._meta_columns is None:
            first_meta = meta if self._first_meta is None else self._first_meta
            self._meta_columns = MetaColumns(first_meta, self._table.own_meta)
            header = [*self._names]
            header += [column.name for column in self._meta_columns.columns]
            # The names of metadata come from the input, and may look like formulas as well.
            self._csv.writerow([escape_formula(name) for name in header])
        return self._meta_columns


def escape_formula(text: str) -> str:
    """Return the text of a cell with an apostrophe wherever a spreadsheet might start to read a formula.

    That is at its start, and after a semicolon, a bar, a tab or a line end, which separate cells for
    programs that expect other delimiters than commas. Numbers are unchanged.

    >>> escape_formula("=1+1"), escape_formula("He left; =1+1"), escape_formula("-5")
    ("'=1+1", "He left; '=1+1", '-5')
    """
    escaped = _INNER_CELL.sub(_escape_inner_cell, text)
    if text.startswith(("\t", "\r", "\n")) or _is_formula(text):
        return f"'{escaped}"
    return escaped


def _escape_inner_cell(match: re.Match[str]) -> str:
    """Return an inner cell with an apostrophe before its formula, after its blank characters.

    A signed number stays as it is only if every program that lets the cell begin here lets it end here, too:
    the same delimiter stands before and behind it, or a line ends behind it. Otherwise the cell runs on for
    some program.
    """
    cell, text = match[0], match.string
    unquoted = cell.replace('"', " ")
    if not _BLANK.sub("", unquoted, count=1).startswith(_FORMULA_SIGNS):
        return cell
    before, after = text[match.start() - 1], text[match.end() : match.end() + 1]
    # A tab does not delimit for sure: it is white space at the beginning of another program's cell.
    is_closed = after in ("\r", "\n", before) and before != "\t"
    # A quotation mark is doubled in the file, and a number with one is no number.
    if is_closed and '"' not in cell and not _is_formula(cell):
        return cell
    formula = _BLANK.sub("", cell, count=1)
    return f"{cell.removesuffix(formula)}'{formula}"


def _is_formula(cell: str) -> bool:
    """Return whether a cell begins like a formula and is not a number."""
    if _NUMBER.fullmatch(cell.strip()):
        return False
    return _BLANK.sub("", cell, count=1).startswith(_FORMULA_SIGNS)
