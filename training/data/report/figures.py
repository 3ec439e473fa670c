"""The figures of a report, worked out as far as a page needs them: shares, histograms, and agreement in words."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from claimstance.training.data.annotators.coefficients import Measure
from claimstance.training.data.annotators.label_agreement import LabelAgreement
from claimstance.training.data.annotators.span_agreement import SpanAgreement
from claimstance.training.data.report.lengths import Lengths
from claimstance.training.data.report.report import LabelCounts
from claimstance.training.evaluation.metrics import FEW_DOCUMENTS

#: Krippendorff (2004), *Content Analysis*, chapter 11: to be relied on, and for tentative conclusions.
RELIABLE, TENTATIVE = 0.8, 2 / 3
FEW_ITEMS = 100  # with fewer, a page warns: so few are easily unlike the rest
NONE = "none"  # what ``count_labels`` calls rows annotated with an empty list

_WIDTH, _HEIGHT, _LEFT, _TOP, _BOTTOM = (
    340,
    136,
    4,
    20,
    20,
)  # of a histogram, with room for its axes


@dataclass(frozen=True)
class LabelRow:
    """A label, with its number in each split and the share of the split's labels; ``none`` counts sentences instead."""

    label: str
    counts: dict[str, int]
    shares: dict[str, float | None]


def label_rows(
    labels: Mapping[str, LabelCounts], task: str, names: Iterable[str] = ()
) -> list[LabelRow]:
    """The rows of one task's table: ``names`` first, in their order, then what else was found; ``none`` last."""
    counts = {split: found.get(task, {}) for split, found in labels.items()}
    totals = {
        split: sum(n for label, n in count.items() if label != NONE)
        for split, count in counts.items()
    }
    found = dict.fromkeys(
        (*names, *sorted({label for count in counts.values() for label in count}))
    )
    order = [label for label in found if label != NONE] + [NONE] * (NONE in found)
    return [
        LabelRow(
            label,
            {split: count.get(label, 0) for split, count in counts.items()},
            {
                split: _share(count.get(label, 0), totals[split]) if label != NONE else None
                for split, count in counts.items()
            },
        )
        for label in order
    ]


def tasks_of(labels: Mapping[str, LabelCounts]) -> list[str]:
    """The tasks that any split has labels of."""
    return sorted({task for found in labels.values() for task in found})


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


@dataclass(frozen=True)
class Bar:
    """A bar of a histogram: what it counts, how many, and its place in the drawing."""

    label: str
    count: int
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Histogram:
    """A histogram as it is drawn; places are in units of its width and height.

    Attributes:
        bars: from left to right, empty ones too.
        ticks: value on the horizontal axis → place.
        highest: the share of the highest bar that any of the histograms beside it has.
        limit: the place of the limit, if it is in sight.
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


def histograms(lengths: Lengths) -> dict[str, Histogram]:
    """A histogram for each split, all to one scale: of shares, since splits differ in size."""
    counts, width, limit = lengths.counts, lengths.width, lengths.limit
    bins = max(
        (place for count in counts.values() for place, n in enumerate(count, 1) if n), default=0
    )
    shares = {split: [n / max(1, sum(count)) for n in count] for split, count in counts.items()}
    highest = max((share for values in shares.values() for share in values), default=0) or 1.0
    step, room = (_WIDTH - _LEFT) / max(1, bins), _HEIGHT - _TOP - _BOTTOM

    def bar(place: int, count: int, share: float) -> Bar:
        height = max(
            share / highest * room, 1.0 if count else 0.0
        )  # one sentence among a million is still seen
        return Bar(
            lengths.label(place),
            count,
            round(_LEFT + place * step, 1),
            round(_HEIGHT - _BOTTOM - height, 1),
            round(max(step - 1, step * 0.8), 1),
            round(height, 1),
        )

    ticks = {
        place * width: round(_LEFT + place * step, 1)
        for place in range(0, bins, max(1, -(-bins // 7)))
    }
    line = None if limit is None or limit > bins * width else round(_LEFT + limit / width * step, 1)
    return {
        split: Histogram(
            [bar(place, n, shares[split][place]) for place, n in enumerate(count[:bins])],
            ticks,
            highest,
            line,
        )
        for split, count in counts.items()
    }


def verdict(alpha: Measure) -> str:
    """What an alpha means by the customary thresholds, and what it may be by its interval."""
    if alpha.value is None:
        return "not defined: all answers are alike, which tells nothing of agreement beyond chance"
    found = _grade(alpha.value)
    others = dict.fromkeys(_grade(bound) for bound in (alpha.low, alpha.high) if bound is not None)
    others.pop(found, None)
    return f"{found}; by its interval perhaps {' or '.join(others)}" if others else found


def _grade(value: float) -> str:
    if value >= RELIABLE:
        return "reliable"
    if value >= TENTATIVE:
        return "good for tentative conclusions"
    return "too low to rely on" if value > 0 else "no better than chance"


def cautions(items: int, alpha: Measure) -> list[str]:
    """Why a coefficient of so many items says little."""
    found = []
    if 0 < items < FEW_ITEMS:
        found.append(
            f"it rests on fewer than {FEW_ITEMS} items, and a few other answers would change it much."
        )
    if items and alpha.value is not None and alpha.low is None:
        found.append("it has no interval, which takes two documents or more.")
    return found


def few_documents(documents: int) -> str | None:
    """Why intervals drawn from so many documents say little; ``None`` if they do not."""
    if not 1 < documents < FEW_DOCUMENTS:
        return None
    return (
        f"the intervals are drawn from {documents} documents: with fewer than {FEW_DOCUMENTS}, the true ones are "
        "wider."
    )


@dataclass(frozen=True)
class Kappas:
    """Cohen's kappa of pairs of annotators: the mean, weighted by the items they share, the least and the greatest."""

    mean: float
    least: float
    greatest: float
    pairs: int


def kappas(agreement: LabelAgreement) -> Kappas | None:
    """Of the pairs of annotators whose kappa is defined; ``None`` if there are none."""
    known = [(pair.kappa, pair.n) for pair in agreement.pairs if pair.kappa is not None]
    if not known:
        return None
    values = [kappa for kappa, _ in known]
    mean = sum(kappa * n for kappa, n in known) / sum(n for _, n in known)
    return Kappas(mean, min(values), max(values), len(values))


def parts_of(agreement: LabelAgreement | SpanAgreement) -> dict[str, float | None]:
    """Alpha of each label, or of each role, against all others together."""
    return agreement.labels if isinstance(agreement, LabelAgreement) else agreement.roles
