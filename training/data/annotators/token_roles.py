"""Give each token of a sentence its role according to an annotator, over the tokens that attributions are scored by."""

from collections.abc import Sequence

from claimstance.model.record import Record
from claimstance.training.evaluation.attribution_metrics import TOKEN
from claimstance.training.evaluation.flat_spans import attribution_sizes, flatten
from claimstance.training.evaluation.metrics import f1

NOTHING = ""


def attribution_roles(records: Sequence[Record]) -> list[list[str]]:
    """The role of each token of each sentence of a document, ``NOTHING`` where it has none.

    Nested attributions are flattened, the innermost winning.
    """
    sizes = attribution_sizes(records)
    return [
        _roles(record, [(span.start, span.end, span.role) for span in flatten(record, sizes)])
        for record in records
    ]


def entity_roles(record: Record) -> list[str]:
    """The entity label of each token, ``NOTHING`` where it has none; the shorter of two entities wins."""
    pieces = [
        (start, end, entity.label)
        for entity in sorted(record.entities or (), key=lambda e: -_length(e.span))
        for start, end in entity.span
    ]
    return _roles(record, pieces)


def _length(span: Sequence[tuple[int, int]]) -> int:
    return sum(end - start for start, end in span)


def _roles(record: Record, pieces: Sequence[tuple[int, int, str]]) -> list[str]:
    tokens = [match.span() for match in TOKEN.finditer(record.text)]
    roles = [NOTHING] * len(tokens)
    for start, end, role in pieces:
        for i, (left, right) in enumerate(tokens):
            if left < end and start < right:
                roles[i] = role
    return roles


def overlap(first: Sequence[str], second: Sequence[str]) -> float:
    """The mean, over the roles that either has, of the F1 of their tokens; 1 if neither has any."""
    pairs = list(zip(first, second, strict=True))
    scores = [
        f1(pairs.count((role, role)), second.count(role), first.count(role))["f1"]
        for role in sorted({*first, *second} - {NOTHING})
    ]
    return sum(scores) / len(scores) if scores else 1.0
