"""Counts over time: the unit that fits the dates of a corpus, and its periods."""

import sqlite3
from collections.abc import Sequence
from datetime import date, timedelta

from claimstance.inference.corpus.figures import Course, Outlet, Series, SourceRow, TargetRow

#: Sources and targets that have a series.
SERIES = 9
#: (greatest number of days between the first and the last date, unit of the series).
_UNITS = ((45, "day"), (420, "week"), (3660, "month"))
#: Years that a chart has room for.
MOST_PERIODS = 150
#: Unit of time → the first day of its period that a date belongs to, in SQL.
PERIODS = {
    "day": "date",
    "week": "date(date, 'weekday 0', '-6 days')",  # the Monday of its week
    "month": "strftime('%Y-%m-01', date)",
    "year": "strftime('%Y-01-01', date)",
}


def periods_between(unit: str, first: str, last: str) -> list[str]:
    """Return the first days of all periods from ``first`` to ``last``, which are first days of periods, too.

    >>> periods_between("month", "2015-12-01", "2016-02-01")
    ['2015-12-01', '2016-01-01', '2016-02-01']
    """
    day, end = date.fromisoformat(first), date.fromisoformat(last)
    periods = []
    while day < end:
        periods.append(day.isoformat())
        if unit == "day":
            day += timedelta(days=1)
        elif unit == "week":
            day += timedelta(days=7)
        elif unit == "month":
            day = date(day.year + day.month // 12, day.month % 12 + 1, 1)
        else:
            day = date(day.year + 1, 1, 1)
    return [*periods, last]


def unit_of_time(first: str | None, last: str | None) -> str:
    """Return the unit of time in which the dates of a corpus give a chart that can be read."""
    if first is None or last is None:
        return "day"
    days = (date.fromisoformat(last) - date.fromisoformat(first)).days
    for greatest, unit in _UNITS:
        if days <= greatest:
            return unit
    return "year"


def count_over_time(
    connection: sqlite3.Connection,
    unit: str,
    labels: Sequence[str],
    sources: Sequence[SourceRow],
    targets: Sequence[TargetRow],
    outlets: Sequence[Outlet],
) -> Series | None:
    """Return the counts of each period; ``None`` for a single period, or more than ``MOST_PERIODS``.

    Args:
        connection: the database, with the tables of ``summarize``.
        unit: the unit of time, a key of ``PERIODS``.
        labels: the labels of stances that count.
        sources: those who speak most, first.
        targets: those on whom most sides are taken, first.
        outlets: the outlets, by their number.
    """
    query = connection.execute
    first, last = query("SELECT MIN(period), MAX(period) FROM place").fetchone()
    if first is None or first == last:
        return None
    periods = periods_between(unit, first, last)
    if len(periods) > MOST_PERIODS:
        return None

    def filled(counts: dict[str, int]) -> tuple[int, ...]:
        # Periods without any article have no row, but a place on the axis.
        return tuple(counts.get(period, 0) for period in periods)

    def sides(column: str, number: int) -> dict[str, tuple[int, ...]]:
        by_label = {}
        for label in labels:
            counts = query(
                "SELECT period, SUM(count) FROM side JOIN place USING (article) "
                f"WHERE {column} = ? AND label = ? GROUP BY period",
                (number, label),
            )
            by_label[label] = filled(dict(counts))
        return by_label

    by_outlet = []
    for number, outlet in enumerate(outlets):
        spoken = query(
            "SELECT period, COUNT(*) FROM statement JOIN place USING (article) WHERE outlet = ? GROUP BY period",
            (number,),
        )
        by_outlet.append(Course(outlet.name, filled(dict(spoken)), sides("outlet", number)))
    of_sources = []
    for row in sources[:SERIES]:
        spoken = query(
            "SELECT period, SUM(statements) FROM speech JOIN place USING (article) WHERE person = ? GROUP BY period",
            (row.person,),
        )
        of_sources.append(Course(row.name, filled(dict(spoken))))
    of_targets = [Course(row.name, sides=sides("target", row.person)) for row in targets[:SERIES]]
    return Series(unit, tuple(periods), tuple(by_outlet), tuple(of_sources), tuple(of_targets))
