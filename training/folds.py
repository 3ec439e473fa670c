"""Folds of the train documents, for cross-fitting: a model trained without a fold tells of it what it was not told.

What a teacher says of sentences that it was trained on is little more than their labels; of those that it never saw, it
says what it thinks (out-of-fold predictions, as in Wolpert's stacked generalization, 1992).
"""

from collections.abc import Sequence
from zlib import crc32

from claimstance.model.record import Record
from claimstance.training.answers import document_of


def fold_of(record: Record, folds: int) -> int:
    """The fold of a record, from 0, by the name of its document alone: the same in every dataset."""
    return crc32(document_of(record).encode()) % folds


def without_fold(records: Sequence[Record], fold: int, folds: int) -> list[Record]:
    """The records of all other folds."""
    return [record for record in records if fold_of(record, folds) != fold]
