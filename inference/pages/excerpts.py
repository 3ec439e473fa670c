"""The sentences behind the figures of a report: as many as its page has room for, and all of them for a file."""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from claimstance.inference.corpus.figures import TEXT_ITSELF, UNNAMED
from claimstance.inference.corpus.names import COUNTED
from claimstance.model.pages.markup import visible

#: The most sentences for one holder, target and label, and for one source before all others have one.
OF_CELL, OF_SOURCE = 40, 40
#: Bytes of all values as JSON, and the part of them that stances may take.
BUDGET, BUDGET_OF_STANCES = 7_000_000, 3_500_000
#: No row takes fewer bytes, so that a budget bounds the number of rows that are sorted.
_LEAST_BYTES = 40
#: The position of the text itself, and of a source without a name.
NO_NAME = -1
_SUREST_STANCES = f"""
    SELECT article, sentence, text, holder, target, label, probability FROM (
        SELECT article, sentence, text, COALESCE(h.person, {TEXT_ITSELF}) AS holder, t.person AS target, label,
            probability, ROW_NUMBER() OVER (
                PARTITION BY COALESCE(h.person, {TEXT_ITSELF}), t.person, label
                ORDER BY probability DESC, article, sentence
            ) AS rank
        FROM stance LEFT JOIN member AS h ON h.name = holder JOIN member AS t ON t.name = target
        WHERE {COUNTED} AND h.person IS NOT {UNNAMED} AND t.person IS NOT {UNNAMED}
    ) WHERE rank <= {OF_CELL} ORDER BY rank, holder, target LIMIT ?
"""
_SUREST_STATEMENTS = f"""
    SELECT article, sentence, text, person, probability, content FROM (
        SELECT article, sentence, text, person, probability, content, ROW_NUMBER() OVER (
            PARTITION BY person ORDER BY probability DESC, article, sentence
        ) AS rank
        FROM statement LEFT JOIN member USING (name)
    )
    ORDER BY rank > CASE WHEN person IN (SELECT person FROM shown) THEN {OF_SOURCE} ELSE 0 END,
        person IS NULL, rank, person LIMIT ?
"""
_ARTICLE = """
    SELECT title, doc_id, article.outlet, place.outlet, date, page, url FROM article
    JOIN place ON place.article = number WHERE number = ?
"""
_ARTICLE_COLUMNS = ("doc_id", "title", "outlet", "date", "url", "sentence")
_OF_ARTICLE = "doc_id, title, outlet, date, url, sentence"
_ALL_STATEMENTS = f"""
    SELECT {_OF_ARTICLE}, merged, cue, content, probability, text FROM statement
    JOIN article ON article.number = article LEFT JOIN name ON name.id = statement.name ORDER BY statement.rowid
"""
_ALL_STANCES = f"""
    SELECT {_OF_ARTICLE}, h.merged, t.merged, label, probability, abstained, text FROM stance
    JOIN article ON article.number = article LEFT JOIN name AS h ON h.id = holder
    JOIN name AS t ON t.id = target ORDER BY stance.rowid
"""


@dataclass(frozen=True)
class Excerpts:
    """Represent sentences with what they express, in lists that refer to each other by position.

    Attributes:
        names: names of people.
        positions: the number of a person → the position of its name.
        articles: (title, id, group of outlets, outlet, date, link); all texts may be empty.
        texts: (article, number of the sentence, sentence).
        stances: (text, holder, target, label, probability); ``NO_NAME`` as the holder is the text itself.
        statements: (text, source, probability, content); ``NO_NAME`` is a source without a name, and the content is
            empty where it is a part of the sentence.
    """

    names: list[str]
    positions: dict[int, int]
    articles: list[tuple[str, str, int, str, str, str]]
    texts: list[tuple[int, int, str]]
    stances: list[tuple[int, int, int, int, float]]
    statements: list[tuple[int, int, float, str]]


