"""The rows of CSV, TSV, Excel and Parquet files, as text, each with its location in the file."""

import csv
import datetime
import decimal
import json
import math
import warnings
from collections.abc import Iterator, Sequence
from contextlib import closing
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
from claimstance.model.io.files import open_regular
from claimstance.model.record import read_lines
from claimstance.training.data.documents.format import ReadReport

_EXCEL_ERROR = "e"  # openpyxl's type of a cell such as #N/A


@dataclass(frozen=True)
class TableRow:
    """Represent a row of a table; the first one is the header.

    Attributes:
        location: its line or row in the file, such as ``line 3``.
        cells: its cells as text, an empty string for an empty one.
        problem: why it cannot be used; ``None`` if it can.
    """

    location: str
    cells: Sequence[str]
    problem: str | None = None


def read_delimited(
    path: Path, text_column: str, report: ReadReport, delimiter: str
) -> Iterator[TableRow]:
    """Yield the rows of a CSV or TSV file that are not empty, each with the number of its last line.

    The delimiter is the one in Excel's line ``sep=``; else ``delimiter``, unless only another one of comma, semicolon,
    tab and bar gives the header a column ``text_column``. A table with tabs whose quotation marks quote nothing is read
    without quoting. ``report.facts`` notes both if they are not the usual ones.

    Raises:
        InputError: naming the line; for a file that is not UTF-8 also its probable encoding.
    """

    def has_text_column(header: Sequence[str]) -> bool:
        return text_column.casefold() in [name.casefold() for name in header]

    dialect = find_dialect(partial(_lines, path), delimiter, has_text_column)
    if dialect.delimiter != delimiter:
        report.facts["delimiter"] = DELIMITERS.get(dialect.delimiter, dialect.delimiter)
    if dialect.quoting == csv.QUOTE_NONE:
        report.facts["quoting"] = "none: quotation marks are part of the text"

    lines = (line + "\n" for line in islice(_lines(path), dialect.skipped, None))
    rows = csv.reader(lines, delimiter=dialect.delimiter, quoting=dialect.quoting, strict=True)
    try:
        for cells in rows:
            if any(cell.strip() for cell in cells):
                yield TableRow(f"line {rows.line_num + dialect.skipped}", cells)
    except csv.Error as error:
        kind = "TSV" if delimiter == "\t" else "CSV"
        raise InputError(
            f"{path}, line {rows.line_num + dialect.skipped}: expected {kind} with fields in plain "
            f"double quotes or none, found text that is not ({error})"
        ) from None


def _lines(path: Path) -> Iterator[str]:
    """Yield the lines of a file; the error for a wrong encoding says which one it may be."""
    try:
        yield from read_lines(path)
    except InputError as error:
        raise InputError(f"{error}{encoding_hint(path)}") from None


def read_workbook(path: Path, text_column: str, report: ReadReport) -> Iterator[TableRow]:
    """Yield the rows that are not empty of the only sheet of a workbook with a column ``text_column``.

    If no sheet has the column, the rows are those of the first sheet, so that the caller can report its header.
    Formulas count as the values that were saved with them.

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

    try:
        # The file is opened here, since openpyxl does not close a file that it cannot read.
        with open_regular(path) as file, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # openpyxl warns of styles and of validation it skips
            book = openpyxl.load_workbook(file, read_only=True, data_only=True)
            with closing(book):
                yield from _only_sheet(path, book.worksheets, text_column, report)
    except InputError:
        raise
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from None
    # A damaged workbook makes zip and XML parsers raise errors of many kinds, in any row.
    except Exception as error:
        raise InputError(
            f"{path}: expected an Excel workbook (.xlsx, without a password), found a file that "
            f"cannot be read as one ({shorten(str(error))})"
        ) from None


def _only_sheet(
    path: Path, sheets: Sequence[Any], text_column: str, report: ReadReport
) -> Iterator[TableRow]:
    """Yield the rows of the only sheet with a column ``text_column``, or of the first sheet."""
    matching = []
    for sheet in sheets:
        header = next(_sheet_rows(sheet), None)
        if header is not None and text_column in [name.strip() for name in header.cells]:
            matching.append(sheet)
    if len(matching) > 1:
        raise InputError(
            f"{path}: expected one sheet with a column '{text_column}', found "
            f"{', '.join(sheet.title for sheet in matching)}: "
            "keep one, or save each as a file of its own"
        )
    if matching and len(sheets) > 1:
        report.facts["sheet"] = matching[0].title
    for sheet in (matching or sheets)[:1]:
        yield from _sheet_rows(sheet)


def _sheet_rows(sheet: Any) -> Iterator[TableRow]:
    """Yield the rows of a sheet that are not empty, at least as wide as the header."""
    sheet.reset_dimensions()  # programs often write wrong dimensions
    width = 0
    for number, sheet_cells in enumerate(sheet.iter_rows(), 1):
        cells = [as_text(cell.value) for cell in sheet_cells]
        if not any(cell.strip() for cell in cells):
            continue
        # Formatted cells without a value make a row wider than its header, and others are cut short.
        while len(cells) > width and not cells[-1]:
            cells.pop()
        cells += [""] * (width - len(cells))

        problem = None
        for cell in sheet_cells:
            if cell.value is not None and cell.data_type == _EXCEL_ERROR:
                problem = f"expected a value in {cell.coordinate}, found {cell.value}"
                break
        yield TableRow(f"row {number}", cells, problem)
        width = width or len(cells)  # the first row is the header


def read_parquet(path: Path, text_column: str, report: ReadReport) -> Iterator[TableRow]:
    """Yield the rows of a Parquet file, with a batch in memory at a time; the first has the columns' names.

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
            yield TableRow("the schema", list(file.schema_arrow.names))
            number = 0
            for batch in file.iter_batches(batch_size=1024):
                columns = [column.to_pylist() for column in batch.columns]
                for values in zip(*columns, strict=True):
                    number += 1
                    yield TableRow(f"row {number}", [as_text(value) for value in values])
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from None
    # Besides pyarrow's own errors: texts that are not UTF-8, dates out of Python's range.
    except (pyarrow.ArrowException, ValueError, OverflowError) as error:
        raise InputError(
            f"{path}: expected a Parquet file, found one that cannot be read "
            f"({str(error).splitlines()[0]})"
        ) from None


def as_text(value: Any) -> str:
    """Return a typed cell as the text that a CSV file would have.

    A whole number has no decimal point, a date is in ISO format, and null and NaN are empty.

    >>> as_text(2.0), as_text(datetime.datetime(2026, 3, 1)), as_text(None)
    ('2', '2026-03-01', '')
    """
    if value is None or value != value:  # only NaN differs from itself
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (float, decimal.Decimal)):
        # Spreadsheets store whole numbers, such as ids, as floats.
        if math.isfinite(value) and value == int(value):
            return str(int(value))
        return str(value)
    if isinstance(value, datetime.datetime):
        # Excel stores a date as a time at midnight.
        if value.time() == datetime.time() and value.tzinfo is None:
            return value.date().isoformat()
        return value.isoformat()
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, (list, dict)):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)
