"""Folds of the train documents, for cross-fitting (see ``claimstance.training.distillation.cross_fitting``)."""

from collections.abc import Sequence
from zlib import crc32

from claimstance.model.record import Record
from claimstance.training.evaluation.answers import document_of


def fold_of(record: Record, folds: int) -> int:
    """Return the fold of a record, from 0.

    It depends on the name of the record's document alone, so it is the same in every dataset.
    """
    return crc32(document_of(record).encode()) % folds


def without_fold(records: Sequence[Record], fold: int, folds: int) -> list[Record]:
    """Return the records of all other folds."""
    return [record for record in records if fold_of(record, folds) != fold]
