"""JSON Lines: an object a line."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from claimstance.inference.articles.article import MOST_TEXT, Article, Columns
from claimstance.inference.articles.corpus import article_of, choose
from claimstance.model.errors import InputError, shorten
from claimstance.model.io.text_lines import checked_lines

#: What a line of our own output has beside the article, which is read again without them.
_RESULTS = ("model", "sentences", "sources", "warnings")


def read(path: Path, doc_id: str, columns: Columns) -> Iterator[Article | InputError]:
    """The articles of a file; see ``ReadCorpus``. The first line that has a text says for all which key it is under.

    ``meta``, if it is an object, travels along as what it holds.
    """
    for number, line in enumerate(checked_lines(path, MOST_TEXT), 1):
        if isinstance(line, InputError):
            yield line
        elif line.strip():
            where = f"{path}, line {number}"
            try:
                row, is_read = _row(line, where)
                # a title is often left out where there is none
                asked = replace(columns, title=columns.title if columns.title in row else None)
                chosen = choose(list(row), asked, where, str(path))
                columns = replace(columns, text=chosen.text)
                yield article_of(row, chosen, f"{doc_id}:{number}", where, is_read)
            except InputError as error:  # costs this line alone
                yield error


def _row(line: str, where: str) -> tuple[dict[str, Any], bool]:
    """Return the values of a line, and whether this program wrote it."""
    expected = "a JSON object with the article's text"
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InputError(
            f"{where}: expected {expected}, found text that is not JSON ({error})"
        ) from None
    if not isinstance(row, dict):
        raise InputError(f"{where}: expected {expected}, found {shorten(repr(row))}")
    is_read = all(name in row for name in _RESULTS)
    if is_read:
        row = {name: value for name, value in row.items() if name not in _RESULTS}
    if isinstance(meta := row.get("meta"), dict):
        row = {**meta, **{name: value for name, value in row.items() if name != "meta"}}
    return row, is_read
