"""Kinds of errors in marking spans: missed, with another boundary, under another label, or spurious.

Every annotated span counts once, under the first kind that applies: ``right`` (predicted exactly),
``boundary`` (a prediction of its label shares some of it), ``other`` (a prediction of another label
does), ``missed``. A predicted span is ``spurious`` if it is not right, shares nothing with an
annotated span of its label, and does not explain a boundary or label error.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import partial

LabelledSpan = tuple[str, int, int]  # label, start, end (exclusive): in characters or tokens
Errors = Counter[tuple[str, str]]  # (label, kind) → count

KINDS = ("right", "boundary", "other", "missed", "spurious")


def span_errors(gold: Sequence[LabelledSpan], predicted: Sequence[LabelledSpan]) -> Errors:
    """Count the kinds of all annotated and predicted spans of a sentence; repeated spans count once."""
    counts: Errors = Counter()
    exact = set(gold) & set(predicted)
    inexact = [span for span in dict.fromkeys(predicted) if span not in exact]
    explained: set[LabelledSpan] = set()

    for span in dict.fromkeys(gold):
        label = span[0]
        if span in exact:
            counts[label, "right"] += 1
            continue
        near = [candidate for candidate in inexact if _overlap(span, candidate)]
        if not near:
            counts[label, "missed"] += 1
            continue
        same_label = [candidate for candidate in near if candidate[0] == label]
        counts[label, "boundary" if same_label else "other"] += 1
        explained.add(max(same_label or near, key=partial(_overlap, span)))

    for span in inexact:
        same_label = [candidate for candidate in gold if candidate[0] == span[0]]
        touches_gold = any(_overlap(span, candidate) for candidate in same_label)
        if span not in explained and not touches_gold:
            counts[span[0], "spurious"] += 1
    return counts


def _overlap(first: LabelledSpan, second: LabelledSpan) -> int:
    """Return the number of characters or tokens that two spans share."""
    return max(0, min(first[2], second[2]) - max(first[1], second[1]))


def sum_errors(errors_of_sentences: Iterable[Errors]) -> Errors:
    """Return the errors of several sentences together."""
    total: Errors = Counter()
    for errors in errors_of_sentences:
        total.update(errors)
    return total


def count_errors(errors: Errors) -> int:
    """Return the number of errors of all kinds."""
    return sum(n for (_, kind), n in errors.items() if kind != "right")
