"""Answers with probabilities beside gold labels: the input of calibration and of its metrics."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from claimstance.model.article.record_prediction import Prediction
from claimstance.model.config import ModelConfig
from claimstance.model.record import Record, Stance
from claimstance.training.evaluation.metrics import Array


@dataclass(frozen=True)
class ScoredAnswer:
    """Represent the answer to one labelled question.

    Attributes:
        record: the sentence of the question.
        stance: the stance of the record that the question is about; ``None`` for other tasks.
        kind: the task, or a kind of stance query such as ``stance.topic``.
        gold: the gold label.
        probabilities: label → probability.
        predicted: the label that the model chose.
    """

    record: Record
    stance: Stance | None
    kind: str
    gold: str
    probabilities: dict[str, float]
    predicted: str

    @property
    def is_correct(self) -> bool:
        """Return whether the predicted label is the gold label."""
        return self.predicted == self.gold


@dataclass(frozen=True)
class Answers:
    """Represent the answers to n questions of one task as arrays.

    Attributes:
        labels: the labels of the task, in the order of the columns.
        probabilities: (n, labels).
        predicted: (n,) the column of the chosen label, which need not be the most probable.
        gold: (n,) the column of the gold label.
        documents: (n,) the document of each question; rows of one document are not independent.
        kinds: (n,) the kind of each question (see ``ScoredAnswer``).
    """

    labels: tuple[str, ...]
    probabilities: Array
    predicted: NDArray[np.int64]
    gold: NDArray[np.int64]
    documents: NDArray[np.str_]
    kinds: NDArray[np.str_]

    @property
    def predicted_labels(self) -> list[str]:
        """Return the name of each chosen label, (n,)."""
        return [self.labels[column] for column in self.predicted.tolist()]

    @property
    def confidence(self) -> Array:
        """Return the probability of each chosen label, (n,)."""
        rows = np.arange(len(self.gold))
        return np.asarray(self.probabilities[rows, self.predicted])

    @property
    def correct(self) -> NDArray[np.bool_]:
        """Return whether each chosen label is the gold label, (n,)."""
        return np.asarray(self.predicted == self.gold)

    @property
    def gold_probability(self) -> Array:
        """Return the probability of each gold label, (n,)."""
        rows = np.arange(len(self.gold))
        return np.asarray(self.probabilities[rows, self.gold])

    def select(self, rows: NDArray[np.bool_]) -> "Answers":
        """Return the answers of the selected rows; ``rows`` is a mask (n,)."""
        return Answers(
            self.labels,
            self.probabilities[rows],
            self.predicted[rows],
            self.gold[rows],
            self.documents[rows],
            self.kinds[rows],
        )

    def by_kind(self) -> dict[str, "Answers"]:
        """Return the answers to each kind of the question."""
        answers = {}
        for kind in np.unique(self.kinds):
            answers[str(kind)] = self.select(self.kinds == kind)
        return answers


def document_of(record: Record) -> str:
    """Return the name of a record's document; the record's own id if it belongs to none."""
    return record.doc_id or record.id


def iter_answers(
    config: ModelConfig, task: str, pairs: Sequence[tuple[Record, Prediction]]
) -> Iterator[ScoredAnswer]:
    """Yield the answer to every labelled question of a task, in order.

    Args:
        config: the configuration of the model, which decides for a label.
        task: a task that has labels.
        pairs: each record with the model's prediction.
    """
    for record, prediction in pairs:
        if task != "stance":
            gold = getattr(record, task)
            if gold is not None:
                probabilities = getattr(prediction, task)
                predicted = config.predict_label(task, probabilities)
                yield ScoredAnswer(record, None, task, gold, probabilities, predicted)
            continue
        kinds = prediction.kinds or ["stance"] * len(prediction.stances)
        for stance, kind, probabilities in zip(
            record.stances or (), kinds, prediction.stances, strict=True
        ):
            gold = stance.label
            if gold is not None:
                predicted = config.predict_label(kind, probabilities)
                yield ScoredAnswer(record, stance, kind, gold, probabilities, predicted)


def collect(
    config: ModelConfig, task: str, pairs: Sequence[tuple[Record, Prediction]]
) -> Answers | None:
    """Return the answers to every labelled question of a task; ``None`` if there are none."""
    answers = list(iter_answers(config, task, pairs))
    return stack(config.labels[task], answers) if answers else None


def stack(labels: Sequence[str], answers: Sequence[ScoredAnswer]) -> Answers:
    """Return answers as arrays; there must be at least one."""
    column = {label: number for number, label in enumerate(labels)}
    probabilities = [[answer.probabilities[label] for label in labels] for answer in answers]
    return Answers(
        tuple(labels),
        np.array(probabilities),
        np.array([column[answer.predicted] for answer in answers]),
        np.array([column[answer.gold] for answer in answers]),
        np.array([document_of(answer.record) for answer in answers]),
        np.array([answer.kind for answer in answers]),
    )
