"""CSV and TSV, with one row in memory at a time."""

import csv
import re
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from claimstance.inference.articles.article import MAX_TEXT, Article, Columns
from claimstance.inference.articles.corpus import (
    TEXT_NAMES,
    article_from_row,
    check_unique,
    choose_columns,
    usual_column,
)
from claimstance.model.errors import InputError
from claimstance.model.io.delimiters import encoding_hint, find_dialect
from claimstance.model.io.text_lines import BadLineError, checked_lines


def read(
    path: Path, doc_id: str, columns: Columns, delimiter: str
) -> Iterator[Article | InputError]:
    """Yield the articles of a file with a header; see ``ReadCorpus``. Rows without an id are numbered from 1.

    If ``delimiter`` does not yield a column with the text, but comma, semicolon, tab or bar does, that one is used.
    Quotation marks of a file with tabs are kept where they do not quote cells; see ``is_unquoted``.

    Raises:
        InputError: if the file has no header with a column for the text.
    """
    rows = _DelimitedRows(path, columns, delimiter)
    header = next(rows, None)
    if header is None:
        raise InputError(f"{path}: expected a header and at least one row, found an empty file")
    if isinstance(header, InputError):
        raise InputError(f"{header}{encoding_hint(path)}")

    names = [name.strip() for name in header]
    check_unique(names, str(path))
    chosen = choose_columns(names, columns, str(path), str(path))
    number = 0
    for number, row in enumerate(rows, 1):
        try:
            if isinstance(row, InputError):
                raise row
            if len(row) != len(names):
                raise InputError(f"{rows.where}: expected {len(names)} columns, found {len(row)}")
            values = dict(zip(names, row, strict=True))
            values.pop("", None)  # a column without a name cannot become an item of ``meta``
            yield article_from_row(values, chosen, f"{doc_id}:{number}", rows.where)
        except InputError as error:  # costs this row alone
            yield error
    if number == 0:
        raise InputError(f"{path}: expected a header and at least one row, found a header")


class _DelimitedRows:
    """Iterate over the rows of a file that are not empty, with an error in place of each bad one.

    The parser of the module ``csv`` asks for lines one by one. ``_pass_line`` hands them over, and notes what is wrong
    with the row that they belong to.

    Attributes:
        where: the file and the lines of the row that came last.
    """

    def __init__(self, path: Path, columns: Columns, delimiter: str) -> None:
        """Open the file and find its dialect."""

        def good_lines() -> Iterator[str]:
            # An empty line stands for a bad one here, since reading the rows reports it.
            for line in checked_lines(path, MAX_TEXT):
                yield line if isinstance(line, str) else ""

        def has_text_column(names: Sequence[str]) -> bool:
            if columns.text:
                return columns.text in names
            return usual_column(names, TEXT_NAMES) is not None

        self._path = path
        self._characters = 0  # of the row so far
        self._problem: InputError | None = None  # of the row so far
        self.where = str(path)
        dialect = find_dialect(good_lines, delimiter, has_text_column)
        self._line_number = dialect.skipped
        self._cell_text = re.compile(f'[^"{re.escape(dialect.delimiter)}]+')
        # A map goes on after an error, as a generator would not.
        lines = map(self._pass_line, islice(checked_lines(path, MAX_TEXT), dialect.skipped, None))
        self._csv = csv.reader(
            lines, delimiter=dialect.delimiter, quoting=dialect.quoting, strict=True
        )

    def _pass_line(self, line: str | BadLineError) -> str:
        """Return a line for the parser; of a row that is bad or too long, only what shows where it ends."""
        self._line_number += 1
        if isinstance(line, BadLineError):
            self._problem = self._problem or line  # the first bad line of a row is reported
            line = line.raw.decode("latin-1")  # never fails, and keeps quotes and delimiters
        self._characters += len(line)
        if self._characters > 10 * MAX_TEXT:
            raise csv.Error  # a quote that nothing closes would swallow the rest of the file
        if self._problem or self._characters > MAX_TEXT:
            line = self._cell_text.sub("", line)
        return line + "\n"

    def __iter__(self) -> "_DelimitedRows":
        """Return itself."""
        return self

    def __next__(self) -> list[str] | InputError:
        """Return the next row that has a cell with text, or its error."""
        while True:
            first_line = self._line_number + 1
            self._characters, self._problem = 0, None
            row: list[str] | csv.Error
            # The limit is one for the whole process: other users of the csv module keep theirs.
            previous_limit = csv.field_size_limit(MAX_TEXT)
            try:
                row = next(self._csv)
            except csv.Error as error:
                row = error
            finally:
                csv.field_size_limit(previous_limit)

            self.where = f"{self._path}, line {first_line}"
            if self._line_number > first_line:
                self.where += f" to {self._line_number}"
            if self._problem:
                return self._problem
            if self._characters > MAX_TEXT:
                return InputError(
                    f"{self.where}: expected a row of at most {MAX_TEXT:,} characters, found a longer one"
                )
            if isinstance(row, csv.Error):
                return InputError(
                    f"{self.where}: expected fields in plain double quotes or none, of at most "
                    f"{MAX_TEXT:,} characters, found others ({row})"
                )
            if any(cell.strip() for cell in row):
                return row
