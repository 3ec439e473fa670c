"""Flattening of nested attributions: the innermost attribution wins each character.

Attributions nest, but token tags cannot.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from claimstance.model.labels import ROLES
from claimstance.model.record import Record


@dataclass(frozen=True)
class FlatSpan:
    """Represent characters ``[start, end)`` of a sentence in one role of one attribution (``event``)."""

    role: str
    event: str
    start: int
    end: int


def attribution_id(record: Record, index: int) -> str:
    """Return a name for attribution ``index`` of a record, shared by its other sentences."""
    attribution = (record.attributions or [])[index]
    return attribution.event or f"{record.id}#{index}"


def attribution_sizes(records: Sequence[Record]) -> dict[str, int]:
    """Return the number of characters of each attribution, over all sentences of a document."""
    sizes: dict[str, int] = {}
    for record in records:
        for index, attribution in enumerate(record.attributions or ()):
            event = attribution_id(record, index)
            sizes.setdefault(event, 0)
            for role in ROLES:
                for start, end in getattr(attribution, role) or ():
                    sizes[event] += end - start
    return sizes


def flatten(record: Record, sizes: dict[str, int]) -> list[FlatSpan]:
    """Return the attributions of a sentence as ordered spans that do not overlap.

    Args:
        record: the sentence.
        sizes: the ``attribution_sizes`` of its document. Of two attributions that cover the same
            character, the smaller is the inner one.
    """
    attributions = record.attributions or []
    events = [attribution_id(record, index) for index in range(len(attributions))]
    owner_by_char: list[tuple[str, str] | None] = [None] * len(record.text)
    # Smaller attributions come later and overwrite those that they are nested in.
    for index in sorted(range(len(attributions)), key=lambda number: -sizes[events[number]]):
        # Within one attribution, source and cue may lie in the content: they overwrite it.
        for role in reversed(ROLES):
            for start, end in getattr(attributions[index], role) or ():
                owner_by_char[start:end] = [(role, events[index])] * (end - start)

    spans = []
    start = 0
    for owner, run in groupby(owner_by_char):
        end = start + len(list(run))
        text = record.text[start:end]
        if owner is not None and text.strip():
            role, event = owner
            first = start + len(text) - len(text.lstrip())
            last = start + len(text.rstrip())
            spans.append(FlatSpan(role, event, first, last))
        start = end
    return spans
