"""Give each token of a sentence its role according to an annotator; attributions are scored by the same tokens."""

from collections.abc import Sequence

from claimstance.model.record import Entity, Record
from claimstance.training.evaluation.attribution_metrics import tokenize
from claimstance.training.evaluation.flat_spans import attribution_sizes, flatten
from claimstance.training.evaluation.metrics import f1

NOTHING = ""


def attribution_roles(records: Sequence[Record]) -> list[list[str]]:
    """Return the role of each token of each sentence of a document, ``NOTHING`` where it has none.

    Nested attributions are flattened, the innermost winning.
    """
    sizes = attribution_sizes(records)
    roles = []
    for record in records:
        spans = flatten(record, sizes)
        pieces = [(span.start, span.end, span.role) for span in spans]
        roles.append(_roles(record, pieces))
    return roles


def entity_roles(record: Record) -> list[str]:
    """Return the entity label of each token, ``NOTHING`` where it has none; the shorter of two entities wins."""

    def length(entity: Entity) -> int:
        return sum(end - start for start, end in entity.span)

    pieces = []
    # Shorter entities come later and overwrite those that they are nested in.
    for entity in sorted(record.entities or (), key=length, reverse=True):
        for start, end in entity.span:
            pieces.append((start, end, entity.label))
    return _roles(record, pieces)


def _roles(record: Record, pieces: Sequence[tuple[int, int, str]]) -> list[str]:
    """Return the role of each token; of two pieces that overlap a token, the later wins."""
    tokens = tokenize(record.text)
    roles = [NOTHING] * len(tokens)
    for start, end, role in pieces:
        for number, (token_start, token_end) in enumerate(tokens):
            if token_start < end and start < token_end:
                roles[number] = role
    return roles


def overlap(first: Sequence[str], second: Sequence[str]) -> float:
    """Return the mean, over the roles that either has, of the F1 of their tokens; 1 if neither has any."""
    roles = {*first, *second} - {NOTHING}
    if not roles:
        return 1.0
    pairs = list(zip(first, second, strict=True))
    total = 0.0
    for role in sorted(roles):
        common = pairs.count((role, role))
        scores = f1(common, second.count(role), first.count(role))
        total += scores["f1"]
    return total / len(roles)
