"""What the first bytes of a CSV or TSV file tell of it: its delimiter, and an encoding that it should not have."""

import csv
from collections.abc import Callable, Sequence
from pathlib import Path

#: Delimiters that a table may have whatever its name says, and what they are called.
DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
_SEP = "sep="  # Excel's first line of a CSV file that names its delimiter


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


def encoding_hint(path: Path) -> str:
    """What the encoding of a file that is not UTF-8 may be, for the message; empty if nothing can be said."""
    try:
        with path.open("rb") as file:
            head = file.read(1 << 20)
    except OSError:
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
