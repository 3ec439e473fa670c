"""Answers with probabilities, beside what is right: what calibration is fitted on and measured by."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from claimstance.model.predicting import Prediction
from claimstance.model.record import Record, Stance
from claimstance.training.metrics import Array


@dataclass(frozen=True)
class Answers:
    """The answers to n questions of one task.

    Attributes:
        labels: the task's, in the order of the columns.
        probabilities: (n, labels).
        gold: (n,) the column of the right label.
        documents: (n,) the document of each question; those of one are not independent.
        kinds: (n,) the kind of each question: the task, or a part of it (see ``Query.kind``).
    """

    labels: tuple[str, ...]
    probabilities: Array
    gold: NDArray[np.int64]
    documents: NDArray[np.str_]
    kinds: NDArray[np.str_]

    @property
    def confidence(self) -> Array:
        """(n,) the probability of the likeliest label."""
        return np.asarray(self.probabilities.max(axis=1))

    @property
    def right(self) -> NDArray[np.bool_]:
        """(n,) whether the likeliest label is the right one."""
        return np.asarray(self.probabilities.argmax(axis=1) == self.gold)

    @property
    def of_right(self) -> Array:
        """(n,) the probability of the right label."""
        return np.asarray(self.probabilities[np.arange(len(self.gold)), self.gold])

    def where(self, chosen: NDArray[np.bool_]) -> "Answers":
        """Those chosen, of n."""
        return Answers(self.labels, self.probabilities[chosen], self.gold[chosen], self.documents[chosen],
                       self.kinds[chosen])

    def by_kind(self) -> dict[str, "Answers"]:
        """The answers to each kind of question."""
        return {str(kind): self.where(self.kinds == kind) for kind in np.unique(self.kinds)}

    def decided(self, threshold: float | None) -> NDArray[np.int64]:
        """(n,) the column decided for: the last from ``threshold`` on, else the likeliest of the others.

        Without a threshold, the likeliest of all.
        """
        if threshold is None:
            return np.asarray(self.probabilities.argmax(axis=1))
        last = self.probabilities.shape[1] - 1
        other = self.probabilities[:, :last].argmax(axis=1)
        return np.asarray(np.where(self.probabilities[:, last] >= threshold, last, other))


def document_of(record: Record) -> str:
    """The name of the document that a record belongs to; its own where it stands alone."""
    return record.doc_id or record.id


@dataclass(frozen=True)
class Asked:
    """A question that has a right answer, and what was answered.

    Attributes:
        record: the sentence it is about.
        stance: which of the record's stances it is about, if it is one of stance.
        kind: of question (see ``Query.kind``).
        gold: the right label.
        probabilities: label → what was answered.
    """

    record: Record
    stance: Stance | None
    kind: str
    gold: str
    probabilities: dict[str, float]


def asked(task: str, pairs: Sequence[tuple[Record, Prediction]]) -> Iterator[Asked]:
    """Every labelled question of a task, in order."""
    for record, prediction in pairs:
        if task == "stance":
            kinds = prediction.kinds or [task] * len(prediction.stances)
            for stance, kind, probabilities in zip(record.stances or (), kinds, prediction.stances, strict=True):
                if stance.label is not None:
                    yield Asked(record, stance, kind, stance.label, probabilities)
        elif getattr(record, task) is not None:
            yield Asked(record, None, task, getattr(record, task), getattr(prediction, task))


def collect(labels: Sequence[str], task: str, pairs: Sequence[tuple[Record, Prediction]]) -> Answers | None:
    """The answers to every labelled question of a task; ``None`` if there are none."""
    return gather(labels, list(asked(task, pairs)))


def gather(labels: Sequence[str], questions: Sequence[Asked]) -> Answers | None:
    """The answers to these questions; ``None`` if there are none."""
    if not questions:
        return None
    index = {label: column for column, label in enumerate(labels)}
    return Answers(
        tuple(labels), np.array([[one.probabilities[label] for label in labels] for one in questions]),
        np.array([index[one.gold] for one in questions]),
        np.array([document_of(one.record) for one in questions]), np.array([one.kind for one in questions]))