def excerpts(
    connection: sqlite3.Connection,
    people: Mapping[int, str],
    sources: Iterable[int],
    labels: Sequence[str],
    budget: int = BUDGET,
    budget_of_stances: int = BUDGET_OF_STANCES,
) -> Excerpts:
    """Return as many sentences as fit into a budget, once ``summarize`` has made its tables.

    Each holder, target and label has its surest sentence first, then each its second one, and so on. So have
    the sources, of which those in ``sources`` come first.

    Args:
        connection: the store's.
        people: numbers → names that the figures show, which are kept whatever the budget.
        sources: those with a row in the table of sources.
        labels: the labels of stances, whose positions stand for them.
        budget: bytes of all values, as JSON.
        budget_of_stances: bytes of the part with stances.
    """
    connection.execute("CREATE TEMP TABLE shown (person INTEGER PRIMARY KEY)")
    connection.executemany(
        "INSERT OR IGNORE INTO shown VALUES (?)", [(person,) for person in sources]
    )
    collector = _Collector(connection)
    for person, name in people.items():
        collector.position(person, name)

    rows = connection.execute(_SUREST_STANCES, (budget_of_stances // _LEAST_BYTES,))
    for article, sentence, text, holder, target, label, probability in rows:
        stance = (
            collector.text(article, sentence, text),
            collector.position(holder),
            collector.position(target),
            labels.index(label),
            round(probability, 3),
        )
        collector.keep(collector.excerpts.stances, stance)
        if collector.size > budget_of_stances:
            break

    rows = connection.execute(_SUREST_STATEMENTS, (budget // _LEAST_BYTES,))
    for article, sentence, text, person, probability, content in rows:
        # The content of a quotation that runs on over sentences is more than a part of this one.
        quotation = ""
        if content and " ".join(content.split()) not in " ".join(text.split()):
            quotation = _visible(content)
        statement = (
            collector.text(article, sentence, text),
            collector.position(person),
            round(probability, 3),
            quotation,
        )
        collector.keep(collector.excerpts.statements, statement)
        if collector.size > budget:
            break
    return collector.excerpts


def details(connection: sqlite3.Connection) -> Iterator[dict[str, Any]]:
    """Yield all statements and then all stances of a corpus, with the article of each."""
    for kind, query, columns in (
        ("statement", _ALL_STATEMENTS, ("source", "cue", "content", "probability", "text")),
        ("stance", _ALL_STANCES, ("holder", "target", "label", "probability", "abstained", "text")),
    ):
        for row in connection.execute(query):
            values = dict(zip((*_ARTICLE_COLUMNS, *columns), row, strict=True))
            if "abstained" in values:
                values["abstained"] = bool(values["abstained"])
            yield {"kind": kind, **values}


def json_size(value: Any) -> int:
    """Return the bytes of a value as JSON in which no character ends a script element."""
    text = json.dumps(value, separators=(",", ":"))
    # Each of these characters becomes an escape of six, such as "\u003c".
    return len(text) + 5 * sum(map(text.count, "<>&'"))


class _Collector:
    """Collect values, each once, and count their bytes.

    Attributes:
        excerpts: all that was collected.
        size: the bytes of all values as JSON.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._articles: dict[int, int] = {}
        self._texts: dict[tuple[int, int], int] = {}
        self.excerpts = Excerpts([], {}, [], [], [], [])
        self.size = 0

    def keep(self, values: list[Any], value: Any) -> int:
        """Append a value; return its position."""
        self.size += json_size(value) + 1
        values.append(value)
        return len(values) - 1

    def position(self, person: int | None, name: str | None = None) -> int:
        """Return the position of a person's name, which is looked up if it is new."""
        # Numbers of people are above 0; the others stand for the text itself and for whoever has no name.
        if person is None or person <= TEXT_ITSELF:
            return NO_NAME
        positions = self.excerpts.positions
        if person not in positions:
            if name is None:
                query = "SELECT name FROM person WHERE id = ?"
                (name,) = self._connection.execute(query, (person,)).fetchone()
            positions[person] = self.keep(self.excerpts.names, _visible(name))
        return positions[person]

    def text(self, article: int, sentence: int, text: str) -> int:
        """Return the position of a sentence."""
        key = (article, sentence)
        if key in self._texts:
            return self._texts[key]
        if article not in self._articles:
            row = self._connection.execute(_ARTICLE, (article,)).fetchone()
            title, doc_id, outlet, group, date, page, url = row
            # Only an address that a browser opens as a page becomes a link, unlike "javascript:".
            if not url or not url.startswith(("https://", "http://")):
                url = ""
            values = (
                _visible(title or doc_id),
                _visible(doc_id),
                group,
                _visible(outlet),
                date or "",
                page or url,
            )
            self._articles[article] = self.keep(self.excerpts.articles, values)
        text_values = (self._articles[article], sentence, _visible(text))
        self._texts[key] = self.keep(self.excerpts.texts, text_values)
        return self._texts[key]


def _visible(text: str) -> str:
    """Return a text in which control characters can be seen."""
    return text if text.isprintable() else visible(text)
