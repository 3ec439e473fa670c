"""JSON Lines: one object per line."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from claimstance.inference.articles.article import MAX_TEXT, Article, Columns
from claimstance.inference.articles.corpus import article_from_row, choose_columns
from claimstance.model.errors import InputError, shorten
from claimstance.model.io.text_lines import checked_lines
from claimstance.model.io.validation import parse_json

#: Keys of a line of this program's own output that describe results rather than the article.
_RESULTS = ("model", "sentences", "sources", "warnings")


def read(path: Path, doc_id: str, columns: Columns) -> Iterator[Article | InputError]:
    """Yield the articles of a file; see ``ReadCorpus``. The first line with a text fixes its key for all lines.

    If ``meta`` is an object, its items become items of the row.
    """
    expected = "a JSON object with the article's text"
    for number, line in enumerate(checked_lines(path, MAX_TEXT), 1):
        if isinstance(line, InputError):
            yield line
            continue
        if not line.strip():
            continue
        where = f"{path}, line {number}"
        try:
            row = parse_json(line, where, expected)
            if not isinstance(row, dict):
                raise InputError(f"{where}: expected {expected}, found {shorten(repr(row))}")
            # A line that this program wrote is read without its results.
            is_processed = all(name in row for name in _RESULTS)
            if is_processed:
                row = {key: value for key, value in row.items() if key not in _RESULTS}
            meta = row.get("meta")
            if isinstance(meta, dict):
                del row["meta"]
                row = {**meta, **row}  # keys of the line itself precede those of its metadata
            # Unlike the text, a title is often left out of articles that have none.
            title = columns.title if columns.title in row else None
            chosen = choose_columns(list(row), replace(columns, title=title), where, str(path))
            columns = replace(columns, text=chosen.text)
            yield article_from_row(row, chosen, f"{doc_id}:{number}", where, is_processed)
        except InputError as error:  # costs this line alone
            yield error
