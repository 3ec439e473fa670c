"""The rows of tables, whatever they are stored in, as text: what a row says, and where it stands."""

import csv
import datetime
import decimal
import json
import math
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from claimstance.model.errors import ConfigError, InputError, shorten
from claimstance.model.io.delimiters import (
    DELIMITERS,
    encoding_hint,
    find_dialect,
)
from claimstance.model.record import read_lines
from claimstance.training.data.documents.format import Reading

_ERROR = "e"  # the type of an Excel cell such as #N/A


@dataclass(frozen=True)
class Row:
    """A row of a table; the first one is the header.

    Attributes:
        place: where it stands in the file, such as ``line 3``.
        values: its cells as text, empty ones empty.
        problem: why it cannot be used; ``None`` if it can.
    """

    place: str
    values: Sequence[str]
    problem: str | None = None


def delimited(path: Path, wanted: str, reading: Reading, delimiter: str) -> Iterator[Row]:
    """Yield the rows of a CSV or TSV file that are not empty, each at its last line.

    Where the header has no column ``wanted``, but has one if it is cut at another of comma, semicolon, tab and bar,
    that one is the delimiter; so is the one in Excel's line ``sep=``. A table with tabs whose quotation marks quote
    nothing is read without quoting. The report tells both.

    Raises:
        InputError: Naming the line; for a file that is not UTF-8 also what it looks like.
    """
    dialect = find_dialect(partial(_lines, path), delimiter, partial(_has_name, wanted))
    if dialect.delimiter != delimiter:
        reading.facts["delimiter"] = DELIMITERS.get(dialect.delimiter, dialect.delimiter)
    if dialect.quoting == csv.QUOTE_NONE:
        reading.facts["quoting"] = "none: quotation marks are part of the text"
    lines = (line + "\n" for line in islice(_lines(path), dialect.skipped, None))
    rows = csv.reader(lines, delimiter=dialect.delimiter, quoting=dialect.quoting, strict=True)
    try:
        for row in rows:
            if any(cell.strip() for cell in row):
                yield Row(f"line {rows.line_num + dialect.skipped}", row)
    except csv.Error as error:
        kind = "TSV" if delimiter == "\t" else "CSV"
        raise InputError(
            f"{path}, line {rows.line_num + dialect.skipped}: expected {kind} with fields in plain double quotes "
            f"or none, found text that is not ({error})"
        ) from None


def _has_name(wanted: str, names: Sequence[str]) -> bool:
    """Return whether one of the names is ``wanted``, whatever its case."""
    return wanted.casefold() in [name.casefold() for name in names]


def _lines(path: Path) -> Iterator[str]:
    try:
        yield from read_lines(path)
    except InputError as error:
        raise InputError(f"{error}{encoding_hint(path)}") from None


def workbook(path: Path, wanted: str, reading: Reading) -> Iterator[Row]:
    """The rows that are not empty of the one sheet of an Excel workbook whose header has the column ``wanted``.

    Formulas count as the values that were saved with them. With no such sheet, the first one's rows, for the header to
    be told.

    Raises:
        ConfigError: without openpyxl.
        InputError: for a file that is no workbook, or if several sheets have the column.
    """
    try:
        import openpyxl
    except ImportError:
        raise ConfigError(
            f"{path}: reading .xlsx files needs openpyxl: pip install openpyxl"
        ) from None
    # Opened here, since openpyxl leaves a file open that it cannot read.
    with _told(path), path.open("rb") as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of styles and validation that openpyxl does not read
        book = openpyxl.load_workbook(file, read_only=True, data_only=True)
        try:
            sheets = {sheet.title: sheet for sheet in book.worksheets}
            found = [name for name, sheet in sheets.items() if wanted in _header(sheet)]
            if len(found) > 1:
                raise InputError(
                    f"{path}: expected one sheet with a column '{wanted}', found {', '.join(found)}: keep "
                    "one, or save each as a file of its own"
                )
            if len(sheets) > 1 and found:
                reading.facts["sheet"] = found[0]
            for name in (found or list(sheets))[:1]:
                yield from _sheet_rows(sheets[name])
        finally:
            book.close()


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """A damaged workbook makes zip and XML readers raise errors of many kinds, in any row."""
    try:
        yield
    except InputError:
        raise
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from None
    except Exception as error:
        raise InputError(
            f"{path}: expected an Excel workbook (.xlsx, without a password), found a file that "
            f"cannot be read as one ({shorten(str(error))})"
        ) from None


def _header(sheet: Any) -> list[str]:
    return [name.strip() for name in next((row.values for row in _sheet_rows(sheet)), ())]


def _sheet_rows(sheet: Any) -> Iterator[Row]:
    sheet.reset_dimensions()  # what programs write there is often wrong
    width = 0
    for number, cells in enumerate(sheet.iter_rows(), 1):
        values = [as_text(cell.value) for cell in cells]
        if not any(value.strip() for value in values):
            continue
        while len(values) > width and not values[-1]:
            values.pop()
        values += [""] * (width - len(values))
        wrong = next(
            (cell for cell in cells if cell.value is not None and cell.data_type == _ERROR), None
        )
        yield Row(
            f"row {number}",
            values,
            wrong and f"expected a value in {wrong.coordinate}, found {wrong.value}",
        )
        width = width or len(values)


def parquet(path: Path, wanted: str, reading: Reading) -> Iterator[Row]:
    """The rows of a Parquet file, a batch in memory at a time; the first one is its columns' names.

    Raises:
        ConfigError: without pyarrow.
        InputError: for a file that is no Parquet.
    """
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise ConfigError(
            f"{path}: reading .parquet files needs pyarrow: pip install 'claimstance[train]'"
        ) from None
    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            yield Row("the schema", list(file.schema_arrow.names))
            number = 0
            for batch in file.iter_batches(batch_size=1024):
                for values in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                    number += 1
                    yield Row(f"row {number}", [as_text(value) for value in values])
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from None
    except (
        pyarrow.ArrowException,
        ValueError,
        OverflowError,
    ) as error:  # texts that are no UTF-8, dates that are none
        raise InputError(
            f"{path}: expected a Parquet file, found one that cannot be read "
            f"({str(error).splitlines()[0]})"
        ) from None


def as_text(value: Any) -> str:
    """A typed cell as the text that a CSV file has: 1 for 1.0, an ISO date, ``true`` and ``false``, nothing for null.

    >>> as_text(2.0), as_text(datetime.datetime(2026, 3, 1)), as_text(None)
    ('2', '2026-03-01', '')
    """
    if value is None or value != value:  # not a number is not a value
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (float, decimal.Decimal)):
        return str(int(value)) if math.isfinite(value) and value == int(value) else str(value)
    if isinstance(value, datetime.datetime):
        return (
            value.date() if value.time() == datetime.time() and value.tzinfo is None else value
        ).isoformat()
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, (list, dict)):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)
