"""Attributions nest; token tags do not. The innermost attribution wins each character."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from claimstance.model.labels import ROLES
from claimstance.model.record import Attribution, Record


@dataclass(frozen=True)
class FlatSpan:
    """Characters ``[start, end)`` of a sentence, under one role of one attribution (``event``)."""

    role: str
    event: str
    start: int
    end: int


def event_of(record: Record, index: int) -> str:
    """A name for attribution ``index`` of a record: shared by its other sentences, or its own."""
    attribution = (record.attributions or [])[index]
    return attribution.event or f"{record.id}#{index}"


def extents(records: Sequence[Record]) -> dict[str, int]:
    """The number of characters of each attribution, over all the sentences of a document that it touches."""
    sizes: dict[str, int] = {}
    for record in records:
        for index, attribution in enumerate(record.attributions or ()):
            event = event_of(record, index)
            sizes[event] = sizes.get(event, 0) + size(attribution)
    return sizes


def size(attribution: Attribution) -> int:
    """Its characters, all parts together."""
    return sum(end - start for role in ROLES for start, end in getattr(attribution, role) or ())


def flatten(record: Record, sizes: dict[str, int]) -> list[FlatSpan]:
    """The attributions of a sentence as spans that do not overlap, in order of place.

    ``sizes`` are the ``extents`` of its document: of two attributions over one character, the smaller is the inner.
    """
    painted: list[tuple[str, str] | None] = [None] * len(record.text)
    order = sorted(range(len(record.attributions or ())), key=lambda i: -sizes[event_of(record, i)])
    for index in order:
        attribution, event = (record.attributions or [])[index], event_of(record, index)
        for role in reversed(
            ROLES
        ):  # where the parts of one attribution overlap, source and cue lie in the content
            for start, end in getattr(attribution, role) or ():
                painted[start:end] = [(role, event)] * (end - start)
    spans = []
    place = 0
    for owner, run in groupby(painted):
        end = place + len(list(run))
        if owner and (text := record.text[place:end]).strip():
            left = len(text) - len(text.lstrip())
            spans.append(FlatSpan(*owner, place + left, place + len(text.rstrip())))
        place = end
    return spans
