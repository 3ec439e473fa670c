"""The report on a corpus as a page: who speaks, who stands where, over time, and between outlets.

``claimstance.model.pages.engine`` explains how values are escaped and why the page loads nothing. Tables
and charts are there without a script; the script adds sorting, search and the sentences behind a number.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from claimstance.inference.corpus.corrections import Corrections
from claimstance.inference.corpus.differences import Differences, Measure
from claimstance.inference.corpus.figures import OTHER_TARGETS, TEXT_ITSELF, UNSURE, Course, Summary
from claimstance.inference.corpus.intervals import MIN_ARTICLES, OutletValue
from claimstance.inference.pages.charts import (
    Bar,
    Dot,
    Period,
    bars,
    columns,
    dots,
    opposed_columns,
    round_up,
    show_date,
    show_share,
)
from claimstance.inference.pages.excerpts import NO_NAME, Excerpts
from claimstance.inference.pages.findings import (
    findings,
    points,
    sides_in_words,
    stands_out,
    word,
)
from claimstance.inference.pages.known_errors import KnownErrors
from claimstance.inference.pages.prose import percent
from claimstance.inference.pages.report_matrix import matrix_of
from claimstance.inference.pages.stance_matrix import stance_labels
from claimstance.model.errors import shorten
from claimstance.model.pages.engine import THEME, Pages
from claimstance.model.pages.markup import visible

if TYPE_CHECKING:
    from markupsafe import Markup

#: Rows of a table that are shown at once, and rows and columns of the matrix.
FIRST_ROWS, MATRIX_ROWS, MATRIX_COLUMNS = 20, 30, 16
#: Bars of an outlet.
BARS = 6
LONGEST_QUOTE = 240
UNKNOWN_OUTLET = "outlet unknown"


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


@dataclass(frozen=True)
class ReportInput:
    """Represent all that a report is made of.

    Attributes:
        summary: the figures.
        excerpts: the sentences.
        differences: shares of outlets.
        known: what was measured of the model; ``None`` if nothing is known of it.
        models: the models that tagged the articles.
        warnings: oddities of the corpus.
        corrections: shares that a hand-coded sample corrects; ``None`` without one.
    """

    summary: Summary
    excerpts: Excerpts
    differences: Differences
    known: KnownErrors | None
    models: Sequence[Mapping[str, str]]
    warnings: Sequence[str]
    corrections: Corrections | None = None


def render_report(report: ReportInput) -> Iterator[str]:
    """Yield the pieces of the page."""
    summary = report.summary
    view = _View(report)
    labels = list(view.labels.values())
    own_sides = summary.overview.own_sides
    values = {
        "report": report,
        "summary": summary,
        "overview": summary.overview,
        "labels": labels,
        "own_labels": [label for label in labels if own_sides.get(label.name)],
        "unsure": UNSURE,
        "outlets": view.outlet_names,
        "has_outlets": summary.outlet_count > 1,
        "positions": report.excerpts.positions,
        "first_rows": FIRST_ROWS,
        "least_articles": MIN_ARTICLES,
        "speakers": view.speakers(),
        "time_charts": view.time_charts(),
        "difference_charts": view.difference_charts(),
        "differences": view.difference_rows(),
        "compared": report.differences.compared,
        "tiles": view.tiles(),
        "glance": findings(summary, report.differences, view.outlet_names),
        "matrix": matrix_of(summary, MATRIX_ROWS, MATRIX_COLUMNS),
        "examples": view.examples(),
        "of_stances": report.known and report.known.of_stances(summary.overview.least_probability),
        "data": view.data(),
    }
    return _PAGES.render("report.html", values, (THEME, "report.js"))


class _View:
    """Compute what the template shows."""

    def __init__(self, report: ReportInput) -> None:
        self._report = report
        self._summary = report.summary
        self.labels = stance_labels(report.summary.labels)
        self.outlet_names = [outlet.name or UNKNOWN_OUTLET for outlet in report.summary.outlets]

    def tiles(self) -> list[tuple[str, int, str]]:
        """Return (name, number, what to add) of the sums at the top of the page."""
        overview = self._summary.overview
        own_sides = overview.own_sides
        others = {name: count - own_sides.get(name, 0) for name, count in overview.sides.items()}
        tiles = [
            ("articles", overview.articles, ""),
            ("sentences", overview.sentences, ""),
            ("claims", overview.claims, "sentences that make one"),
            ("statements", overview.statements, f"{overview.named:,} with a named source"),
            ("sources", overview.sources, "with a name"),
            ("stances of people", sum(others.values()), sides_in_words(others, self.labels)),
            (
                "stances of the texts",
                sum(own_sides.values()),
                sides_in_words(own_sides, self.labels),
            ),
        ]
        # Claims, and stances of the texts, are only there if the articles were tagged for them.
        always = {"articles", "sentences", "statements", "sources", "stances of people"}
        return [tile for tile in tiles if tile[1] or tile[0] in always]

    def speakers(self) -> Chart | None:
        """Return the chart of those who speak most in each outlet; ``None`` for one outlet."""
        summary = self._summary
        if summary.outlet_count < 2:
            return None
        rows: list[tuple[str | int, ...]] = []
        bars_by_outlet: list[tuple[str, list[Bar]]] = []
        for number, outlet in enumerate(summary.outlets):
            name = self.outlet_names[number]
            outlet_bars = []
            for source in summary.top_sources[number]:
                count = source.by_outlet[number]
                share = count / outlet.named
                rows.append((name, source.name, count, show_share(share)))
                outlet_bars.append(Bar(source.name, share, f"{count:,} · {show_share(share)}"))
            bars_by_outlet.append((f"{name}: {outlet.named:,} statements", outlet_bars[:BARS]))

        # One scale and one height for all panels, so that bars can be compared between outlets.
        shares = [bar.share for _, outlet_bars in bars_by_outlet for bar in outlet_bars]
        greatest = max(shares, default=1.0)
        longest = max(len(outlet_bars) for _, outlet_bars in bars_by_outlet)
        panels = []
        for title, outlet_bars in bars_by_outlet:
            if outlet_bars:
                panels.append(bars(title, outlet_bars, longest, greatest))
        return Chart(
            "speakers",
            "Who speaks most in each outlet",
            "Statements, and their share of the outlet's statements with a named source. Bars of all outlets "
            "have one scale.",
            panels,
            Table(("outlet", "source", "statements", "share"), rows),
        )

    def time_charts(self) -> list[Chart]:
        """Return the charts over time."""
        series = self._summary.series
        if series is None:
            return []
        period = Period(series.unit, series.periods)
        where = "in each outlet"
        outlets = series.outlets
        if self._summary.outlet_count == 0:
            where = "over time"
            outlets = tuple(replace(course, name="all articles") for course in outlets)
        has_sides = "favor" in self.labels or "against" in self.labels

        charts = [_statements_chart("statements", f"Statements {where}", outlets, period)]
        if has_sides:
            charts.append(_sides_chart("stances", f"Stances {where}", outlets, period))
        title = "Statements of those who speak most"
        charts.append(_statements_chart("sources", title, series.sources, period))
        if has_sides:
            title = "Stances on those who are discussed most"
            charts.append(_sides_chart("targets", title, series.targets, period))
        return [chart for chart in charts if chart.panels]

    def difference_charts(self) -> list[Chart]:
        """Return the charts of shares that can be compared between outlets."""
        differences = self._report.differences
        groups = [
            ("quoted", "Share of each source in an outlet's statements", differences.quoted),
            (
                "attacked",
                "Share of “against” in what people say on each target",
                differences.attacked,
            ),
            (
                "own",
                "Share of “against” in what the text itself says on each target",
                differences.own,
            ),
            ("habits", "How outlets write", differences.habits),
        ]
        charts = []
        for name, title, measures in groups:
            if measures:
                # The figures of these charts are in one table below them, see ``difference_rows``.
                charts.append(Chart(name, title, "", self._dots(measures), Table((), [])))
        return charts

    def _dots(self, measures: Sequence[Measure]) -> list["Markup"]:
        """Return a panel for each measure, all of them with room for the same number of outlets."""
        rows_by_measure = []
        for measure in measures:
            rows = []
            for value in measure.values:
                if value.value is None:
                    continue
                interval = None
                if value.interval is not None:
                    interval = (value.interval.low, value.interval.high)
                name = self.outlet_names[int(value.outlet)]
                rows.append(Dot(name, value.value, interval, stands_out(value)))
            rows_by_measure.append((measure.name, rows))
        most = max(len(rows) for _, rows in rows_by_measure)
        return [dots(name, rows, most) for name, rows in rows_by_measure]

    def difference_rows(self) -> list[tuple[str, str, str, OutletValue, str]]:
        """Return (kind, measure, outlet, value, verdict) of all shares."""
        differences = self._report.differences
        kinds = (
            ("share of statements", differences.quoted),
            ("against, by people", differences.attacked),
            ("against, by the text itself", differences.own),
            ("how outlets write", differences.habits),
        )
        values = []
        for kind, measures in kinds:
            for measure in measures:
                values += [(kind, measure.name, value) for value in measure.values]

        rows = []
        for kind, measure_name, value in values:
            if value.difference is None:
                verdict = "not compared"
            elif value.difference.low > 0:
                verdict = "more than elsewhere"
            elif value.difference.high < 0:
                verdict = "less than elsewhere"
            else:
                verdict = "no clear difference"
            outlet_name = self.outlet_names[int(value.outlet)]
            rows.append((kind, measure_name, outlet_name, value, verdict))
        return rows

    def examples(self) -> dict[tuple[int, int], tuple[int, float]]:
        """Return (position of a text, probability) of the surest stance of each holder and target."""
        people = {position: person for person, position in self._report.excerpts.positions.items()}
        people[NO_NAME] = TEXT_ITSELF
        surest: dict[tuple[int, int], tuple[int, float]] = {}
        for text, holder, target, _, probability in self._report.excerpts.stances:
            pair = (people[holder], people[target])
            _, greatest = surest.get(pair, (None, -1.0))
            if probability > greatest:
                surest[pair] = (text, probability)
        return surest

    def data(self) -> dict[str, Any]:
        """Return the values that the script of the page reads."""
        excerpts = self._report.excerpts
        cells = []
        for cell in self._summary.cells:
            holder, target = NO_NAME, NO_NAME
            if cell.holder != TEXT_ITSELF:
                holder = excerpts.positions[cell.holder]
            if cell.target != OTHER_TARGETS:
                target = excerpts.positions[cell.target]
            label_number = self.labels[cell.label].number
            cells.append((holder, target, cell.outlet, label_number, cell.count))
        labels = [
            {"name": visible(label.name), "symbol": label.symbol, "style": label.style}
            for label in self.labels.values()
        ]
        overview = self._summary.overview
        holders = overview.holders + bool(overview.own_sides)  # the text itself is one, too
        return {
            "labels": labels,
            "outlets": [visible(name) for name in self.outlet_names],
            "names": excerpts.names,
            "articles": excerpts.articles,
            "texts": excerpts.texts,
            "held": excerpts.stances,
            "said": excerpts.statements,
            "cells": cells,
            "unsure": UNSURE,
            "in_all": (holders, overview.targets),
        }


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
    sides_of_courses = []
    highest = 0
    for course in courses:
        sides = course.sides or {}
        favor, against = sides.get("favor", zeros), sides.get("against", zeros)
        sides_of_courses.append((course.name or UNKNOWN_OUTLET, favor, against))
        highest = max(highest, *favor, *against)

    top = round_up(highest)
    panels = []
    rows: list[tuple[str | int, ...]] = []
    for name, favor, against in sides_of_courses:
        panels.append(opposed_columns(name, favor, against, period, top))
        for day, above, below in zip(period.days, favor, against, strict=True):
            if above or below:
                rows.append((name, day, above, below))
    note = f"Stances a {period.unit}: for (+) above the line, against (−) below it. All panels have one scale."
    table = Table(("name", f"{period.unit} from", "for", "against"), rows)
    return Chart(id_, title, note, panels, table)


def _cut(text: str) -> str:
    """Return a quote in one line, short enough for a table."""
    return shorten(" ".join(text.split()), LONGEST_QUOTE)


_PAGES = Pages(
    "claimstance.inference.pages",
    ("reports.css", "matrix.css", "report.css"),
    {
        "percent": percent,
        "share": show_share,
        "points": points,
        "day": show_date,
        "word": word,
        "cut": _cut,
    },
)
