"""The pictures of an evaluation, each with its numbers as a table: of one run, or of two over each other."""

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
    blank,
    settings,
)
from claimstance.training.evaluation.reliability import (
    PROMISE,
    area_under,
    bins,
    risk_coverage,
    unavoidable_error,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_POINTS = 120  # of a curve that are drawn
_STEPS = np.linspace(0.1, 1, 10)  # of a curve that are told as numbers
_STYLES = (
    (FIRST, "-", "o"),
    (SECOND, (0, (5, 2)), "s"),
)  # of the first run and the second: never by colour alone
Truth = Any  # (n,) of bool


@dataclass(frozen=True)
class Picture:
    """A picture for the page.

    Attributes:
        title: what it is.
        svg: the drawing, made here from numbers alone.
        told: what it shows, in words.
        head: the names of its numbers' columns.
        rows: its numbers, as they are to be read.
    """

    title: str
    svg: str
    told: str
    head: tuple[str, ...]
    rows: list[tuple[str, ...]]


@dataclass(frozen=True)
class Run:
    """What a run said: how sure it was (n,), and whether that was true (n,); its name where there are two.

    ``given`` tells which answers it gives (n,), if it withholds any; ``threshold`` is the probability from which it
    decides for what it ranks by.
    """

    sure: Array
    true: Truth
    name: str = ""
    given: Truth | None = None
    threshold: float | None = None


def percent(share: float, digits: int = 1) -> str:
    """A share as a reader expects it."""
    return f"{100 * share:.{digits}f} %"


def _told(runs: Sequence[Run], told: Sequence[str]) -> str:
    words = "; ".join(
        f"{run.name}: {said}" if run.name else said for run, said in zip(runs, told, strict=True)
    )
    return f"{words[0].upper()}{words[1:]}."


def _named(head: str, runs: Sequence[Run]) -> tuple[str, ...]:
    return tuple(f"{head}, {run.name}" if run.name else head for run in runs)


def _axes(axes: "Axes", across: str, up: str) -> None:
    from matplotlib.ticker import MaxNLocator, PercentFormatter

    axes.set(xlabel=across, ylabel=up, xlim=(0, 1), ylim=(0, 1))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(PercentFormatter(1.0, decimals=0, symbol=" %"))
        axis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))


def _end(axes: "Axes", run: Run, x: float, y: float, colour: str) -> None:
    """The run's name where its line ends: the first one's somewhat above, so that both can be read."""
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


def _thinned(size: int) -> list[int]:
    return sorted({round(i * (size - 1) / _POINTS) for i in range(_POINTS + 1)})


def reliability_diagram(name: str, runs: Sequence[Run]) -> Picture:
    """How often what was said with a probability is true; the calibration error is the mean distance from the line."""
    title = "Reliability"
    told, rows = [], []
    with settings():
        figure, axes = blank()
        _axes(axes, "probability given", "share that is true")
        axes.plot([0, 1], [0, 1], color=SOFT, linewidth=0.8, linestyle=(0, (2, 2)))
        for run, (colour, line, marker) in zip(runs, _STYLES, strict=False):
            found = bins(run.sure, run.true)
            if len(runs) == 1:
                most = max(one.n for one in found)
                axes.bar(
                    [one.low for one in found],
                    [0.25 * one.n / most for one in found],
                    align="edge",
                    width=found[0].high - found[0].low,
                    color=LINE,
                )
            axes.plot(
                [one.said for one in found],
                [one.true for one in found],
                color=colour,
                linestyle=line,
                marker=marker,
                markersize=4,
            )
            _end(axes, run, found[0].said, found[0].true, colour)
            told.append(
                f"expected calibration error {calibration_error(run.sure, run.true):.3f} "
                f"({unavoidable_error(run.sure):.3f} if every probability were exactly right)"
            )
            rows += [
                (
                    *filter(None, [run.name]),
                    f"{percent(one.low, 0)} to {percent(one.high, 0)}",
                    f"{one.n:,}",
                    percent(one.said),
                    percent(one.true),
                )
                for one in found
            ]
        words = _told(runs, told)
        head = (*["run"] * (len(runs) > 1), "probability", "n", "mean probability", "true")
        return Picture(title, as_svg(figure, name, title, words), words, head, rows)


