"""Distillation: the probabilities of a trained model become soft labels of train sentences.

The method is that of Hinton, Vinyals and Dean (2015).
"""

import logging
import random
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from claimstance.model.article.record_prediction import (
    PendingRecords,
    Prediction,
    begin_document,
    contexts,
)
from claimstance.model.decoding.tags import softmax
from claimstance.model.errors import ConfigError
from claimstance.model.labels import OPINION_HEADS, SENTENCE_TASKS
from claimstance.model.onnx.backend import load_predictor, model_folder
from claimstance.model.predictor import Predictor
from claimstance.model.record import Record
from claimstance.training.data.config import Teacher
from claimstance.training.data.soft_labels import SoftLabels
from claimstance.training.distillation.checks import require_corpora, require_opinion_heads

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
    for teacher in teachers:
        require_corpora(teacher.corpora, records, "data.teachers")
        predictor, _ = load_predictor(model_folder(teacher.model))
        config = predictor.config
        for task in teacher.tasks:
            if task == "opinions":
                require_opinion_heads(config, f"data.teachers: {teacher.model}")
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

        selected = [record for record in records if record.meta.get("corpus") in teacher.corpora]
        groups = contexts(selected)
        # A fixed seed, so that every build has the same random documents.
        sampled = random.Random(0).sample(range(len(groups)), round(teacher.share * len(groups)))
        documents = []
        for index in sorted(sampled):
            document = [selected[number] for number in groups[index]]
            documents.append(document)
        log.info("%s reads %d sentences", predictor.config.name, sum(map(len, documents)))
        _predict_labels(predictor, documents, teacher.tasks, soft, progress)
    return soft


def _predict_labels(
    predictor: Predictor,
    documents: Sequence[Sequence[Record]],
    tasks: Sequence[str],
    soft: dict[str, SoftLabels],
    progress: Progress | None,
) -> None:
    """Add the probabilities of sentences and tokens to ``soft``, and those of stances to the records."""
    heads = ["attribution"] if "attribution" in tasks else []
    if "opinions" in tasks:
        heads += OPINION_HEADS

    def submit(
        document: Sequence[Record],
    ) -> Callable[[], tuple[list[Prediction], list[SoftLabels]]]:
        pending = begin_document(predictor, document)
        return lambda: (pending.result(), _tag_probabilities(pending, heads))

    results = predictor.prefetch(map(submit, documents))
    for document, (predictions, tags) in zip(documents, results, strict=True):
        for record, prediction, record_tags in zip(document, predictions, tags, strict=True):
            labels = dict(record_tags)
            for task in SENTENCE_TASKS:
                if task in tasks:
                    row = list(getattr(prediction, task).values())
                    labels[task] = np.array(row, dtype=np.float32)
            if labels:
                soft.setdefault(record.id, {}).update(labels)
            if "stance" in tasks:
                _set_stance_probabilities(record, prediction)
        if progress:
            progress(len(document))


def _set_stance_probabilities(record: Record, prediction: Prediction) -> None:
    """Set the probabilities of a record's stances."""
    for stance, probabilities in zip(record.stances or (), prediction.stances, strict=True):
        shares = {}
        for label, probability in probabilities.items():
            # Earlier probabilities are those of annotators or of another teacher.
            if stance.probabilities:
                earlier = stance.probabilities.get(label, 0.0)
                probability = (earlier + probability) / 2
            shares[label] = round(probability, 4)
        stance.probabilities = shares


def _tag_probabilities(pending: PendingRecords, heads: Sequence[str]) -> list[SoftLabels]:
    """Return, for each record of a document, token head → probabilities (tokens, tags)."""
    document = pending.document
    by_sentence: list[dict[str, list[np.ndarray]]] = [
        {head: [] for head in heads} for _ in document.texts
    ]
    for submitted in document.windows:
        output = submitted.output.result()
        for head in heads:
            probabilities = softmax(output[head][0])  # (T, tags)
            for piece in submitted.window.pieces:
                rows = probabilities[piece.start : piece.end]
                by_sentence[piece.sentence][head].append(rows)

    by_head = [
        {head: np.concatenate(rows).astype(np.float32) for head, rows in sentence_rows.items()}
        for sentence_rows in by_sentence
    ]
    return [by_head[sentence] for sentence in pending.sentences]
