"""The groups of all names of a corpus."""

import sqlite3
from collections.abc import Iterator

from claimstance.inference.corpus.name_groups.blocks import (
    ACRONYM,
    BODY,
    FIRST_NAME,
    SPELLING,
    SURNAME,
    create_blocks,
    group_mentions,
    read_blocks,
)
from claimstance.inference.corpus.name_groups.evidence import Groups
from claimstance.inference.corpus.name_groups.mentions import Mention, is_acronym, without_article
from claimstance.inference.corpus.name_groups.people import PeopleRules
from claimstance.inference.corpus.name_groups.things import (
    join_acronym,
    join_body,
    join_spellings,
)
from claimstance.model.coreference.aliases import COUNTRY, parse_full_name
from claimstance.model.text.person_names import honorific_of

_MEMBERS = """
    SELECT root, mention.id, name, articles, person, part, thing, inner FROM member
    JOIN mention ON mention.id = member.id ORDER BY root
"""
_FACTS = "SELECT EXISTS (SELECT * FROM mention WHERE person > 0), (SELECT COUNT(*) FROM article)"
_IS_FIRST_NAME = "SELECT EXISTS (SELECT * FROM block WHERE kind = ? AND key = ?)"


def group_names(connection: sqlite3.Connection) -> Iterator[tuple[str, str]]:
    """Yield the names that others mean the same as, each with the name for all of them.

    The tables of the mentions are dropped at the end.
    """
    create_blocks(connection)
    ((size,),) = connection.execute("SELECT COALESCE(MAX(id), 0) + 1 FROM mention")
    groups = Groups(size)

    # Spellings come first: the rules for people and acronyms ask how many groups a short form fits.
    for _, members in read_blocks(connection, SPELLING):
        join_spellings(groups, members)
    people = PeopleRules(connection, groups, *connection.execute(_FACTS).fetchone())
    for surname, members in read_blocks(connection, SURNAME):
        ((is_first_name,),) = connection.execute(_IS_FIRST_NAME, (FIRST_NAME, surname))
        people.join(surname, members, bool(is_first_name))
    for acronym, members in read_blocks(connection, ACRONYM):
        join_acronym(connection, groups, acronym, members)
    for body, members in read_blocks(connection, BODY):
        join_body(groups, body, members)

    connection.executescript("CREATE TEMP TABLE member (id INTEGER PRIMARY KEY, root INTEGER)")
    connection.executemany("INSERT INTO member VALUES (?, ?)", groups.roots())
    for _, members in group_mentions(connection.execute(_MEMBERS)):
        best = max(members, key=_preference).name
        for member in members:
            yield member.name, best
    connection.executescript(
        "DROP TABLE block; DROP TABLE member; DROP TABLE mention; DROP TABLE alias"
    )


def _preference(mention: Mention) -> tuple[bool | int, ...]:
    """Return the sort key of a name for its group: a full name without a title, the most frequent one."""
    name = mention.name
    person = parse_full_name(name)
    return (
        person is not None and len(person.first) > 1,
        not is_acronym(name),
        COUNTRY.match(without_article(name)) is not None,
        not honorific_of(name),
        not name.endswith(("'s", "’s", "'", "’")),
        mention.articles,
        -len(name),
    )
