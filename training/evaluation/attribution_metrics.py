"""Scores of attributions: token overlap and exact spans of each role, and attributions as a whole.

Nested attributions are flattened, the innermost winning, in gold and prediction alike. Tokens are words and single
punctuation marks. A *linked* attribution is right if source, cue and content each share a token with those of one gold
attribution (a part that gold lacks must be lacking), each gold attribution counting once. Contents without a cue, which
go on from elsewhere, are no attributions of their own here.
"""

import re
from collections.abc import Sequence

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_bipartite_matching

from claimstance.model.labels import ROLES
from claimstance.model.prediction import Prediction
from claimstance.model.record import Attribution, Record
from claimstance.training.evaluation.flat_spans import event_of, extents, flatten
from claimstance.training.evaluation.metrics import Array, f1

TOKEN = re.compile(r"\w+|[^\w\s]")
Cell = tuple[int, int]  # sentence number, token number


def attribution_scores(counts: Array) -> dict[str, float]:
    """Metric → value, from counts as ``count_attributions`` gives them, summed over documents."""
    names = [f"{role}.{kind}" for role in ROLES for kind in ("overlap", "exact")] + ["linked"]
    return {
        f"{name}.{key}": value
        for name, row in zip(names, counts, strict=True)
        for key, value in f1(*row).items()
    }


def count_attributions(document: Sequence[tuple[Record, Prediction]]) -> Array:
    """Rows of (true positives, predicted, gold), (7, 3): for each role by overlap and exactly, then linked."""
    gold = [record for record, _ in document]
    found = [as_found(record, prediction) for record, prediction in document]
    tokens = [tokenize(record.text) for record in gold]
    rows = []
    flat = [flat_spans(records, tokens) for records in (gold, found)]
    for role in ROLES:
        spans = [set(spans_of_role.get(role, ())) for spans_of_role in flat]
        cells = [{cell for span in side for cell in span} for side in spans]
        rows.append([len(cells[0] & cells[1]), len(cells[1]), len(cells[0])])
        rows.append([len(spans[0] & spans[1]), len(spans[1]), len(spans[0])])
    rows.append(_linked(_events(gold, tokens), _events(found, tokens)))
    return np.array(rows, dtype=float)


def as_found(record: Record, prediction: Prediction) -> Record:
    """The record with the attributions that were found in place of those annotated."""
    return record.model_copy(update={"attributions": [a for a, _ in prediction.attributions or ()]})


def tokenize(text: str) -> list[tuple[int, int]]:
    """The characters ``[start, end)`` of each token."""
    return [match.span() for match in TOKEN.finditer(text)]


def flat_spans(
    records: Sequence[Record], tokens: Sequence[Sequence[Cell]]
) -> dict[str, list[tuple[Cell, ...]]]:
    """The flattened spans of each role in the sentences of a document, as tuples of tokens."""
    sizes = extents(records)
    spans: dict[str, list[tuple[Cell, ...]]] = {}
    for number, record in enumerate(records):
        for span in flatten(record, sizes):
            if cells := _cells(number, tokens[number], span.start, span.end):
                spans.setdefault(span.role, []).append(cells)
    return spans


def _cells(sentence: int, tokens: Sequence[Cell], start: int, end: int) -> tuple[Cell, ...]:
    return tuple(
        (sentence, i) for i, (left, right) in enumerate(tokens) if left < end and start < right
    )


def _events(
    records: Sequence[Record], tokens: Sequence[Sequence[Cell]]
) -> list[dict[str, set[Cell]]]:
    """The tokens of each role of each attribution, over all its sentences."""
    events: dict[str, dict[str, set[Cell]]] = {}
    for number, record in enumerate(records):
        for index, attribution in enumerate(record.attributions or ()):
            event = events.setdefault(event_of(record, index), {role: set() for role in ROLES})
            for role in ROLES:
                event[role].update(_attribution_cells(number, tokens[number], attribution, role))
    return [event for event in events.values() if event["cue"]]


def _attribution_cells(
    sentence: int, tokens: Sequence[Cell], attribution: Attribution, role: str
) -> set[Cell]:
    return {
        cell
        for start, end in getattr(attribution, role) or ()
        for cell in _cells(sentence, tokens, start, end)
    }


def _linked(gold: list[dict[str, set[Cell]]], found: list[dict[str, set[Cell]]]) -> list[int]:
    """Right, found and gold attributions; as many are right as can be paired one to one."""
    fits = np.array(
        [
            [
                all(one[role] & other[role] or not (one[role] or other[role]) for role in ROLES)
                for other in gold
            ]
            for one in found
        ]
    ).reshape(len(found), len(gold))
    if min(fits.shape) < 2 or not fits.any():
        return [int(fits.any()), len(found), len(gold)]  # nothing to pair: most sentences
    pairs = maximum_bipartite_matching(csr_array(fits), perm_type="column")
    return [int((pairs >= 0).sum()), len(found), len(gold)]
