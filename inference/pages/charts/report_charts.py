"""The charts of a report: who speaks most in each outlet, the course over time, and shares between outlets."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from claimstance.inference.corpus.differences import Differences, Measure
from claimstance.inference.corpus.figures import Course, Summary
from claimstance.inference.pages.charts.panels import (
    Bar,
    Dot,
    Period,
    bars,
    columns,
    dots,
    opposed_columns,
    round_up,
    show_share,
)
from claimstance.inference.pages.findings import stands_out

if TYPE_CHECKING:
    from markupsafe import Markup

UNKNOWN_OUTLET = "outlet unknown"
#: Bars of an outlet.
BARS = 6


@dataclass(frozen=True)
class Table:
    """Represent a plain table: the names of its columns and its rows of texts and numbers."""

    columns: tuple[str, ...]
    rows: list[tuple[str | int, ...]]


@dataclass(frozen=True)
class Chart:
    """Represent a chart of several panels.

    Attributes:
        id: a name for it in the page and in files.
        title: what it shows.
        note: how to read it.
        panels: the panels.
        table: its figures.
    """

    id: str
    title: str
    note: str
    panels: list["Markup"]
    table: Table


def speakers_chart(summary: Summary, outlet_names: Sequence[str]) -> Chart | None:
    """Return the chart of those who speak most in each outlet; ``None`` for fewer than two outlets."""
    if summary.outlet_count < 2:
        return None
    rows: list[tuple[str | int, ...]] = []
    titles = []
    bars_by_outlet = []
    # One scale and one height for all panels, so that bars can be compared between outlets.
    greatest = 0.0
    longest = 0
    for number, outlet in enumerate(summary.outlets):
        name = outlet_names[number]
        outlet_bars = []
        for source in summary.top_sources[number]:
            count = source.by_outlet[number]
            share = count / outlet.named
            share_in_words = show_share(share)
            rows.append((name, source.name, count, share_in_words))
            outlet_bars.append(Bar(source.name, share, f"{count:,} · {share_in_words}"))
        outlet_bars = outlet_bars[:BARS]
        if outlet_bars:
            titles.append(f"{name}: {outlet.named:,} statements")
            bars_by_outlet.append(outlet_bars)
            greatest = max(greatest, *(bar.share for bar in outlet_bars))
            longest = max(longest, len(outlet_bars))

    panels = []
    for title, outlet_bars in zip(titles, bars_by_outlet, strict=True):
        panels.append(bars(title, outlet_bars, longest, greatest))
    note = (
        "Statements, and their share of the outlet's statements with a named source. Bars of all outlets "
        "have one scale."
    )
    table = Table(("outlet", "source", "statements", "share"), rows)
    return Chart("speakers", "Who speaks most in each outlet", note, panels, table)


def time_charts(summary: Summary) -> list[Chart]:
    """Return the charts over time."""
    series = summary.series
    if series is None:
        return []
    period = Period(series.unit, series.periods)
    where = "in each outlet"
    outlets = series.outlets
    if summary.outlet_count == 0:
        where = "over time"
        outlets = tuple(replace(course, name="all articles") for course in outlets)
    has_sides = "favor" in summary.labels or "against" in summary.labels

    charts = [_statements_chart("statements", f"Statements {where}", outlets, period)]
    if has_sides:
        charts.append(_sides_chart("stances", f"Stances {where}", outlets, period))
    title = "Statements of those who speak most"
    charts.append(_statements_chart("sources", title, series.sources, period))
    if has_sides:
        title = "Stances on those who are discussed most"
        charts.append(_sides_chart("targets", title, series.targets, period))
    return [chart for chart in charts if chart.panels]


def _statements_chart(id_: str, title: str, courses: Sequence[Course], period: Period) -> Chart:
    """Return a chart with the statements of each course."""
    highest = max((max(course.statements) for course in courses), default=0)
    top = round_up(highest)
    panels = []
    rows: list[tuple[str | int, ...]] = []
    for course in courses:
        name = course.name or UNKNOWN_OUTLET
        panels.append(columns(name, course.statements, period, "statements", top))
        for day, count in zip(period.days, course.statements, strict=True):
            if count:
                rows.append((name, day, count))
    note = f"Statements a {period.unit}. All panels have one scale."
    table = Table(("name", f"{period.unit} from", "statements"), rows)
    return Chart(id_, title, note, panels, table)


def _sides_chart(id_: str, title: str, courses: Sequence[Course], period: Period) -> Chart:
    """Return a chart with the stances for and against of each course."""
    zeros = (0,) * len(period.days)
    highest = 0
    for course in courses:
        for label in ("favor", "against"):
            counts = (course.sides or {}).get(label, zeros)
            highest = max(highest, *counts)
    top = round_up(highest)

    panels = []
    rows: list[tuple[str | int, ...]] = []
    for course in courses:
        name = course.name or UNKNOWN_OUTLET
        sides = course.sides or {}
        favor, against = sides.get("favor", zeros), sides.get("against", zeros)
        panels.append(opposed_columns(name, favor, against, period, top))
        for day, above, below in zip(period.days, favor, against, strict=True):
            if above or below:
                rows.append((name, day, above, below))
    note = f"Stances a {period.unit}: for (+) above the line, against (−) below it. All panels have one scale."
    table = Table(("name", f"{period.unit} from", "for", "against"), rows)
    return Chart(id_, title, note, panels, table)


def difference_charts(differences: Differences, outlet_names: Sequence[str]) -> list[Chart]:
    """Return the charts of shares that can be compared between outlets.

    They have no tables of their own, since the page has one table with all differences.
    """
    people = "Share of “against” in what people say on each target"
    texts = "Share of “against” in what the text itself says on each target"
    groups = (
        ("quoted", "Share of each source in an outlet's statements", differences.quoted),
        ("attacked", people, differences.attacked),
        ("own", texts, differences.own),
        ("habits", "How outlets write", differences.habits),
    )
    charts = []
    for id_, title, measures in groups:
        if measures:
            panels = _dot_panels(measures, outlet_names)
            charts.append(Chart(id_, title, "", panels, Table((), [])))
    return charts


def _dot_panels(measures: Sequence[Measure], outlet_names: Sequence[str]) -> list["Markup"]:
    """Return a panel for each measure, all of them with room for the same number of outlets."""
    dots_by_measure = []
    for measure in measures:
        outlet_dots = []
        for value in measure.values:
            if value.value is None:
                continue
            interval = None
            if value.interval is not None:
                interval = (value.interval.low, value.interval.high)
            name = outlet_names[int(value.outlet)]
            outlet_dots.append(Dot(name, value.value, interval, stands_out(value)))
        dots_by_measure.append(outlet_dots)
    most = max(map(len, dots_by_measure))

    panels = []
    for measure, outlet_dots in zip(measures, dots_by_measure, strict=True):
        panels.append(dots(measure.name, outlet_dots, most))
    return panels
