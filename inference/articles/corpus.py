"""Corpora: files of many articles, one a row, of which a column holds the text and the others travel along."""

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
    title_of,
    told,
)
from claimstance.inference.articles.html.cells import read_cell
from claimstance.inference.articles.wrapping import unwrap
from claimstance.model.errors import InputError, shorten

log = logging.getLogger(__name__)
#: The names that columns have where the user gives none, the likeliest first; capitals do not count.
TEXT_NAMES = ("text", "body", "content", "article")
ID_NAMES = ("doc_id", "id")
TITLE_NAMES = ("title", "headline")
_DEEPEST = 20  # lists in lists, of a value that travels along
_MOST_BAD = 100

#: ``(file, the id of articles without one, which columns) -> articles``, and an error in place of each bad row
ReadCorpus = Callable[[Path, str, Columns], Iterator[Article | InputError]]


@dataclass(frozen=True)
class Chosen:
    """The columns of a corpus: that of the text, and those of id and title if there are any."""

    text: str
    id: str | None
    title: str | None


def choose(names: Sequence[str], columns: Columns, where: str, file: str) -> Chosen:
    """The columns that the user named, or else those with a usual name; of a text that was guessed the log tells.

    Raises:
        InputError: for a column that is not there, or if none could be the text.
    """
    for asked in (columns.text, columns.id, columns.title):
        if asked is not None and asked not in names:
            raise InputError(f"{where}: expected a column '{asked}', found {_listed(names)}")
    text = columns.text or usual(names, TEXT_NAMES)
    if text is None:
        raise InputError(
            f"{where}: expected a column {', '.join(map(repr, TEXT_NAMES))}, or one that --text-column "
            f"names, found {_listed(names)}"
        )
    if columns.text is None and text.lower() != TEXT_NAMES[0]:
        log.warning(
            "%s: no column 'text': '%s' is read as the text (--text-column names another)",
            file,
            text,
        )
    return Chosen(
        text, columns.id or usual(names, ID_NAMES), columns.title or usual(names, TITLE_NAMES)
    )


def check_names(names: Sequence[str], where: str) -> None:
    """Raise ``InputError`` if two columns have one name."""
    twice = next((name for name, count in Counter(names).items() if name and count > 1), None)
    if twice is not None:
        raise InputError(
            f"{where}: expected columns with different names, found '{told(twice)}' twice"
        )


def usual(names: Sequence[str], wanted: Sequence[str]) -> str | None:
    """The column of one of the names that are wanted, as the file writes it."""
    by_name = {name.lower(): name for name in reversed(names)}
    return next((by_name[name] for name in wanted if name in by_name), None)


def _listed(names: Sequence[str]) -> str:
    return told(", ".join(names)) if names else "none"


def article_of(
    row: Mapping[str, Any], chosen: Chosen, doc_id: str, where: str, is_read: bool = False
) -> Article:
    """Return the article of a row, its text without HTML and with the lines of each paragraph joined.

    Args:
        row: its values by column.
        chosen: the columns with text, id and title.
        doc_id: its id if the row has none.
        where: the place of the row, for errors.
        is_read: whether this program wrote the text, which then stays as it is.

    Raises:
        InputError: if the text is no text, or a value cannot be told in JSON.
    """
    text, title = row.get(chosen.text), row.get(chosen.title) if chosen.title else None
    if not isinstance(text, str):
        raise InputError(
            f"{where}: expected a text in '{told(chosen.text)}', found "
            f"{'none' if text is None else shorten(repr(text))}"
        )
    check_length(where, text)
    if not is_read:
        text = unwrap(read_cell(text))
        title = read_cell(title) if isinstance(title, str) else None
    name = as_id(row.get(chosen.id) if chosen.id else None) or doc_id
    title = (title if isinstance(title, str) else None) or title_of(text)
    check_characters(where, text, title or "", name)
    used = (chosen.text, chosen.id, chosen.title)
    return Article(
        name, text, title, meta=plain_values({k: v for k, v in row.items() if k not in used}, where)
    )


def as_id(value: Any) -> str | None:
    """A value as an id: whole numbers as such, as spreadsheets write them; ``None`` for no value."""
    if value is None or value == "" or value != value:
        return None
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def plain_values(values: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Values as JSON has them: dates as ISO texts, and ``None`` for numbers that are none.

    Raises:
        InputError: for half a surrogate pair, and for lists nested deeper than anyone reads.
    """
    check_characters(where, *values)
    return {name: _plain(value, f"{where}: '{told(name)}'", 0) for name, value in values.items()}


def _plain(value: Any, where: str, depth: int) -> Any:
    if depth > _DEEPEST:
        raise InputError(f"{where}: expected at most {_DEEPEST} lists in each other, found more")
    if isinstance(value, str):
        check_characters(where, value)
        return value
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, (float, decimal.Decimal)):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, Mapping):
        check_characters(where, *map(str, value))
        return {str(name): _plain(one, where, depth + 1) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one, where, depth + 1) for one in value]
    if isinstance(value, (datetime.date, datetime.time)):  # a datetime is a date
        return value.isoformat()
    return str(value)


def checked(path: Path, articles: Iterator[Article | InputError]) -> Iterator[Article | InputError]:
    """The articles of a corpus; a file without rows is an error, and one that begins with bad rows alone is left.

    Raises:
        InputError: for either.
    """
    good = bad = 0
    for article in articles:
        good, bad = good + isinstance(article, Article), bad + isinstance(article, InputError)
        yield article
        if bad == _MOST_BAD and not good:
            raise InputError(f"{path}: none of the first {bad} rows can be read: the rest was left")
    if not good and not bad:
        raise InputError(f"{path}: expected at least one article, found an empty file")
