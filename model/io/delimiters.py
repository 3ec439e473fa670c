"""Detection of a CSV or TSV file's delimiter, quoting and encoding."""

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Literal

from claimstance.model.errors import InputError
from claimstance.model.io.files import open_regular

#: Delimiters that a table may have, whatever the ending of its file name, and their names.
DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
_TOO_LONG = "field larger than field limit"  # in the message of csv.Error
_SEP = "sep="  # In Excel, the first line of a CSV file can name the delimiter after this.
_BYTES = 1 << 20  # the beginning of a file that the detection of its encoding reads


def named_delimiter(line: str) -> str | None:
    """Return the delimiter that a table's first line names in Excel's way (``sep=;``), if it is such a line."""
    if line.lower().startswith(_SEP) and len(line) == len(_SEP) + 1:
        return line[-1]
    return None


def find_delimiter(header: str, usual: str, fits: Callable[[Sequence[str]], bool]) -> str:
    """Return the first delimiter, beginning with ``usual``, that divides a header into names that ``fits`` accepts.

    It is ``usual`` if none does.
    """
    for delimiter in (usual, *DELIMITERS):
        if fits(header_names(header, delimiter)):
            return delimiter
    return usual


def header_names(header: str, delimiter: str) -> list[str]:
    """Return the names of columns in a header, without blanks around them; none if it cannot be parsed."""
    try:
        names = next(csv.reader([header], delimiter=delimiter), [])
    except csv.Error:  # reading the rows reports the error with its line
        return []
    return [name.strip() for name in names]


@dataclass(frozen=True)
class Dialect:
    """Represent the way in which a table is written.

    Attributes:
        delimiter: the character between cells.
        quoting: ``csv.QUOTE_MINIMAL``, or ``csv.QUOTE_NONE`` if cells are not quoted.
        skipped: the number of lines before the header.
    """

    delimiter: str
    quoting: Literal[0, 3]
    skipped: int


def find_dialect(
    lines: Callable[[], Iterator[str]], usual: str, fits: Callable[[Sequence[str]], bool]
) -> Dialect:
    """Return the dialect of a table, from Excel's line ``sep=`` or from the names in its header.

    Args:
        lines: returns the lines of the table from the beginning, each time that it is called.
        usual: the delimiter if no other one is indicated.
        fits: returns whether names of columns may be those of the table.
    """
    first_line = next(lines(), "")
    skipped = 1
    delimiter = named_delimiter(first_line)
    if delimiter is None:
        skipped = 0
        delimiter = find_delimiter(first_line, usual, fits)
    unquoted = is_unquoted(islice(lines(), skipped, None), delimiter)
    return Dialect(delimiter, csv.QUOTE_NONE if unquoted else csv.QUOTE_MINIMAL, skipped)


def encoding_hint(path: Path) -> str:
    """Return a hint for an error message: the likely encoding of a file that is not UTF-8; empty if unknown."""
    try:
        with open_regular(path) as file:
            head = file.read(_BYTES)
    except (InputError, OSError):
        return ""
    start = head[:1000]
    has_byte_order_mark = start[:2] in (b"\xff\xfe", b"\xfe\xff")
    # In UTF-16, every second byte of ordinary text is zero.
    zeros = max(start[::2].count(0), start[1::2].count(0))
    if has_byte_order_mark or zeros > len(start) / 5:
        return "; it looks like UTF-16 ('Unicode text' in Excel): save it as 'CSV UTF-8'"
    if b"\0" in head or not any(byte > 0x7F for byte in head):
        return ""
    return "; it looks like a Windows encoding, such as Windows-1252: save it as 'CSV UTF-8'"


def is_unquoted(lines: Iterable[str], delimiter: str) -> bool:
    """Return whether ``"`` is an ordinary character in a tab-separated table, rather than a quote.

    Many programs that write TSV quote no cell, so that a text may begin with a quotation mark. Read as CSV, such a mark
    swallows all rows up to the next one. The first row that reveals the way of writing decides. A row that violates the
    rules of quoting, or has a cell with tabs and line ends, is unquoted if each of its lines has as many cells as the
    header. A row of several lines with other numbers of cells is quoted, and so is a file with quotation marks in its
    header.

    Args:
        lines: the lines of the table from the header on, with or without their ends. Only the lines of one row are
            kept in memory, and reading ends at the row that decides.
        delimiter: the delimiter of the table. Tables with other delimiters than tabs are always quoted.
    """
    if delimiter != "\t":
        return False
    lines = iter(lines)
    header = next(lines, "")
    if '"' in header:
        return False

    row_lines: list[str] = []  # of the current row

    def remembered_lines() -> Iterator[str]:
        for line in lines:
            row_lines.append(line)
            yield line.rstrip("\r\n") + "\n"

    rows = csv.reader(remembered_lines(), delimiter=delimiter, strict=True)
    width = header.count(delimiter)
    while True:
        row_lines.clear()
        try:
            cells = next(rows, None)
        except csv.Error as error:
            if len(row_lines) == 1 and _TOO_LONG in str(error):
                continue  # a long text in one line reveals nothing
            return _have_tabs(row_lines, width)
        if cells is None:
            return False
        if len(row_lines) > 1:
            has_swallowed_rows = any("\t" in cell and "\n" in cell for cell in cells)
            return has_swallowed_rows and _have_tabs(row_lines, width)


def _have_tabs(lines: Iterable[str], count: int) -> bool:
    """Return whether each line that is not blank has ``count`` tabs, and ``count`` is not 0."""
    return count > 0 and all(line.count("\t") == count for line in lines if line.strip())
