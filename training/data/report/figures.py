"""Figures of a report, in the form that a page needs: shares, histograms, and agreement in words."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from claimstance.training.data.annotators.coefficients import Measure
from claimstance.training.data.annotators.label_agreement import LabelAgreement
from claimstance.training.data.annotators.span_agreement import SpanAgreement
from claimstance.training.data.report.lengths import Lengths
from claimstance.training.data.report.report import NO_LABEL, LabelCounts
from claimstance.training.evaluation.metrics import FEW_DOCUMENTS

#: Thresholds of Krippendorff (2004), *Content Analysis*, chapter 11.
RELIABLE, TENTATIVE = 0.8, 2 / 3
FEW_ITEMS = 100  # with fewer items, a page warns that the coefficient is uncertain

# The size of a histogram, with margins for its axes.
_WIDTH, _HEIGHT = 340, 136
_LEFT, _TOP, _BOTTOM = 4, 20, 20
_MAX_TICKS = 7


@dataclass(frozen=True)
class LabelRow:
    """Represent one label in a table of label counts.

    Attributes:
        label: the label; ``none`` counts sentences that were annotated without labels.
        counts: split → count.
        shares: split → share of the labels in the split; ``None`` for the label ``none``.
    """

    label: str
    counts: dict[str, int]
    shares: dict[str, float | None]


def label_rows(
    labels: Mapping[str, LabelCounts], task: str, names: Iterable[str] = ()
) -> list[LabelRow]:
    """Return the rows of a task's table: ``names`` in their order, other labels, then ``none``.

    Args:
        labels: split → task → label → count.
        task: the task.
        names: labels that have a row even if no sentence has them.
    """
    counts = {split: by_task.get(task, {}) for split, by_task in labels.items()}
    totals = {}
    data_labels: set[str] = set()
    for split, split_counts in counts.items():
        totals[split] = sum(split_counts.values()) - split_counts.get(NO_LABEL, 0)
        data_labels.update(split_counts)

    order = list(dict.fromkeys((*names, *sorted(data_labels))))
    if NO_LABEL in order:
        order.remove(NO_LABEL)
        order.append(NO_LABEL)

    rows = []
    for label in order:
        row = LabelRow(label, counts={}, shares={})
        for split, split_counts in counts.items():
            count = split_counts.get(label, 0)
            row.counts[split] = count
            row.shares[split] = None
            if label != NO_LABEL and totals[split]:
                row.shares[split] = count / totals[split]
        rows.append(row)
    return rows


def tasks_of(labels: Mapping[str, LabelCounts]) -> list[str]:
    """Return the tasks that any split has labels of, sorted."""
    tasks: set[str] = set()
    for by_task in labels.values():
        tasks.update(by_task)
    return sorted(tasks)


@dataclass(frozen=True)
class Bar:
    """Represent a bar of a histogram, in units of its width and height.

    Attributes:
        label: the lengths that it stands for.
        count: the number of sentences.
        x: position of the left side.
        y: position of the upper side.
        width: the width.
        height: the height.
    """

    label: str
    count: int
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Histogram:
    """Represent a histogram as it is drawn, in units of its width and height.

    Attributes:
        bars: from left to right, including empty ones.
        ticks: value → position on the horizontal axis.
        highest: the share of the highest bar of all histograms drawn to this scale.
        limit: position of the limit; ``None`` if it is out of range.
    """

    bars: list[Bar]
    ticks: dict[int, float]
    highest: float
    limit: float | None
    width: int = _WIDTH
    height: int = _HEIGHT
    left: int = _LEFT
    top: int = _TOP
    base: int = _HEIGHT - _BOTTOM


@dataclass(frozen=True)
class _Scale:
    """Represent the scale of the histograms of all splits.

    Attributes:
        bins: the number of bins, up to the last one with a sentence.
        highest: the share of the highest bar.
    """

    bins: int
    highest: float

    @property
    def bin_width(self) -> float:
        """Return the width of a bin."""
        return (_WIDTH - _LEFT) / max(1, self.bins)

    def position(self, bin_number: float) -> float:
        """Return the position of the left end of a bin."""
        return round(_LEFT + bin_number * self.bin_width, 1)


def histograms(lengths: Lengths) -> dict[str, Histogram]:
    """Return a histogram per split. All show shares to one scale, since splits differ in size."""
    bins = 0
    highest = 0.0
    for counts in lengths.counts.values():
        total = sum(counts)
        for index, count in enumerate(counts):
            if count:
                bins = max(bins, index + 1)
                highest = max(highest, count / total)
    scale = _Scale(bins, highest if bins else 1.0)

    ticks = {}
    bins_per_tick = max(1, math.ceil(bins / _MAX_TICKS))
    for index in range(0, bins, bins_per_tick):
        ticks[index * lengths.width] = scale.position(index)
    limit = None
    if lengths.limit is not None and lengths.limit <= bins * lengths.width:
        limit = scale.position(lengths.limit / lengths.width)

    by_split = {}
    for split, counts in lengths.counts.items():
        bars = _bars(lengths, counts, scale)
        by_split[split] = Histogram(bars, ticks, scale.highest, limit)
    return by_split


def _bars(lengths: Lengths, counts: Sequence[int], scale: _Scale) -> list[Bar]:
    """Return the bars of one split, whose bins have these counts."""
    max_height = _HEIGHT - _TOP - _BOTTOM
    bar_width = round(max(scale.bin_width - 1, scale.bin_width * 0.8), 1)
    total = max(1, sum(counts))
    bars = []
    for index, count in enumerate(counts[: scale.bins]):
        # A single sentence among a million still gets a visible bar.
        min_height = 1.0 if count else 0.0
        height = max(count / total / scale.highest * max_height, min_height)
        bar = Bar(
            label=lengths.label(index),
            count=count,
            x=scale.position(index),
            y=round(_HEIGHT - _BOTTOM - height, 1),
            width=bar_width,
            height=round(height, 1),
        )
        bars.append(bar)
    return bars


def verdict(alpha: Measure) -> str:
    """Return an alpha's meaning by the customary thresholds, and its other possible meanings."""
    if alpha.value is None:
        return "not defined: all answers are alike, which tells nothing of agreement beyond chance"
    grade = _grade(alpha.value)
    possible: list[str] = []
    for bound in (alpha.low, alpha.high):
        if bound is not None and _grade(bound) not in (grade, *possible):
            possible.append(_grade(bound))
    if not possible:
        return grade
    return f"{grade}; by its interval perhaps {' or '.join(possible)}"


