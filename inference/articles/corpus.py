"""Corpora: files of many articles, one per row; one column holds the text, other columns become ``meta``."""

import datetime
import decimal
import logging
import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from claimstance.inference.articles.article import (
    Article,
    Columns,
    check_characters,
    check_length,
    headline_of,
    one_line,
)
from claimstance.inference.articles.html.cells import read_cell
from claimstance.inference.articles.wrapping import unwrap
from claimstance.model.errors import InputError, shorten

log = logging.getLogger(__name__)
#: Usual names of columns in order of preference, for a user who names none; upper or lower case does not matter.
TEXT_NAMES = ("text", "body", "content", "article")
ID_NAMES = ("doc_id", "id")
TITLE_NAMES = ("title", "headline")
_MAX_DEPTH = 20  # of nested lists in a value of ``meta``
_MAX_BAD_ROWS = 100  # at the beginning of a file, before it is given up

#: ``(file, prefix of generated ids, columns) -> articles``, with an error in place of each bad row
ReadCorpus = Callable[[Path, str, Columns], Iterator[Article | InputError]]


@dataclass(frozen=True)
class ChosenColumns:
    """Represent the columns of a corpus that hold text, id and title; ``None`` if it has no such column."""

    text: str
    id: str | None
    title: str | None


def choose_columns(names: Sequence[str], columns: Columns, where: str, file: str) -> ChosenColumns:
    """Return the columns that the user named, or else those with a usual name; log a guess of the text's column.

    Raises:
        InputError: if a column that the user named is missing, or no column has a usual name of the text.
    """
    existing = one_line(", ".join(names)) if names else "none"
    for column in (columns.text, columns.id, columns.title):
        if column is not None and column not in names:
            raise InputError(f"{where}: expected a column '{column}', found {existing}")

    text = columns.text or usual_column(names, TEXT_NAMES)
    if text is None:
        raise InputError(
            f"{where}: expected a column {', '.join(map(repr, TEXT_NAMES))}, or one that --text-column "
            f"names, found {existing}"
        )
    if columns.text is None and text.lower() != TEXT_NAMES[0]:
        log.warning(
            "%s: no column 'text': '%s' is read as the text (--text-column names another)",
            file,
            text,
        )
    return ChosenColumns(
        text,
        columns.id or usual_column(names, ID_NAMES),
        columns.title or usual_column(names, TITLE_NAMES),
    )


def check_unique(names: Sequence[str], where: str) -> None:
    """Raise ``InputError`` if two columns have the same name; empty names may repeat."""
    for name, count in Counter(names).items():
        if name and count > 1:
            raise InputError(
                f"{where}: expected columns with different names, found '{one_line(name)}' twice"
            )


def usual_column(names: Sequence[str], candidates: Sequence[str]) -> str | None:
    """Return the first of the candidates that a column has as its name, spelt as in the file."""
    # In reverse, so that of "Text" and "text" the first column counts.
    by_name = {name.lower(): name for name in reversed(names)}
    for candidate in candidates:
        if candidate in by_name:
            return by_name[candidate]
    return None


def article_from_row(
    row: Mapping[str, Any],
    chosen: ChosenColumns,
    doc_id: str,
    where: str,
    is_processed: bool = False,
) -> Article:
    """Return the article of a row, its text without HTML and with the lines of each paragraph joined.

    Args:
        row: the values by column.
        chosen: the columns with text, id and title.
        doc_id: the id of a row without one.
        where: the file and row, for errors.
        is_processed: whether this program wrote the text, which must then stay as it is.

    Raises:
        InputError: if the text is not a string, or a value cannot be written as JSON.
    """
    text = row.get(chosen.text)
    if not isinstance(text, str):
        value = "none" if text is None else shorten(repr(text))
        raise InputError(f"{where}: expected a text in '{one_line(chosen.text)}', found {value}")
    # Checked before HTML is read, which takes time in proportion to the length.
    check_length(where, text)

    title = row.get(chosen.title) if chosen.title else None
    if not isinstance(title, str):
        title = ""
    if not is_processed:
        text = unwrap(read_cell(text))
        title = read_cell(title)
    title = title or headline_of(text)
    if chosen.id:
        doc_id = as_id(row.get(chosen.id)) or doc_id
    check_characters(where, text, title or "", doc_id)

    meta = dict(row)
    for name in (chosen.text, chosen.id, chosen.title):
        if name is not None:
            meta.pop(name, None)
    return Article(doc_id, text, title, meta=plain_values(meta, where))


def as_id(value: Any) -> str | None:
    """Return a value as an id, or ``None`` for a missing value; 7.0, as spreadsheets write 7, becomes "7"."""
    is_nan = value != value  # NaN is the only value that does not equal itself
    if value is None or value == "" or is_nan:
        return None
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def plain_values(values: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Return values as JSON has them: dates as ISO strings, and ``None`` for NaN and infinity.

    Raises:
        InputError: for half of a surrogate pair, and for lists nested more than 20 deep.
    """
    check_characters(where, *values)
    plain = {}
    for name, value in values.items():
        plain[name] = _plain_value(value, f"{where}: '{one_line(name)}'", 0)
    return plain


def _plain_value(value: Any, where: str, depth: int) -> Any:
    """Return a value, and those inside it, as JSON has them."""
    if depth > _MAX_DEPTH:
        raise InputError(f"{where}: expected at most {_MAX_DEPTH} lists in each other, found more")
    if isinstance(value, str):
        check_characters(where, value)
        return value
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, (float, decimal.Decimal)):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, Mapping):
        check_characters(where, *map(str, value))
        return {str(name): _plain_value(item, where, depth + 1) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain_value(item, where, depth + 1) for item in value]
    if isinstance(value, (datetime.date, datetime.time)):  # a datetime is a date
        return value.isoformat()
    return str(value)


def stop_at_useless_file(
    path: Path, articles: Iterator[Article | InputError]
) -> Iterator[Article | InputError]:
    """Yield the articles of a corpus; raise ``InputError`` if it has no rows, or begins with 100 bad ones."""
    good_rows = bad_rows = 0
    for article in articles:
        if isinstance(article, Article):
            good_rows += 1
        else:
            bad_rows += 1
        yield article
        # Such a file is in a wrong format: errors of all of its rows would only bury the cause.
        if bad_rows == _MAX_BAD_ROWS and not good_rows:
            raise InputError(
                f"{path}: none of the first {bad_rows} rows can be read: the rest was left"
            )
    if not good_rows and not bad_rows:
        raise InputError(f"{path}: expected at least one article, found an empty file")
