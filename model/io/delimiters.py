"""Tell from a CSV or TSV file what its name does not: its delimiter, whether it quotes cells, a wrong encoding."""

import csv
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from claimstance.model.errors import InputError
from claimstance.model.io.files import open_regular

#: Delimiters that a table may have whatever its name says, and what they are called.
DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
_SEP = "sep="  # Excel's first line of a CSV file that names its delimiter
_IN_QUOTES = re.compile(r'[^"]*(?:""[^"]*)*')  # two marks stand for one
_NEEDS_QUOTES = re.compile(r"[,;'\t]")  # what makes some program or other quote a cell
_SEVERAL_WORDS = re.compile(r"\S\s+\S")


def named_delimiter(line: str) -> str | None:
    """The delimiter that a table's first line names as Excel does (``sep=;``), if it is such a line."""
    return line[-1] if line.lower().startswith(_SEP) and len(line) == len(_SEP) + 1 else None


def find_delimiter(header: str, usual: str, fits: Callable[[Sequence[str]], bool]) -> str:
    """The first delimiter, from ``usual`` on, that cuts ``header`` into names that ``fits`` takes; else ``usual``."""
    return next(
        (one for one in dict.fromkeys([usual, *DELIMITERS]) if fits(_names(header, one))), usual
    )


def _names(header: str, delimiter: str) -> list[str]:
    try:
        return [name.strip() for name in next(csv.reader([header], delimiter=delimiter), [])]
    except csv.Error:  # which reading the rows will tell, with the line
        return []


def is_unquoted(lines: Iterable[str], delimiter: str) -> bool:
    """Return whether a tab-separated table holds quotation marks as they are, rather than quote cells as CSV does.

    Many programs write such tables without quoting: a cell that begins with a quotation mark then seems to go on to the
    next mark, over tabs and line ends. Where its lines have the number of columns of the table, it is no cell.

    Args:
        lines: the lines of the table from its header on, with their ends or without.
        delimiter: what cuts them; tables with another one than a tab are quoted.
    """
    if delimiter != "\t":
        return False
    filled = (line.rstrip("\r\n") for line in lines if line.strip())
    header = next(filled, "")
    if any(name.startswith('"') for name in header.split("\t")):
        return False
    evidence = _Quoting(header.count("\t") + 1)
    evidence.read(filled)
    return evidence.is_unquoted()


@dataclass
class _Quoting:
    """Count what speaks for and against quoting in a tab-separated file.

    Attributes:
        columns: how many the header has.
        genuine: cells that only quoting explains: with doubled marks, or with tabs and line ends where the lines would
            not have the file's number of columns otherwise.
        false: cells that begin with a mark, and that only its standing for itself explains.
        quoted: column → cells between marks.
        needless: the columns of those among them that hold nothing for which programs quote.
        bare: column → cells of several words without marks around them.
    """

    columns: int
    genuine: int = 0
    false: int = 0
    quoted: Counter[int] = field(default_factory=Counter)
    needless: set[int] = field(default_factory=set)
    bare: Counter[int] = field(default_factory=Counter)

    def is_unquoted(self) -> bool:
        """Return what there is more evidence for."""
        if self.false > self.genuine:
            all_quoted = not any(self.bare[column] for column in self.quoted)
            return not all_quoted or self.false >= self.quoted.total()
        return not self.genuine and any(self.bare[column] for column in self.needless)

    def read(self, lines: Iterator[str]) -> None:
        """Look at the lines that follow the header, none of them blank."""
        is_open = was_opened = False  # a quoted cell, by the line before
        for line in lines:
            fits = line.count("\t") + 1 == self.columns
            if was_opened and self.columns > 1:
                self.genuine += not fits
                self.false += fits
                is_open = not fits
            if not is_open:
                is_open = was_opened = self._read_cells(line, 0, fits)
                continue
            was_opened = False
            end = _end_of_quotes(line, 0)
            if end > len(line):
                continue
            if line[end : end + 1] in ("", "\t"):
                is_open = was_opened = self._read_cells(line, end + 1, fits)
            else:
                is_open = False
                self.false += 2  # and the cell that it seemed to close was none
        self.false += is_open  # to the end of the file

    def _read_cells(self, line: str, start: int, fits: bool) -> bool:
        """Look at the cells from ``start``; return whether the last one is not closed in this line."""
        column = 0
        while start <= len(line):
            if line[start : start + 1] != '"':
                end = line.find("\t", start)
                end = len(line) if end < 0 else end
                self.bare[column] += _SEVERAL_WORDS.search(line, start, end) is not None
            else:
                end = _end_of_quotes(line, start + 1)
                if end > len(line):
                    return True
                if line[end : end + 1] not in ("", "\t"):  # text after the closing mark
                    self.false += fits
                    return False
                self._count_quoted(column, line[start + 1 : end - 1], fits)
            column += 1
            start = end + 1
        return False

    def _count_quoted(self, column: int, cell: str, fits: bool) -> None:
        if "\t" in cell:
            self.genuine += not fits
            self.false += fits
            return
        self.genuine += '""' in cell
        self.quoted[column] += 1
        if '"' not in cell and cell and not _NEEDS_QUOTES.search(cell):
            self.needless.add(column)


def _end_of_quotes(line: str, start: int) -> int:
    """Return the offset after the mark that closes a cell; beyond the line's length if none does."""
    inside = _IN_QUOTES.match(line, start)
    return (inside.end() if inside else start) + 1


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
