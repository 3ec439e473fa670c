"""The plots of an evaluation, each with its numbers as a table: of one run, or of two in one plot."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from claimstance.training.evaluation.metrics import Array, calibration_error, precision_recall
from claimstance.training.evaluation.page.drawing import (
    FIRST,
    INK,
    LINE,
    SECOND,
    SOFT,
    as_svg,
    drawing_settings,
    new_axes,
)
from claimstance.training.evaluation.reliability import (
    TARGET_PRECISION,
    ReliabilityBin,
    area_under,
    calibration_error_floor,
    reliability_bins,
    risk_coverage,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MAX_POINTS = 120  # of a curve that are drawn
_TABLE_STEPS = np.linspace(0.1, 1, 10)  # points of a curve that the table lists
_DASHED: Any = (0, (2, 2))
#: Colour, line and marker of the first and the second run, which differ in more than colour.
_STYLES: Any = ((FIRST, "-", "o"), (SECOND, (0, (5, 2)), "s"))
Mask = Any  # (n,) of bool


@dataclass(frozen=True)
class Plot:
    """Represent a plot for the page.

    Attributes:
        title: the title of the plot.
        svg: the drawing, made from numbers alone.
        description: the content in words.
        head: the names of the table's columns.
        rows: the numbers of the table, formatted.
    """

    title: str
    svg: str
    description: str
    head: tuple[str, ...]
    rows: list[tuple[str, ...]]


@dataclass(frozen=True)
class PlottedRun:
    """Represent the answers of one run.

    Attributes:
        probabilities: (n,) the probability of each event, for example that the answer is correct.
        outcomes: (n,) whether each event occurred.
        name: the name of the run, if there are two.
        answered: (n,) whether each answer is given, if the run withholds any.
        threshold: the probability from which the run decides for the label that it ranks by.
    """

    probabilities: Array
    outcomes: Mask
    name: str = ""
    answered: Mask | None = None
    threshold: float | None = None


def percent(share: float, digits: int = 1) -> str:
    """Format a share in per cent."""
    return f"{100 * share:.{digits}f} %"


def reliability_plot(name: str, runs: Sequence[PlottedRun]) -> Plot:
    """Plot how often events occur against their probability.

    The calibration error is the mean distance from the diagonal.
    """
    title = "Reliability"
    descriptions, rows = [], []
    with drawing_settings():
        figure, axes = new_axes()
        _label_axes(axes, "probability given", "share that is true")
        axes.plot([0, 1], [0, 1], color=SOFT, linewidth=0.8, linestyle=_DASHED)

        for run, (colour, line, marker) in zip(runs, _STYLES, strict=False):
            bins = reliability_bins(run.probabilities, run.outcomes)
            if len(runs) == 1:
                _draw_bin_sizes(axes, bins)
            axes.plot(
                [bar.mean_probability for bar in bins],
                [bar.observed_share for bar in bins],
                color=colour,
                linestyle=line,
                marker=marker,
                markersize=4,
            )
            _write_name(axes, run, bins[0].mean_probability, bins[0].observed_share, colour)

            error = calibration_error(run.probabilities, run.outcomes)
            floor = calibration_error_floor(run.probabilities)
            descriptions.append(
                f"expected calibration error {error:.3f} "
                f"({floor:.3f} if every probability were exactly right)"
            )

            for bar in bins:
                row: tuple[str, ...] = (
                    f"{percent(bar.low, 0)} to {percent(bar.high, 0)}",
                    f"{bar.n:,}",
                    percent(bar.mean_probability),
                    percent(bar.observed_share),
                )
                rows.append((run.name, *row) if run.name else row)

        description = _describe(runs, descriptions)
        head: tuple[str, ...] = ("probability", "n", "mean probability", "true")
        if len(runs) > 1:
            head = ("run", *head)
        return Plot(title, as_svg(figure, name, title, description), description, head, rows)


def _draw_bin_sizes(axes: "Axes", bins: Sequence[ReliabilityBin]) -> None:
    """Draw how many answers each bin has, as bars of at most a quarter of the height."""
    largest = max(bar.n for bar in bins)
    axes.bar(
        [bar.low for bar in bins],
        [0.25 * bar.n / largest for bar in bins],
        align="edge",
        width=bins[0].high - bins[0].low,
        color=LINE,
    )


def risk_plot(name: str, runs: Sequence[PlottedRun], precision: float = TARGET_PRECISION) -> Plot:
    """Plot the share of wrong answers against the share of questions answered, most confident first.

    Args:
        name: the prefix of the ids in the SVG.
        runs: one run, or two.
        precision: the precision that answers are given at; a line marks the share of errors that it allows.
    """
    title = "Risk and coverage"
    descriptions, columns = [], []
    with drawing_settings():
        figure, axes = new_axes()
        _label_axes(axes, "share answered, most confident first", "share of these that is wrong")
        axes.axhline(1 - precision, color=SOFT, linewidth=0.8, linestyle=_DASHED)

        highest = 0.0
        for run, (colour, line, _) in zip(runs, _STYLES, strict=False):
            coverage, risk = risk_coverage(run.probabilities, run.outcomes)
            points = _thin(len(coverage))
            axes.plot(coverage[points], risk[points], color=colour, linestyle=line)
            _write_name(axes, run, coverage[-1], risk[-1], colour)
            highest = max(highest, *risk[points])

            abstention = ""
            if run.answered is not None and not run.answered.any():
                abstention = "; the model withholds all answers"
            elif run.answered is not None:
                # Its thresholds differ by label, so that its answers are no point of the curve.
                answered_share = float(run.answered.mean())
                wrong_share = float(1 - run.outcomes[run.answered].mean())
                # The mark may lie on an axis, and must be visible there.
                _draw_diamond(axes, answered_share, wrong_share, clip_on=False)
                abstention = (
                    f"; as the model withholds answers (the diamond) {percent(answered_share)} is "
                    f"answered and {percent(wrong_share)} of that is wrong"
                )
            descriptions.append(
                f"{percent(risk[-1])} wrong if all is answered, area under the curve "
                f"{area_under(coverage, risk):.3f}{abstention}"
            )
            columns.append(_at_steps(coverage, risk))

        axes.set_ylim(0, min(1.0, max(0.2, 1.1 * highest)))
        description = _describe(runs, descriptions)
        return Plot(
            title,
            as_svg(figure, name, title, description),
            description,
            ("answered", *_column_names("wrong", runs)),
            _table_rows(columns),
        )


def precision_recall_plot(name: str, runs: Sequence[PlottedRun]) -> Plot | None:
    """Plot the precision of a ranking against recall; ``None`` if no row has the ranked label."""
    if not all(run.outcomes.any() for run in runs):
        return None
    title = "Precision and recall"
    descriptions, columns = [], []
    with drawing_settings():
        figure, axes = new_axes()
        _label_axes(axes, "recall", "precision")
        axes.set_ylim(0, 1.02)
        chance = float(runs[0].outcomes.mean())
        axes.axhline(chance, color=SOFT, linewidth=0.8, linestyle=_DASHED)

        for run, (colour, line, _) in zip(runs, _STYLES, strict=False):
            recall, precision, thresholds = precision_recall(run.outcomes, run.probabilities)
            points = _thin(len(recall))
            axes.plot(recall[points], precision[points], color=colour, linestyle=line)
            _write_name(axes, run, recall[-1], precision[-1], colour)
            area = float((np.diff(recall, prepend=0) * precision).sum())
            summary = (
                f"average precision {area:.3f}; a ranking by chance has {run.outcomes.mean():.3f}"
            )
            # The last point of the curve from which the model decides for the label is marked.
            decided: Any = ()
            if run.threshold is not None:
                decided = np.flatnonzero(thresholds >= run.threshold)
            if len(decided):
                point = decided[-1]
                _draw_diamond(axes, recall[point], precision[point])
                summary += (
                    f"; decided for from {run.threshold:.2f} on (the diamond): precision "
                    f"{percent(precision[point])}, recall {percent(recall[point])}"
                )
            descriptions.append(summary)
            columns.append(_at_steps(recall, precision))

        description = _describe(runs, descriptions)
        return Plot(
            title,
            as_svg(figure, name, title, description),
            description,
            ("recall", *_column_names("precision", runs)),
            _table_rows(columns),
        )


def differences_plot(name: str, rows: Sequence[tuple[float, float, float, bool]]) -> str:
    """Return the drawing of differences, one below the other, numbered from 1.

    Args:
        name: the prefix of its ids, unique on the page.
        rows: value, low, high and significance of each difference.
    """
    with drawing_settings():
        figure, axes = new_axes(6.2, 0.7 + 0.26 * len(rows))
        axes.axvline(0, color=SOFT, linewidth=1)
        for number, (value, low, high, is_significant) in enumerate(rows, 1):
            colour, marker = (FIRST, "o") if is_significant else (SOFT, "|")
            axes.plot([100 * low, 100 * high], [number, number], color=colour, linewidth=2)
            axes.plot([100 * value], [number], color=colour, marker=marker, markersize=7)
        axes.set(
            ylim=(len(rows) + 0.6, 0.4), yticks=range(1, len(rows) + 1), xlabel="B − A, in points"
        )
        axes.grid(visible=False, axis="y")
        return as_svg(
            figure,
            name,
            "Differences",
            "Each difference with its 95 % interval, by the numbers of the rows "
            "in the table; a disc is more than chance, a stroke may be chance.",
        )


def _label_axes(axes: "Axes", x_label: str, y_label: str) -> None:
    """Label both axes and let them run from 0 to 100 %."""
    from matplotlib.ticker import MaxNLocator, PercentFormatter

    axes.set(xlabel=x_label, ylabel=y_label, xlim=(0, 1), ylim=(0, 1))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(PercentFormatter(1.0, decimals=0, symbol=" %"))
        axis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))


def _write_name(axes: "Axes", run: PlottedRun, x: float, y: float, colour: str) -> None:
    """Write the run's name beside its line, the first above the second so that both can be read."""
    if run.name:
        axes.annotate(
            run.name,
            (x, y),
            (4, 4 if colour == FIRST else -4),
            textcoords="offset points",
            color=colour,
            va="center",
            weight="bold",
            annotation_clip=False,
        )


