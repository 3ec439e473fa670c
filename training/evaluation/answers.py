"""Answers with probabilities, beside what is right: what calibration is fitted on and measured by."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from claimstance.model.config import ModelConfig
from claimstance.model.prediction import Prediction
from claimstance.model.record import Record, Stance
from claimstance.training.evaluation.metrics import Array


@dataclass(frozen=True)
class Answers:
    """The answers to n questions of one task.

    Attributes:
        labels: the task's, in the order of the columns.
        probabilities: (n, labels).
        decided: (n,) the column of the label that was answered, which need not be the likeliest.
        gold: (n,) the column of the right label.
        documents: (n,) the document of each question; those of one are not independent.
        kinds: (n,) the kind of each question: the task, or a part of it (see ``Query.kind``).
    """

    labels: tuple[str, ...]
    probabilities: Array
    decided: NDArray[np.int64]
    gold: NDArray[np.int64]
    documents: NDArray[np.str_]
    kinds: NDArray[np.str_]

    @property
    def said(self) -> list[str]:
        """(n,) the label that was answered, by name."""
        return [self.labels[column] for column in self.decided.tolist()]

    @property
    def confidence(self) -> Array:
        """(n,) the probability of the label that was answered."""
        return np.asarray(self.probabilities[np.arange(len(self.gold)), self.decided])

    @property
    def right(self) -> NDArray[np.bool_]:
        """(n,) whether the label that was answered is the right one."""
        return np.asarray(self.decided == self.gold)

    @property
    def of_right(self) -> Array:
        """(n,) the probability of the right label."""
        return np.asarray(self.probabilities[np.arange(len(self.gold)), self.gold])

    def where(self, chosen: NDArray[np.bool_]) -> "Answers":
        """Those chosen, of n."""
        return Answers(
            self.labels,
            self.probabilities[chosen],
            self.decided[chosen],
            self.gold[chosen],
            self.documents[chosen],
            self.kinds[chosen],
        )

    def by_kind(self) -> dict[str, "Answers"]:
        """The answers to each kind of question."""
        return {str(kind): self.where(self.kinds == kind) for kind in np.unique(self.kinds)}


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
        said: the label that was answered.
    """

    record: Record
    stance: Stance | None
    kind: str
    gold: str
    probabilities: dict[str, float]
    said: str

    @property
    def right(self) -> bool:
        """Whether what was answered is right."""
        return self.said == self.gold


def asked(
    config: ModelConfig, task: str, pairs: Sequence[tuple[Record, Prediction]]
) -> Iterator[Asked]:
    """Every labelled question of a task, in order, with what the model of this configuration says."""
    for record, prediction in pairs:
        if task == "stance":
            kinds = prediction.kinds or [task] * len(prediction.stances)
            for stance, kind, probabilities in zip(
                record.stances or (), kinds, prediction.stances, strict=True
            ):
                if stance.label is not None:
                    said = config.decide(kind, probabilities)
                    yield Asked(record, stance, kind, stance.label, probabilities, said)
        elif getattr(record, task) is not None:
            probabilities = getattr(prediction, task)
            yield Asked(
                record,
                None,
                task,
                getattr(record, task),
                probabilities,
                config.decide(task, probabilities),
            )


def collect(
    config: ModelConfig, task: str, pairs: Sequence[tuple[Record, Prediction]]
) -> Answers | None:
    """The answers to every labelled question of a task; ``None`` if there are none."""
    return gather(config.labels[task], list(asked(config, task, pairs)))


def gather(labels: Sequence[str], questions: Sequence[Asked]) -> Answers | None:
    """The answers to these questions; ``None`` if there are none."""
    if not questions:
        return None
    index = {label: column for column, label in enumerate(labels)}
    return Answers(
        tuple(labels),
        np.array([[one.probabilities[label] for label in labels] for one in questions]),
        np.array([index[one.said] for one in questions]),
        np.array([index[one.gold] for one in questions]),
        np.array([document_of(one.record) for one in questions]),
        np.array([one.kind for one in questions]),
    )
