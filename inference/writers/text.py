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
#: What makes a spreadsheet take a cell for a formula, if the cell begins with it.
_FORMULA = tuple("=+-@\t\r\n＝＋－＠")
_NUMBER = re.compile(r"[+-]?[\d.,]*\d%?(?:[eE][+-]?\d+)?")


@contextlib.contextmanager
def open_output(path: Path | None, durable: bool = False) -> Iterator[TextIO]:
    """Standard output, or a file that appears under its name only once all of it is written.

    A link stays one, and what is no file (a device, a pipe) is written to as it is.

    Args:
        path: standard output if ``None``; its folder is made if need be.
        durable: have the file and its name outlast a power cut from the moment that this ends. Its folder is not made:
            if it is gone, so is what else was in it.

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
        with _replacing(path.resolve(), durable) as file:
            yield file
    except BrokenPipeError:
        raise
    except OSError as error:
        raise ClaimstanceError(f"{path}: cannot be written: {error.strerror or error}") from None


@contextlib.contextmanager
def _replacing(path: Path, durable: bool) -> Iterator[TextIO]:
    if not durable:
        path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            yield file
            if durable:
                file.flush()
                os.fsync(
                    file.fileno()
                )  # else a power cut may keep the new name and lose what it stands for
        Path(name).chmod(0o666 & ~_umask())  # a temporary file is its owner's alone
        Path(name).replace(path)
        if durable:
            sync_folder(path.parent)
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
    """One row a sentence, or a stance (``rows``), with texts that no spreadsheet takes for formulas.

    The columns are those of ``claimstance.inference.writers.rows`` that fit a cell, and those for ``meta``. A text that begins
    as a formula does has an apostrophe before it.

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
            self._meta = MetaColumns(meta if self._settled is None else self._settled)
            self._csv.writerow([*self._names, *(column.name for column in self._meta.columns)])
        return self._meta


def _cell(value: Any) -> Any:
    text = _BETWEEN.join(value) if isinstance(value, list) else value
    if isinstance(text, str) and text.startswith(_FORMULA) and not _NUMBER.fullmatch(text):
        return "'" + text
    return text