def risk_picture(name: str, runs: Sequence[Run]) -> Picture:
    """How many answers are wrong if only the surest are given, with the share that the model gives marked."""
    title = "Risk and coverage"
    told, columns = [], []
    with settings():
        figure, axes = blank()
        _axes(axes, "share answered, the surest first", "share of these that is wrong")
        axes.axhline(1 - PROMISE, color=SOFT, linewidth=0.8, linestyle=(0, (2, 2)))
        highest = 0.0
        for run, (colour, line, _) in zip(runs, _STYLES, strict=False):
            coverage, risk = risk_coverage(run.sure, run.true)
            kept = _thinned(len(coverage))
            axes.plot(coverage[kept], risk[kept], color=colour, linestyle=line)
            _end(axes, run, coverage[-1], risk[-1], colour)
            highest = max(highest, *risk[kept])
            told.append(
                f"{percent(risk[-1])} wrong if all is answered, area under the curve "
                f"{area_under(coverage, risk):.3f}{_withheld(axes, run)}"
            )
            columns.append([percent(_at(coverage, risk, step)) for step in _STEPS])
        axes.set_ylim(0, min(1.0, max(0.2, 1.1 * highest)))
        words = _told(runs, told)
        rows = [
            (percent(step, 0), *values)
            for step, values in zip(_STEPS, zip(*columns, strict=True), strict=True)
        ]
        return Picture(
            title,
            as_svg(figure, name, title, words),
            words,
            ("answered", *_named("wrong", runs)),
            rows,
        )


def _withheld(axes: "Axes", run: Run) -> str:
    """Marks what the model gives, each label from a probability of its own; that in words."""
    if run.given is None:
        return ""
    share = float(run.given.mean())
    if not share:
        return "; the model withholds all answers"
    wrong = float(1 - run.true[run.given].mean())
    axes.plot(
        [share],
        [wrong],
        color=INK,
        marker="D",
        markersize=6,
        linestyle="none",
        clip_on=False,
        zorder=5,
    )
    return (
        f"; as the model withholds answers (the diamond) {percent(share)} is answered and {percent(wrong)} of "
        "that is wrong"
    )


def _at(across: Array, up: Array, place: float) -> float:
    """The value of a curve at the first of its points that reaches ``place``."""
    return float(up[min(int(np.searchsorted(across, place - 1e-9)), len(up) - 1)])


def precision_recall_picture(name: str, runs: Sequence[Run]) -> Picture | None:
    """How precise a ranking is down to each recall; ``None`` where nothing has the label that is ranked by."""
    if not all(run.true.any() for run in runs):
        return None
    title = "Precision and recall"
    told, columns = [], []
    with settings():
        figure, axes = blank()
        _axes(axes, "recall", "precision")
        axes.set_ylim(0, 1.02)
        axes.axhline(float(runs[0].true.mean()), color=SOFT, linewidth=0.8, linestyle=(0, (2, 2)))
        for run, (colour, line, _) in zip(runs, _STYLES, strict=False):
            recall, precision, scores = precision_recall(run.true, run.sure)
            kept = _thinned(len(recall))
            axes.plot(recall[kept], precision[kept], color=colour, linestyle=line)
            _end(axes, run, recall[-1], precision[-1], colour)
            area = float((np.diff(recall, prepend=0) * precision).sum())
            told.append(
                f"average precision {area:.3f}; a ranking by chance has {run.true.mean():.3f}"
                + _decided(axes, run, (recall, precision, scores))
            )
            columns.append([percent(_at(recall, precision, step)) for step in _STEPS])
        words = _told(runs, told)
        rows = [
            (percent(step, 0), *values)
            for step, values in zip(_STEPS, zip(*columns, strict=True), strict=True)
        ]
        return Picture(
            title,
            as_svg(figure, name, title, words),
            words,
            ("recall", *_named("precision", runs)),
            rows,
        )


def _decided(axes: "Axes", run: Run, curve: tuple[Array, Array, Array]) -> str:
    """Marks where the label is decided for; that in words."""
    recall, precision, scores = curve
    given = np.flatnonzero(scores >= (2.0 if run.threshold is None else run.threshold))
    if not len(given):
        return ""
    place = given[-1]
    axes.plot(
        [recall[place]],
        [precision[place]],
        color=INK,
        marker="D",
        markersize=6,
        linestyle="none",
        zorder=5,
    )
    return (
        f"; decided for from {run.threshold:.2f} on (the diamond): precision {percent(precision[place])}, recall "
        f"{percent(recall[place])}"
    )


def differences_picture(name: str, rows: Sequence[tuple[float, float, float, bool]]) -> str:
    """Differences (value, low, high, whether that is more than chance), one below the other, numbered from 1."""
    with settings():
        figure, axes = blank(6.2, 0.7 + 0.26 * len(rows))
        axes.axvline(0, color=SOFT, linewidth=1)
        for number, (value, low, high, significant) in enumerate(rows, 1):
            colour = FIRST if significant else SOFT
            axes.plot([100 * low, 100 * high], [number, number], color=colour, linewidth=2)
            axes.plot(
                [100 * value],
                [number],
                color=colour,
                marker="o" if significant else "|",
                markersize=7,
            )
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