def _grade(value: float) -> str:
    if value >= RELIABLE:
        return "reliable"
    if value >= TENTATIVE:
        return "good for tentative conclusions"
    if value > 0:
        return "too low to rely on"
    return "no better than chance"


def cautions(items: int, alpha: Measure) -> list[str]:
    """Return reasons why a coefficient of this many items is uncertain."""
    reasons = []
    if 0 < items < FEW_ITEMS:
        reasons.append(
            f"it rests on fewer than {FEW_ITEMS} items, and a few other answers would change it much."
        )
    if items and alpha.value is not None and alpha.low is None:
        reasons.append("it has no interval, which takes two documents or more.")
    return reasons


def few_documents(documents: int) -> str | None:
    """Return a warning if intervals rest on few documents; ``None`` if they do not."""
    if not 1 < documents < FEW_DOCUMENTS:
        return None
    return (
        f"the intervals are drawn from {documents} documents: with fewer than {FEW_DOCUMENTS}, the true ones are "
        "wider."
    )


@dataclass(frozen=True)
class Kappas:
    """Represent Cohen's kappa over pairs of annotators.

    Attributes:
        mean: the mean, weighted by the items that a pair shares.
        lowest: the lowest kappa.
        highest: the highest kappa.
        pairs: number of pairs.
    """

    mean: float
    lowest: float
    highest: float
    pairs: int


def kappas(agreement: LabelAgreement) -> Kappas | None:
    """Return kappa over the pairs for which it is defined; ``None`` if there are none."""
    values = []
    weighted_sum = 0.0
    total = 0
    for pair in agreement.pairs:
        if pair.kappa is not None:
            values.append(pair.kappa)
            weighted_sum += pair.kappa * pair.n
            total += pair.n
    if not values:
        return None
    return Kappas(weighted_sum / total, min(values), max(values), len(values))


def alpha_by_category(agreement: LabelAgreement | SpanAgreement) -> dict[str, float | None]:
    """Return the alpha of each label, or of each role, against all others together."""
    if isinstance(agreement, LabelAgreement):
        return agreement.labels
    return agreement.roles
