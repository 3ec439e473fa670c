"""One name for one person, group or thing across the articles of a corpus."""

import csv
import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Protocol

from claimstance.inference.corpus.name_groups.groups import group_names
from claimstance.inference.results import NO_SIDE
from claimstance.inference.writers.text import escape_formula, open_output
from claimstance.model.coreference.phrases import describes_person, is_pronoun
from claimstance.model.errors import InputError, shorten
from claimstance.model.io.delimiters import encoding_hint, find_dialect
from claimstance.model.io.text_lines import checked_lines
from claimstance.model.text.mentions import has_capital
from claimstance.model.text.person_names import words

#: The name of holders whom a pronoun or a description means: "he", "the spokesman", "some voters".
NOT_NAMED = "(not named)"
#: The condition of SQL for stances that count: those that take a side, and of which the model is sure enough.
COUNTED = f"NOT abstained AND label <> '{NO_SIDE}'"
_COLUMNS = ("name", "merged", "statements", "stances")
_COUNTS = f"""
    WITH counted AS (
        SELECT name.id, name.name, merged,
            (SELECT COUNT(*) FROM statement WHERE statement.name = name.id) AS statements,
            (SELECT COUNT(*) FROM stance WHERE holder = name.id AND {COUNTED})
            + (SELECT COUNT(*) FROM stance WHERE target = name.id AND {COUNTED}) AS stances
        FROM name WHERE name <> ?
    )
    SELECT name, merged, statements, stances FROM counted WHERE statements + stances > 0
    ORDER BY SUM(statements + stances) OVER (PARTITION BY merged) DESC, merged,
        name <> merged, statements + stances DESC, id
"""
_LONGEST_LINE = 1_000_000  # bytes
_FIRST_WORD = re.compile(r"[^\W_]+(?=\s|$)")
_INDEFINITE = words(
    "a an another some any many most several few both other others dozens hundreds thousands about nearly almost more"
)
# Before capitals alone, these begin a name: "Our Revolution", "One Nation".
_DETERMINERS = words("one each every no this that these those my our your his her its their")


def is_named(name: str) -> bool:
    """Return whether a source or holder has a name, or is a group: not a pronoun or a description.

    Descriptions mean somebody else in each article, so that they must not be put together.

    >>> [is_named(name) for name in ("Ann Lee", "the Senate", "voters", "the company", "an Orvane aide", "he")]
    [True, True, True, False, False, False]
    """
    if is_pronoun_alone(name) or not any(map(str.isalpha, name)):
        return False
    first = _FIRST_WORD.match(name)
    determiner = first[0].lower() if first else ""
    if determiner in _INDEFINITE or describes_person(name):
        return False
    rest = name[first.end() :].strip() if first else name
    if determiner in _DETERMINERS:
        return bool(rest) and all(word[0].isupper() for word in rest.split())
    # Without a capital these are descriptions: "the company", "40 people".
    if determiner == "the" or name[0].isdigit():
        return has_capital(rest)
    return True


def is_pronoun_alone(name: str) -> bool:
    """Return whether a name is a pronoun and no more: *you*, *They*, but not *US*, which is a country."""
    return name != "US" and is_pronoun(name.lower())


def merge_names(connection: sqlite3.Connection, edited: Mapping[str, str]) -> list[str]:
    """Set ``merged`` of all names: as ``edited`` has them, else by the rules of ``name_groups``.

    Returns:
        The names in ``edited`` that the corpus lacks.
    """
    update = "UPDATE name SET merged = ? WHERE name = ?"
    for name, merged in group_names(connection):
        connection.execute(update, (merged, name))
    # The user's table comes last, so that it overrides the rules.
    missing = []
    for name, merged in edited.items():
        if connection.execute(update, (merged, name)).rowcount == 0:
            missing.append(name)
    return missing


class HasConnection(Protocol):
    """Define what ``write_names`` needs of a store."""

    connection: sqlite3.Connection


def write_names(store: HasConnection, path: Path | None) -> None:
    """Write the names of a corpus as a CSV file that people can edit and ``read_names`` reads.

    It has a row for each name, as an article has it in its fullest form: ``merged`` is the name across
    articles, ``statements`` the number of statements of this source, ``stances`` the number of stances of
    this holder or on this target that take a side. Names with one ``merged`` follow each other, the most
    frequent ones first. As in other CSV files, cells that look like formulas begin with an apostrophe.

    Args:
        store: the store of the corpus.
        path: the file; ``None`` for standard output.

    Raises:
        ClaimstanceError: if the file cannot be written.
    """
    with open_output(path) as file:
        rows = csv.writer(file)
        rows.writerow(_COLUMNS)
        for name, merged, *counts in store.connection.execute(_COUNTS, (NOT_NAMED,)):
            rows.writerow([escape_formula(name), escape_formula(merged), *counts])


def read_names(path: Path) -> dict[str, str]:
    """Return the table of names in a CSV file, as name → the name across articles.

    The columns ``name`` and ``merged`` are needed; others are ignored.

    Raises:
        InputError: if the file cannot be read, lacks a column, or a row is wrong.
    """
    dialect = find_dialect(lambda: _lines(path), ",", _has_columns)
    lines = islice(_lines(path), dialect.skipped, None)
    rows = csv.reader(
        (f"{line}\n" for line in lines),
        delimiter=dialect.delimiter,
        quoting=dialect.quoting,
        strict=True,
    )
    header = [name.strip() for name in next(rows, [])]
    if not _has_columns(header):
        columns = ", ".join(map(repr, header)) or "an empty file"
        raise InputError(
            f"{path}: expected the columns 'name' and 'merged', found {shorten(columns)}"
        )
    names: dict[str, str] = {}
    try:
        for row in rows:
            if not any(cell.strip() for cell in row):
                continue
            where = f"{path}, line {rows.line_num + dialect.skipped}"
            if len(row) != len(header):
                raise InputError(f"{where}: expected {len(header)} columns, found {len(row)}")
            cells = dict(zip(header, row, strict=True))
            blank = [column for column in ("name", "merged") if not cells[column].strip()]
            if blank:
                raise InputError(f"{where}: expected a name in the column '{blank[0]}', found none")
            name = _without_escape(cells["name"])
            merged = _without_escape(cells["merged"]).strip()
            if names.setdefault(name, merged) != merged:
                raise InputError(
                    f"{where}: expected one 'merged' for {shorten(name)!r}, found "
                    f"{shorten(merged)!r} after {shorten(names[name])!r}"
                )
    except csv.Error as error:
        raise InputError(
            f"{path}, line {rows.line_num + dialect.skipped}: expected cells in plain double quotes or "
            f"none, found others ({error})"
        ) from None
    return names


def _lines(path: Path) -> Iterator[str]:
    """Yield the lines of a table; raise ``InputError`` at the first that is not UTF-8 or too long."""
    for line in checked_lines(path, _LONGEST_LINE):
        if isinstance(line, InputError):
            raise InputError(f"{line}{encoding_hint(path)}")
        yield line


def _has_columns(names: Sequence[str]) -> bool:
    """Return whether a table has the columns that reading needs."""
    return {"name", "merged"} <= set(names)


def _without_escape(cell: str) -> str:
    """Return a cell without the apostrophe that ``escape_formula`` puts before it."""
    unescaped = cell.removeprefix("'")
    return unescaped if escape_formula(unescaped) == cell else cell
