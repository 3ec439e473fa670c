"""The names that the articles of a corpus have, with what tells people from things and surnames from parts of names."""

import re
import sqlite3
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass

from claimstance.inference.results import Sentence, sources_of
from claimstance.model.article.spans import Entity, Span
from claimstance.model.coreference.aliases import INITIALS, parse_full_name
from claimstance.model.text.accents import fold_accents
from claimstance.model.text.mentions import NO_FIRST_NAME, has_capital
from claimstance.model.text.person_names import bare_name

_PERSON = "PERSON"
_INITIALS_BEFORE = re.compile(r"(?<!\w)(?:[A-Z]\.\s*)+$")
_NAME_AFTER = re.compile(r"\s+(?:&\s+)?([A-Z][\w’'-]*)")
#: ``mention`` has every name of an article in its fullest form, also of entities that nobody speaks about:
#: they may share a surname. ``alias`` has the shorter forms that stood for them within an article; a surname
#: that several people of its article share stands for itself.
TABLES = """
    CREATE TABLE mention (
        id INTEGER PRIMARY KEY, name TEXT UNIQUE, articles INTEGER, person INTEGER, part INTEGER, thing INTEGER,
        inner INTEGER
    );
    CREATE TABLE alias (
        name TEXT, fullest TEXT, articles INTEGER, PRIMARY KEY (name, fullest)
    ) WITHOUT ROWID;
"""
_MENTION = """
    INSERT INTO mention (name, articles, person, part, thing, inner) VALUES (?, 1, ?, ?, ?, ?)
    ON CONFLICT (name) DO UPDATE SET articles = articles + 1, person = person + excluded.person,
        part = part + excluded.part, thing = thing + excluded.thing, inner = inner + excluded.inner
"""
_ALIAS = """
    INSERT INTO alias VALUES (?, ?, 1) ON CONFLICT (name, fullest) DO UPDATE SET articles = articles + 1
"""


@dataclass(frozen=True)
class Mention:
    """Represent a name of the corpus.

    Attributes:
        id: its id in the table ``mention``.
        name: the name.
        articles: the number of articles that have it.
        person: the number of entities of this name that are people.
        part: the number of mentions beside which there are other parts of a name: *W. C. Lorn*, *Lorn & Orr*.
        thing: the number of entities of this name that are no people.
        inner: the number of sources, holders and targets of this name that begin no sentence.
    """

    id: int
    name: str
    articles: int
    person: int
    part: int
    thing: int
    inner: int


@dataclass
class _Counts:
    """Count what is known of a name in an article; the fields are those of ``Mention``."""

    person: int = 0
    part: int = 0
    thing: int = 0
    inner: int = 0


def add_mentions(
    connection: sqlite3.Connection, sentences: Sequence[Sentence], aliases: Mapping[str, str]
) -> None:
    """Record the names of an article; ``aliases`` has each name → its fullest form in the article."""
    counts: dict[str, _Counts] = defaultdict(_Counts)
    for sentence in sentences:
        names: list[tuple[str | None, Span | None]]
        names = [(source.name, source) for source in sources_of(sentence)]
        for stance in sentence.stances:
            names.append((stance.holder, stance.holder_span))
            names.append((stance.target, stance.target_span))
        for name, span in names:
            # A topic has no span, and a holder may stand in another sentence.
            if not name or not span or not sentence.start <= span.start < sentence.end:
                continue
            count = counts[aliases[name]]
            before = sentence.text[: span.start - sentence.start]
            count.inner += any(map(str.isalnum, before))
            count.part += _is_part_of_name(sentence, span)
        for entity in sentence.entities or ():
            count = counts[aliases[entity.text]]
            if entity.label != _PERSON:
                count.thing += 1
                continue
            count.person += 1
            count.part += _is_part_of_name(sentence, entity)
    rows_of_mentions = [(name, *astuple(counts[name])) for name in dict.fromkeys(aliases.values())]
    connection.executemany(_MENTION, rows_of_mentions)

    shorter = [(name, fullest) for name, fullest in aliases.items() if name != fullest]
    # Surnames, with or without titles, that fit people of the article but belong to none of them.
    surnames: set[str] = set()
    short = []
    for name, fullest in aliases.items():
        person = parse_full_name(name)
        if person is not None:
            surnames |= person.surnames
        elif name == fullest and has_capital(name):
            short.append(name)
    shared = [(name, name) for name in short if not surnames.isdisjoint(surnames_of(name))]
    connection.executemany(_ALIAS, [*shorter, *shared])


def _is_part_of_name(sentence: Sentence, span: Span | Entity) -> bool:
    """Return whether initials stand before a name, or another name behind it."""
    before = sentence.text[: max(0, span.start - sentence.start)]
    if _INITIALS_BEFORE.search(before):
        return True
    after = _NAME_AFTER.match(sentence.text, max(0, span.end - sentence.start))
    return after is not None and after[1] not in NO_FIRST_NAME


def surnames_of(name: str) -> frozenset[str]:
    """Return the surname of a full name, with and without its particles; else the name without titles."""
    person = parse_full_name(name)
    if person is not None:
        return person.surnames
    return frozenset({bare_name(fold_accents(name)).casefold()})


def without_article(name: str) -> str:
    """Return a name without a leading *the*."""
    return name[4:].lstrip() if name[:4].lower() == "the " else name


def is_acronym(name: str) -> bool:
    """Return whether a name is an acronym, with or without *the* and stops."""
    return INITIALS.fullmatch(without_article(name).replace(".", "")) is not None