def _draw_diamond(axes: "Axes", x: float, y: float, clip_on: bool = True) -> None:
    """Draw the mark of the model's own threshold on top of the curves."""
    axes.plot(
        [x],
        [y],
        color=INK,
        marker="D",
        markersize=6,
        linestyle="none",
        clip_on=clip_on,
        zorder=5,
    )


def _describe(runs: Sequence[PlottedRun], descriptions: Sequence[str]) -> str:
    """Join the descriptions of the runs into one sentence."""
    clauses = []
    for run, description in zip(runs, descriptions, strict=True):
        clauses.append(f"{run.name}: {description}" if run.name else description)
    sentence = "; ".join(clauses)
    return f"{sentence[0].upper()}{sentence[1:]}."


def _column_names(name: str, runs: Sequence[PlottedRun]) -> tuple[str, ...]:
    return tuple(f"{name}, {run.name}" if run.name else name for run in runs)


def _table_rows(columns: Sequence[Sequence[str]]) -> list[tuple[str, ...]]:
    """Return rows of a step and the value of each run at it."""
    rows = []
    for step, *values in zip(_TABLE_STEPS, *columns, strict=True):
        rows.append((percent(step, 0), *values))
    return rows


def _thin(size: int) -> list[int]:
    """Return at most ``_MAX_POINTS`` + 1 of the points of a curve, evenly spaced."""
    return sorted({round(i * (size - 1) / _MAX_POINTS) for i in range(_MAX_POINTS + 1)})


def _at_steps(x: Array, y: Array) -> list[str]:
    """Format the value of a curve at the first point that reaches each step."""
    values = []
    for step in _TABLE_STEPS:
        # The tolerance lets a point that misses the step by rounding alone reach it.
        point = min(int(np.searchsorted(x, step - 1e-9)), len(y) - 1)
        values.append(percent(float(y[point])))
    return values
