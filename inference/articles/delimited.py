"""CSV and TSV, a row in memory at a time."""

import csv
import re
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import islice
from pathlib import Path

from claimstance.inference.articles.article import MOST_TEXT, Article, Columns
from claimstance.inference.articles.corpus import TEXT_NAMES, article_of, check_names, choose, usual
from claimstance.model.errors import InputError
from claimstance.model.io.delimiters import (
    encoding_hint,
    find_dialect,
)
from claimstance.model.io.text_lines import BadLineError, checked_lines


def read(
    path: Path, doc_id: str, columns: Columns, delimiter: str
) -> Iterator[Article | InputError]:
    """The articles of a file with a header; see ``ReadCorpus``. Rows without an id are numbered from 1.

    Where ``delimiter`` does not part a column with the text from others, but comma, semicolon, tab or bar does, that is
    the delimiter. Quotation marks of a file with tabs stay where they do not quote cells; see ``is_unquoted``.

    Raises:
        InputError: if it has no header with a column for the text.
    """
    rows = _Rows(path, columns, delimiter)
    header = next(rows, None)
    if header is None:
        raise InputError(f"{path}: expected a header and at least one row, found an empty file")
    if isinstance(header, InputError):
        raise InputError(f"{header}{encoding_hint(path)}")
    names = [name.strip() for name in header]
    check_names(names, str(path))
    chosen = choose(names, columns, str(path), str(path))
    number = 0
    for number, row in enumerate(rows, 1):
        try:
            if isinstance(row, InputError):
                raise row
            if len(row) != len(names):
                raise InputError(f"{rows.where}: expected {len(names)} columns, found {len(row)}")
            values = {name: value for name, value in zip(names, row, strict=True) if name}
            yield article_of(values, chosen, f"{doc_id}:{number}", rows.where)
        except InputError as error:  # costs this row alone
            yield error
    if not number:
        raise InputError(f"{path}: expected a header and at least one row, found a header")


class _Rows:
    """The rows of a file that are not empty, and an error in place of each bad one.

    Attributes:
        where: the file and the lines of the row that came last.
    """

    def __init__(self, path: Path, columns: Columns, delimiter: str) -> None:
        self._path = path
        self._taken = 0
        self._problem: InputError | None = None
        self.where = str(path)
        dialect = find_dialect(
            partial(_good_lines, path), delimiter, partial(_has_text, columns=columns)
        )
        self._line = dialect.skipped
        self._others = re.compile(f'[^"{re.escape(dialect.delimiter)}]+')
        # A map goes on after an error, as a generator would not.
        lines = map(self._text, islice(checked_lines(path, MOST_TEXT), dialect.skipped, None))
        self._csv = csv.reader(
            lines, delimiter=dialect.delimiter, quoting=dialect.quoting, strict=True
        )

    def _text(self, line: str | BadLineError) -> str:
        """A line for the parser; of one that is no text, and of rows that are too long, what tells where a row ends."""
        self._line += 1
        if isinstance(line, BadLineError):
            self._problem = self._problem or line
            line = line.raw.decode("latin-1")
        self._taken += len(line)
        if self._taken > 10 * MOST_TEXT:
            raise csv.Error
        if self._problem or self._taken > MOST_TEXT:
            line = self._others.sub("", line)
        return line + "\n"

    def __iter__(self) -> "_Rows":
        return self

    def __next__(self) -> list[str] | InputError:
        while True:
            begun = self._line + 1
            self._taken, self._problem = 0, None
            row = self._read()
            self.where = f"{self._path}, line {begun}" + (
                f" to {self._line}" if self._line > begun else ""
            )
            if self._problem:
                return self._problem
            if self._taken > MOST_TEXT:
                return InputError(
                    f"{self.where}: expected a row of at most {MOST_TEXT:,} characters, found a longer one"
                )
            if isinstance(row, csv.Error):
                return InputError(
                    f"{self.where}: expected fields in plain double quotes or none, of at most "
                    f"{MOST_TEXT:,} characters, found others ({row})"
                )
            if any(cell.strip() for cell in row):
                return row

    def _read(self) -> list[str] | csv.Error:
        before = csv.field_size_limit(MOST_TEXT)  # one for the whole process: others keep theirs
        try:
            return next(self._csv)
        except csv.Error as error:
            return error
        finally:
            csv.field_size_limit(before)


def _has_text(names: Sequence[str], columns: Columns) -> bool:
    return columns.text in names if columns.text else usual(names, TEXT_NAMES) is not None


def _good_lines(path: Path) -> Iterator[str]:
    """Yield the lines of a file; one that is no text is empty, for which reading the rows gives the error."""
    for line in checked_lines(path, MOST_TEXT):
        yield line if isinstance(line, str) else ""
