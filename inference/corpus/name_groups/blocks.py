"""Blocks of names: only names in one block are compared, since comparing all of a corpus would take quadratic time."""

import sqlite3
from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import itemgetter
from typing import Any

from claimstance.inference.corpus.name_groups.mentions import Mention, surnames_of, without_article
from claimstance.model.coreference.aliases import (
    COUNTRY,
    INITIALS,
    initials_of,
    name_key,
    parse_full_name,
)
from claimstance.model.coreference.phrases import describes_person
from claimstance.model.text.mentions import has_capital

SPELLING, FIRST_NAME, SURNAME, ACRONYM, BODY = range(5)  # kinds of blocks
_BLOCKS = """
    SELECT key, mention.id, name, articles, person, part, thing, inner FROM block JOIN mention ON mention.id = block.id
    WHERE kind = ? ORDER BY key, mention.id
"""


def create_blocks(connection: sqlite3.Connection) -> None:
    """Create the table ``block``, with the kinds and keys of the blocks of each name."""
    bodies = set()  # those that occur with their country: *U.S. Senate*
    for (name,) in connection.execute("SELECT name FROM mention WHERE name LIKE '%U%S%'"):
        bare = without_article(name)
        country = COUNTRY.match(bare)
        if country is not None:
            bodies.add(name_key(bare[country.end() :]))

    def rows() -> Iterator[tuple[int, str, int]]:
        for number, name in connection.execute("SELECT id, name FROM mention"):
            for kind, key in _blocks_of(name, bodies):
                yield kind, key, number

    connection.executescript("CREATE TEMP TABLE block (kind INTEGER, key TEXT, id INTEGER)")
    connection.executemany("INSERT INTO block VALUES (?, ?, ?)", rows())
    connection.execute("CREATE INDEX temp.block_key ON block (kind, key)")


def read_blocks(connection: sqlite3.Connection, kind: int) -> Iterator[tuple[str, list[Mention]]]:
    """Yield the blocks of a kind: the key, and the names that have it."""
    return group_mentions(connection.execute(_BLOCKS, (kind,)))


def group_mentions(rows: Iterable[tuple[Any, ...]]) -> Iterator[tuple[Any, list[Mention]]]:
    """Yield the first column of sorted rows, and the mentions that the rows with this value describe."""
    for key, members in groupby(rows, key=itemgetter(0)):
        yield key, [Mention(*row[1:]) for row in members]


def _blocks_of(name: str, bodies: set[str]) -> Iterator[tuple[int, str]]:
    """Yield the kind and the key of each block of a name.

    Args:
        name: the name.
        bodies: the keys of the bodies of the country.
    """
    bare = without_article(name)
    # A spelling is a name without what makes no difference; *the* makes one before a description.
    if bare == name or (bare[:1].isupper() and not describes_person(bare)):
        yield SPELLING, name_key(name)
    else:
        yield SPELLING, f"the {name_key(bare)}"
    if not has_capital(name):
        return

    person = parse_full_name(name)
    if person is not None:
        yield FIRST_NAME, person.first
    for surname in surnames_of(name):
        yield SURNAME, surname
    acronym = bare.replace(".", "")
    if INITIALS.fullmatch(acronym):
        yield ACRONYM, acronym
    else:
        for initials in set(initials_of(name)):
            yield ACRONYM, initials

    # A body may be the whole name, or its last words where they begin with a capital.
    bare_words = bare.split()
    endings = {name_key(name)}
    for start in range(1, len(bare_words)):
        if bare_words[start][0].isupper():
            endings.add(name_key(" ".join(bare_words[start:])))
    for body in endings & bodies:
        yield BODY, body
