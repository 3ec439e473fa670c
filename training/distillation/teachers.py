"""Distillation: the probabilities of a trained model become soft labels of train sentences.

The method is that of Hinton, Vinyals and Dean (2015).
"""

import logging
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from claimstance.model.decoding import softmax
from claimstance.model.errors import ConfigError, unknown
from claimstance.model.labels import OPINION_HEADS, SENTENCE_TASKS
from claimstance.model.onnx.backend import load_predictor, model_folder
from claimstance.model.prediction import contexts, predict
from claimstance.model.predictor import Predictor
from claimstance.model.record import Record
from claimstance.training.data.config import Teacher
from claimstance.training.data.soft_labels import SoftLabels

log = logging.getLogger(__name__)

#: Called with the number of sentences that a teacher has read since the last call.
Progress = Callable[[int], None]


def add_soft_labels(
    teachers: Sequence[Teacher],
    records: Sequence[Record],
    labels: Mapping[str, Sequence[str]],
    progress: Progress | None = None,
) -> dict[str, SoftLabels]:
    """Return the soft labels of teachers by record id; those of stances are stored in the records themselves.

    A teacher reads the sentences of a document in each other's context. Stances that annotators or an
    earlier teacher have divided among labels count half, and the teacher's probabilities the other half.

    Args:
        teachers: the teachers, in order.
        records: the train rows; probabilities of their stances are set in place.
        labels: task → label names of the dataset.
        progress: called with the number of sentences read.

    Raises:
        ConfigError: if no record belongs to a corpus of a teacher, or a teacher lacks a task or has other labels.
        ModelError: if the folder of a teacher holds no exported model.
    """
    soft: dict[str, SoftLabels] = {}
    corpora = sorted({str(record.meta.get("corpus")) for record in records})
    for teacher in teachers:
        for name in teacher.corpora:
            if name not in corpora:
                raise ConfigError(f"data.teachers: {unknown('corpus', name, corpora)}")

        predictor, _ = load_predictor(model_folder(teacher.model))
        _check_teacher(predictor, teacher, labels)

        selected = [record for record in records if record.meta.get("corpus") in teacher.corpora]
        log.info("%s reads %d sentences", predictor.config.name, len(selected))
        _predict_labels(predictor, selected, teacher.tasks, soft, progress)
        heads = _token_heads(teacher)
        if heads:
            for record_id, probabilities in _tag_probabilities(predictor, selected, heads).items():
                soft.setdefault(record_id, {}).update(probabilities)
    return soft


def _token_heads(teacher: Teacher) -> list[str]:
    """Return the token heads whose tags the teacher predicts."""
    heads = ["attribution"] if "attribution" in teacher.tasks else []
    if "opinions" in teacher.tasks:
        heads += OPINION_HEADS
    return heads


def _check_teacher(
    predictor: Predictor, teacher: Teacher, labels: Mapping[str, Sequence[str]]
) -> None:
    """Raise ``ConfigError`` if a teacher lacks a task, or has other labels for it than the dataset."""
    config = predictor.config
    for task in teacher.tasks:
        if task == "opinions":
            if not config.opinion_heads:
                raise ConfigError(
                    f"data.teachers: {teacher.model}: expected a model that finds holders and targets of stances, "
                    "found one without these heads"
                )
            continue
        if task not in config.tasks:
            raise ConfigError(
                f"data.teachers: {teacher.model}: expected a model of {task}, found one of "
                f"{', '.join(config.tasks)}"
            )
        expected, actual = labels.get(task), config.labels.get(task)
        if actual is not None and expected is not None and tuple(actual) != tuple(expected):
            raise ConfigError(
                f"data.teachers: {teacher.model}: {task}: expected the labels {', '.join(expected)}, "
                f"in this order, found {', '.join(actual)}"
            )


def _predict_labels(
    predictor: Predictor,
    records: Sequence[Record],
    tasks: Sequence[str],
    soft: dict[str, SoftLabels],
    progress: Progress | None,
) -> None:
    """Add the probabilities of sentence tasks to ``soft``, and those of stances to the records."""
    for record, prediction in zip(records, predict(predictor, records), strict=True):
        for task in SENTENCE_TASKS:
            if task in tasks:
                row = np.array(list(getattr(prediction, task).values()), dtype=np.float32)
                soft.setdefault(record.id, {})[task] = row
        if "stance" in tasks:
            for stance, probabilities in zip(record.stances or (), prediction.stances, strict=True):
                shares = {}
                for label, probability in probabilities.items():
                    # Earlier probabilities are those of annotators or of another teacher.
                    if stance.probabilities:
                        earlier = stance.probabilities.get(label, 0.0)
                        probability = (earlier + probability) / 2
                    shares[label] = round(probability, 4)
                stance.probabilities = shares
        if progress:
            progress(1)


def _tag_probabilities(
    predictor: Predictor, records: Sequence[Record], heads: Sequence[str]
) -> dict[str, SoftLabels]:
    """Return record id → token head → probabilities (tokens, tags)."""
    tags: dict[str, SoftLabels] = {}
    for group in contexts(records):
        tokens = predictor.windows.tokenize([records[number].text for number in group])
        pieces: list[dict[str, list[np.ndarray]]] = [{head: [] for head in heads} for _ in group]
        for window in predictor.windows.windows(enumerate(tokens)):
            spans = [(0, piece.start, piece.end) for piece in window.pieces]
            output = predictor.backend.read(
                np.array([window.ids], dtype=np.int64),
                np.array([window.segments], dtype=np.int64),
                np.array(spans, dtype=np.int64),
            )
            for head in heads:
                probabilities = softmax(output[head][0])  # (T, tags)
                for piece in window.pieces:
                    pieces[piece.sentence][head].append(probabilities[piece.start : piece.end])
        for number, by_head in zip(group, pieces, strict=True):
            tags[records[number].id] = {
                head: np.concatenate(rows).astype(np.float32) for head, rows in by_head.items()
            }
    return tags
