"""What kinds of errors are made in marking spans: nothing found, too much or too little of it, under another name.

Every annotated span is counted once, under the first of these that is true of it: ``right`` (found as it is),
``boundary`` (one of its label was found that shares some of it), ``other`` (one of another label was), ``missed``. A
span that was found is ``spurious`` if it is not right, shares nothing with an annotated one of its label, and accounts
for no error of those.
"""

from collections import Counter
from collections.abc import Iterable, Sequence

Placed = tuple[str, int, int]  # label, start, end (exclusive): in characters or tokens
Errors = Counter[tuple[str, str]]  # (label, kind) → how many

KINDS = ("right", "boundary", "other", "missed", "spurious")


def span_errors(gold: Sequence[Placed], found: Sequence[Placed]) -> Errors:
    """The kinds of all spans of a sentence, annotated and found; spans of a side are each another."""
    counts: Errors = Counter()
    exact = set(gold) & set(found)
    left = [span for span in dict.fromkeys(found) if span not in exact]
    taken: set[Placed] = set()
    for span in dict.fromkeys(gold):
        kind, accounts = ("right", None) if span in exact else _why(span, left)
        counts[span[0], kind] += 1
        if accounts:
            taken.add(accounts)
    for span in left:
        if span not in taken and not any(
            span[0] == other[0] and _shared(span, other) for other in gold
        ):
            counts[span[0], "spurious"] += 1
    return counts


def _why(span: Placed, found: Sequence[Placed]) -> tuple[str, Placed | None]:
    """What was made of an annotated span, and the span that was found in its place."""
    near = [other for other in found if _shared(span, other)]
    for kind, some in (
        ("boundary", [other for other in near if other[0] == span[0]]),
        ("other", near),
    ):
        if some:
            return kind, max(some, key=lambda other: _shared(span, other))
    return "missed", None


def _shared(span: Placed, other: Placed) -> int:
    """How many characters or tokens both have."""
    return max(0, min(span[2], other[2]) - max(span[1], other[1]))


def summed(some: Iterable[Errors]) -> Errors:
    """All of them together."""
    total: Errors = Counter()
    for errors in some:
        total.update(errors)
    return total


def wrong(errors: Errors) -> int:
    """How many errors there are in all."""
    return sum(n for (_, kind), n in errors.items() if kind != "right")
