"""Differences between outlets: whom they quote, who is attacked in them, and how they write, with intervals."""

import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from claimstance.inference.corpus.figures import TEXT_ITSELF, Summary
from claimstance.inference.corpus.intervals import OutletValue, outlet_values

#: The most sources, and the most targets, whose shares are compared.
MEASURES = 9
Array = npt.NDArray[np.int64]
_NAMED = "SELECT article, SUM(statements) FROM speech GROUP BY article"
_OF_SOURCE = "SELECT article, statements FROM speech WHERE person = ?"
_SIDES = """
    SELECT article, SUM(count) FROM side
    WHERE target = ? AND label IN ('favor', 'against') AND {} GROUP BY article
"""
_AGAINST = """
    SELECT article, SUM(count) FROM side WHERE target = ? AND label = 'against' AND {} GROUP BY article
"""
_OF_OTHERS = f"holder <> {TEXT_ITSELF}"
_OF_TEXT = f"holder = {TEXT_ITSELF}"
#: (name, counts, totals) of what tells how an outlet writes.
_HABITS = (
    (
        "Words that report what somebody says",
        "SELECT article, SUM(words) FROM statement GROUP BY article",
        "SELECT number, words FROM article",
    ),
    (
        "Statements with a named source",
        _NAMED,
        "SELECT article, COUNT(*) FROM statement GROUP BY article",
    ),
    (
        "Sentences that make a claim",
        "SELECT number, claims FROM article",
        "SELECT number, sentences FROM article",
    ),
)


@dataclass(frozen=True)
class Measure:
    """Represent a share in each outlet.

    Attributes:
        name: the source, the target or the habit.
        values: one for each outlet that has articles, with the position of the outlet in the summary as
            its name.
    """

    name: str
    values: tuple[OutletValue, ...]

    @property
    def compared(self) -> int:
        """Return the number of outlets that can be told from the others, or could be if they differed more."""
        return sum(value.difference is not None for value in self.values)


@dataclass(frozen=True)
class Differences:
    """Represent shares of outlets that can be compared.

    Attributes:
        quoted: the share of those who speak most in the statements with a named source.
        attacked: the share of *against* in the sides that people take on a target.
        own: the share of *against* in the sides that the text itself takes on a target.
        habits: shares that tell how an outlet writes.
    """

    quoted: tuple[Measure, ...]
    attacked: tuple[Measure, ...]
    own: tuple[Measure, ...]
    habits: tuple[Measure, ...]

    @property
    def compared(self) -> int:
        """Return the number of differences, whose intervals hold at once."""
        measures = (*self.quoted, *self.attacked, *self.own, *self.habits)
        return sum(measure.compared for measure in measures)


def differences(connection: sqlite3.Connection, summary: Summary) -> Differences:
    """Return the shares of outlets, once ``summarize`` has made its tables.

    All shares are compared at once, so that their intervals hold together. Articles of no known outlet are left
    out. So are shares of which no outlet has articles enough.
    """
    counter = _Counter(connection, summary)
    shares = [
        _Share("quoted", source.name, (_OF_SOURCE, source.person), (_NAMED,))
        for source in summary.sources[:MEASURES]
    ]
    for kind, targets, condition in (
        ("attacked", summary.targets, _OF_OTHERS),
        ("own", summary.own, _OF_TEXT),
    ):
        for target in targets[:MEASURES]:
            against = (_AGAINST.format(condition), target.person)
            sides = (_SIDES.format(condition), target.person)
            shares.append(_Share(kind, target.name, against, sides))
    for name, habit_counts, habit_totals in _HABITS:
        shares.append(_Share("habits", name, (habit_counts,), (habit_totals,)))

    has_outlet = counter.outlets >= 0

    def count_shares() -> Iterator[tuple[Array, Array]]:
        # Counts are as long as the corpus, so they are made for one share at a time.
        for share in shares:
            counts = counter.sums(*share.counts)
            totals = counter.sums(*share.totals)
            yield counts[has_outlet], totals[has_outlet]

    values_of_shares = outlet_values(counter.outlets[has_outlet], count_shares())
    measures: dict[str, list[Measure]] = defaultdict(list)
    for share, values in zip(shares, values_of_shares, strict=True):
        measure = Measure(share.name, tuple(values))
        if measure.compared:
            measures[share.kind].append(measure)
    return Differences(
        quoted=tuple(measures["quoted"]),
        attacked=tuple(measures["attacked"]),
        own=tuple(measures["own"]),
        habits=tuple(measures["habits"]),
    )


class _Share(NamedTuple):
    """Describe what is compared: counts over totals, each a query and its parameters."""

    kind: str  # a field of ``Differences``
    name: str
    counts: tuple[Any, ...]
    totals: tuple[Any, ...]


class _Counter:
    """Count by article, in arrays as long as the corpus.

    Attributes:
        outlets: the outlet of each article; −1 if it is not known.
    """

    def __init__(self, connection: sqlite3.Connection, summary: Summary) -> None:
        self._connection = connection
        (self._length,) = connection.execute("SELECT MAX(number) + 1 FROM article").fetchone()
        self.outlets = np.full(self._length, -1, dtype=np.int64)
        for article, outlet in connection.execute("SELECT article, outlet FROM place"):
            if summary.outlets[outlet].name:
                self.outlets[article] = outlet

    def sums(self, query: str, *parameters: int) -> Array:
        """Return a number for each article, 0 where a query yields none."""
        sums = np.zeros(self._length, dtype=np.int64)
        for article, count in self._connection.execute(query, parameters):
            sums[article] = count
        return sums
