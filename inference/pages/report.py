"""The report on a corpus as a page: who speaks, who stands where, over time, and between outlets.

``claimstance.model.pages.engine`` explains how values are escaped and why the page loads nothing. Tables
and charts are there without a script; the script adds sorting, search and the sentences behind a number.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from claimstance.inference.corpus.corrections import Corrections
from claimstance.inference.corpus.differences import Differences
from claimstance.inference.corpus.figures import OTHER_TARGETS, TEXT_ITSELF, UNSURE, Summary
from claimstance.inference.corpus.intervals import MIN_ARTICLES, OutletValue
from claimstance.inference.pages.charts.panels import show_date, show_share
from claimstance.inference.pages.charts.report_charts import (
    UNKNOWN_OUTLET,
    difference_charts,
    speakers_chart,
    time_charts,
)
from claimstance.inference.pages.excerpts import NO_NAME, Excerpts
from claimstance.inference.pages.findings import findings, points, sides_in_words, word
from claimstance.inference.pages.known_errors import KnownErrors
from claimstance.inference.pages.prose import percent
from claimstance.inference.pages.report_matrix import matrix_of
from claimstance.inference.pages.stance_matrix import stance_labels
from claimstance.model.errors import shorten
from claimstance.model.pages.engine import THEME, Pages
from claimstance.model.pages.markup import visible

#: Rows of a table that are shown at once, and rows and columns of the matrix.
FIRST_ROWS, MATRIX_ROWS, MATRIX_COLUMNS = 20, 30, 16
LONGEST_QUOTE = 240


@dataclass(frozen=True)
class Tile:
    """Represent a sum at the top of the page: its name, its number, and a note below it."""

    name: str
    number: int
    note: str = ""


@dataclass(frozen=True)
class DifferenceRow:
    """Represent a share of an outlet in the table of differences.

    Attributes:
        kind: the kind of its measure, in words.
        measure: the name of the measure.
        outlet: the name of the outlet.
        value: the share, and its difference to all other outlets.
    """

    kind: str
    measure: str
    outlet: str
    value: OutletValue

    @property
    def verdict(self) -> str:
        """Return in words whether the share differs from those of the other outlets."""
        difference = self.value.difference
        if difference is None:
            return "not compared"
        if difference.low > 0:
            return "more than elsewhere"
        if difference.high < 0:
            return "less than elsewhere"
        return "no clear difference"


@dataclass(frozen=True)
class Example:
    """Represent the surest stance of a pair: the position of its text, and its probability."""

    text: int
    probability: float


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
        "speakers": speakers_chart(summary, view.outlet_names),
        "time_charts": time_charts(summary),
        "difference_charts": difference_charts(report.differences, view.outlet_names),
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

    def tiles(self) -> list[Tile]:
        """Return the sums at the top of the page."""
        overview = self._summary.overview
        own_sides = overview.own_sides
        own_stances = sum(own_sides.values())
        others = {name: count - own_sides.get(name, 0) for name, count in overview.sides.items()}
        tiles = [Tile("articles", overview.articles), Tile("sentences", overview.sentences)]
        # Claims, and stances of the texts, are only there if the articles were tagged for them.
        if overview.claims:
            tiles.append(Tile("claims", overview.claims, "sentences that make one"))
        named = f"{overview.named:,} with a named source"
        tiles.append(Tile("statements", overview.statements, named))
        tiles.append(Tile("sources", overview.sources, "with a name"))
        sides = sides_in_words(others, self.labels)
        tiles.append(Tile("stances of people", sum(others.values()), sides))
        if own_stances:
            sides = sides_in_words(own_sides, self.labels)
            tiles.append(Tile("stances of the texts", own_stances, sides))
        return tiles

    def difference_rows(self) -> list[DifferenceRow]:
        """Return the rows of all shares."""
        differences = self._report.differences
        kinds = (
            ("share of statements", differences.quoted),
            ("against, by people", differences.attacked),
            ("against, by the text itself", differences.own),
            ("how outlets write", differences.habits),
        )
        rows = []
        for kind, measures in kinds:
            for measure in measures:
                for value in measure.values:
                    outlet = self.outlet_names[int(value.outlet)]
                    rows.append(DifferenceRow(kind, measure.name, outlet, value))
        return rows

    def examples(self) -> dict[tuple[int, int], Example]:
        """Return (number of the holder, number of the target) → the surest stance of the pair."""
        # Position of a name in the page → number of the person.
        people = {position: person for person, position in self._report.excerpts.positions.items()}
        people[NO_NAME] = TEXT_ITSELF
        surest: dict[tuple[int, int], Example] = {}
        for text, holder, target, _, probability in self._report.excerpts.stances:
            pair = (people[holder], people[target])
            if pair not in surest or probability > surest[pair].probability:
                surest[pair] = Example(text, probability)
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
