"""What the first bytes of a CSV or TSV file tell of it: its delimiter, and an encoding that it should not have."""

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Literal

from claimstance.model.errors import InputError
from claimstance.model.io.files import open_regular

#: Delimiters that a table may have whatever its name says, and what they are called.
DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
_TOO_LONG = "field larger than field limit"  # as the parser's error has it
_SEP = "sep="  # Excel's first line of a CSV file that names its delimiter


def named_delimiter(line: str) -> str | None:
    """The delimiter that a table's first line names as Excel does (``sep=;``), if it is such a line."""
    return line[-1] if line.lower().startswith(_SEP) and len(line) == len(_SEP) + 1 else None


def find_delimiter(header: str, usual: str, fits: Callable[[Sequence[str]], bool]) -> str:
    """The first delimiter, from ``usual`` on, that cuts ``header`` into names that ``fits`` takes; else ``usual``."""
    return next(
        (one for one in dict.fromkeys([usual, *DELIMITERS]) if fits(header_names(header, one))),
        usual,
    )


def header_names(header: str, delimiter: str) -> list[str]:
    """Return the names of columns in a header, without blanks around them; none if it cannot be cut."""
    try:
        return [name.strip() for name in next(csv.reader([header], delimiter=delimiter), [])]
    except csv.Error:  # which reading the rows will tell, with the line
        return []


@dataclass(frozen=True)
class Dialect:
    """How a table is written.

    Attributes:
        delimiter: What parts its cells.
        quoting: Whether cells are quoted, as ``csv`` has it.
        skipped: Lines before the header.
    """

    delimiter: str
    quoting: Literal[0, 3]
    skipped: int


def find_dialect(
    lines: Callable[[], Iterator[str]], usual: str, fits: Callable[[Sequence[str]], bool]
) -> Dialect:
    """Return how a table is written: what Excel's line ``sep=`` says, or what cuts its header into fitting names.

    Args:
        lines: Gives the lines of the table from the beginning, each time that it is called.
        usual: The delimiter if nothing speaks for another one.
        fits: Whether names of columns may be those of the table.
    """
    first = next(lines(), "")
    named = named_delimiter(first)
    delimiter = find_delimiter(first, usual, fits) if named is None else named
    skipped = 0 if named is None else 1
    unquoted = is_unquoted(islice(lines(), skipped, None), delimiter)
    return Dialect(delimiter, csv.QUOTE_NONE if unquoted else csv.QUOTE_MINIMAL, skipped)


def encoding_hint(path: Path) -> str:
    """What the encoding of a file that is not UTF-8 may be, for the message; empty if nothing can be said."""
    try:
        with open_regular(path) as file:
            head = file.read(1 << 20)
    except (InputError, OSError):
        return ""
    start = head[:1000]
    if (
        start[:2] in (b"\xff\xfe", b"\xfe\xff")
        or max(start[::2].count(0), start[1::2].count(0)) > len(start) / 5
    ):
        return "; it looks like UTF-16 ('Unicode text' in Excel): save it as 'CSV UTF-8'"
    if b"\0" in head or not any(byte > 0x7F for byte in head):
        return ""
    return "; it looks like a Windows encoding, such as Windows-1252: save it as 'CSV UTF-8'"


def is_unquoted(lines: Iterable[str], delimiter: str) -> bool:
    """Return whether ``"`` is an ordinary character in a tab-separated table, quoting nothing.

    Programs that write TSV often quote no cell, so that a text may begin with a quotation mark. Read as CSV, such a
    mark swallows all rows up to the next one. The first row that shows how the file was written decides: one that
    breaks the rules of quoting, or has a cell with tabs and line ends, was not quoted if each of its lines has as many
    cells as the header. A row of several lines that have other numbers of cells was quoted. So was a file whose header
    has quotation marks.

    Args:
        lines: The lines of the table from the header on, with or without their ends. Only the lines of one row are
            held, and reading ends at the row that decides.
        delimiter: The delimiter of the table. Other tables than those with tabs are always quoted.
    """
    if delimiter != "\t":
        return False
    lines = iter(lines)
    header = next(lines, "")
    if '"' in header:
        return False
    row_lines: list[str] = []
    rows = csv.reader(_remember(lines, row_lines), delimiter=delimiter, strict=True)
    width = header.count(delimiter)
    while True:
        row_lines.clear()
        try:
            cells = next(rows, None)
        except csv.Error as error:
            if len(row_lines) == 1 and _TOO_LONG in str(error):
                continue  # a long text in one line tells nothing
            return _have_tabs(row_lines, width)
        if cells is None:
            return False
        if len(row_lines) > 1:
            return any("\t" in cell and "\n" in cell for cell in cells) and _have_tabs(
                row_lines, width
            )


def _remember(lines: Iterable[str], row_lines: list[str]) -> Iterator[str]:
    """Yield the lines with one line end each, and append each of them to ``row_lines``."""
    for line in lines:
        row_lines.append(line)
        yield line.rstrip("\r\n") + "\n"


def _have_tabs(lines: Iterable[str], count: int) -> bool:
    """Return whether each line that is not blank has ``count`` tabs, and there are any to have."""
    return count > 0 and all(line.count("\t") == count for line in lines if line.strip())
