"""Writing what was tagged: JSON Lines and CSV."""

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
from claimstance.inference.writers.rows import MetaColumns, table_of
from claimstance.model.errors import ClaimstanceError
from claimstance.model.labels import TASKS

_BETWEEN = " | "  # several values in one cell of a CSV
#: What makes a spreadsheet take a cell for a formula, if the cell begins with it, in any width of type.
_SIGNS = tuple("=+-@＝＋－＠﹦﹢﹣﹫")
_NUMBER = re.compile(r"[+-]?[\d.,]*\d%?(?:[eE][+-]?\d+)?")
#: What may be cut off before such a sign: white space, and marks that are not shown.
_BLANK = re.compile(r"[\s\u00ad\u200b-\u200f\u2060\ufeff]*")
#: A cell to a program that divides lines otherwise than by commas, as spreadsheets do where the comma is decimal.
#: A quotation mark within its cells quotes nothing, so that a line end divides them, too.
_DIVIDED = re.compile(r"(?<=[;|\t\r\n])[^;|\t\r\n]+")


@contextlib.contextmanager
def open_output(path: Path | None) -> Iterator[TextIO]:
    """Standard output, or a file that appears under its name only once all of it is written.

    A link stays one, and what is no file (a device, a pipe) is written to as it is.

    Args:
        path: standard output if ``None``; its folder is made if need be.

    Raises:
        ClaimstanceError: if it cannot be written; where that can be known, before anything else is done.
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
        with _replacing(path.resolve()) as file:
            yield file
    except BrokenPipeError:
        raise
    except OSError as error:
        raise ClaimstanceError(f"{path}: cannot be written: {error.strerror or error}") from None


@contextlib.contextmanager
def _replacing(path: Path) -> Iterator[TextIO]:
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            yield file
        Path(name).chmod(0o666 & ~_umask())  # a temporary file is its owner's alone
        Path(name).replace(path)
    finally:
        Path(name).unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Have the names in a folder outlast a power cut, where the system lets one ask for that (Windows does not)."""
    if hasattr(os, "O_DIRECTORY"):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


class Writer(Protocol):
    """What tagged articles are given to, one by one."""

    def write(self, article: TaggedArticle) -> None:
        """Write one article."""


class JsonlWriter:
    """One JSON object a line."""

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def write(self, article: TaggedArticle) -> None:
        """Write one article."""
        self._file.write(json.dumps(article.to_dict(), ensure_ascii=False) + "\n")


class CsvWriter:
    """One row a sentence, a stance or an attribution (``rows``), with texts that no spreadsheet takes for formulas.

    The columns are those of ``claimstance.inference.writers.rows`` that fit a cell, and those for ``meta``; ``guarded``
    says what is done to texts.

    Args:
        file: where to.
        rows: a key of ``TABLES``.
        meta: of the article that settles the columns, if that is not the first one written.
        tasks: of the model: columns that it never fills are left out.
    """

    def __init__(
        self,
        file: TextIO,
        rows: str = "sentences",
        meta: Mapping[str, Any] | None = None,
        tasks: Collection[str] = TASKS,
    ) -> None:
        self._table = table_of(rows, tasks)
        self._csv = csv.writer(file)
        self._names = [
            column.name for column in self._table.columns if column.kind != "attributions"
        ]
        self._settled = meta
        self._meta: MetaColumns | None = None

    def write(self, article: TaggedArticle) -> None:
        """Write the rows of one article."""
        meta = self._begun(article.meta).cells(article.meta)
        for row in self._table.rows(article):
            self._csv.writerow(map(_cell, (*(row[name] for name in self._names), *meta.values())))

    def finish(self) -> None:
        """Write the header, if there was no article to do so."""
        self._begun({})

    def _begun(self, meta: Mapping[str, Any]) -> MetaColumns:
        if self._meta is None:
            settled = meta if self._settled is None else self._settled
            self._meta = MetaColumns(settled, self._table.own_meta)
            header = [*self._names, *(column.name for column in self._meta.columns)]
            self._csv.writerow(map(guarded, header))
        return self._meta


def _cell(value: Any) -> Any:
    text = _BETWEEN.join(value) if isinstance(value, list) else value
    return guarded(text) if isinstance(text, str) else text


def guarded(text: str) -> str:
    """Return the text of a cell with an apostrophe wherever a spreadsheet might begin to read a formula.

    That is at its start, and after a semicolon, a bar, a tab or a line end, which divide cells for programs that expect
    other separators than commas. Numbers stay as they are.

    >>> guarded("=1+1"), guarded("He left; =1+1"), guarded("-5")
    ("'=1+1", "He left; '=1+1", '-5')
    """
    inside = _DIVIDED.sub(lambda cell: _guarded_start(cell[0]), text)
    return "'" + inside if text.startswith(("\t", "\r", "\n")) or _is_formula(text) else inside


def _guarded_start(cell: str) -> str:
    if not _is_formula(cell.replace('"', " ")):
        return cell
    blank = _BLANK.match(cell)
    start = blank.end() if blank else 0
    return f"{cell[:start]}'{cell[start:]}"


def _is_formula(cell: str) -> bool:
    return _BLANK.sub("", cell, count=1).startswith(_SIGNS) and not _NUMBER.fullmatch(cell.strip())
