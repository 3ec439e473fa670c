"""Held-out evaluation: predictions beside gold labels, scored corpus by corpus and task by task."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict

import numpy as np

from claimstance.model.article.record_prediction import Prediction, predict
from claimstance.model.config import ModelConfig
from claimstance.model.predictor import Predictor
from claimstance.model.record import Record
from claimstance.training.evaluation.answers import Answers, collect, document_of
from claimstance.training.evaluation.attribution_metrics import count_attributions
from claimstance.training.evaluation.counts import Outcome, Outcomes, digest
from claimstance.training.evaluation.directed_metrics import score_directed
from claimstance.training.evaluation.metrics import (
    Array,
    Figure,
    confusion_matrices,
    ranking_figures,
)
from claimstance.training.evaluation.reliability import (
    RANKED,
    binary_outcomes,
    reliability_figures,
)

Pair = tuple[Record, Prediction]
Results = dict[str, dict[str, Figure]]  # "corpus/task" → metric → figure
PlainFigures = dict[str, dict[str, dict[str, float]]]  # the same, with value, low, high and n

#: The metrics whose mean is the primary score of a task, by which training chooses weights.
PRIMARY_METRICS = {
    "attribution": ("source.overlap.f1", "cue.overlap.f1", "content.overlap.f1", "linked.f1"),
    "entity": ("f1",),
    "claim": ("macro_f1",),
    "check_worthy": ("macro_f1",),
    "subjective": ("macro_f1",),
    "stance": ("macro_f1",),
}


def evaluate(
    predictor: Predictor, records: Sequence[Record], progress: Callable[[int], None] | None = None
) -> Results:
    """Score a model on annotated records; tasks that either of them lacks are omitted.

    Args:
        predictor: the model.
        records: the annotated records.
        progress: called with the number of records that were predicted since the last call.

    Returns:
        The figures of each ``corpus/task`` (the corpus from ``meta``, with its subset if it names
        one), with 95 % intervals by bootstrap over documents.
    """
    return score_pairs(predictor.config, predict_records(predictor, records, progress))[0]


def predict_records(
    predictor: Predictor, records: Sequence[Record], progress: Callable[[int], None] | None = None
) -> list[Pair]:
    """Return each record with the model's prediction; see ``evaluate``."""
    pairs = []
    for record, prediction in zip(records, predict(predictor, records), strict=True):
        pairs.append((record, prediction))
        if progress:
            progress(1)
    return pairs


def score_pairs(config: ModelConfig, pairs: Sequence[Pair]) -> tuple[Results, Outcomes]:
    """Return the figures of each ``corpus/task``, and the counts behind them.

    Args:
        config: the configuration of the model; its encoder is not used.
        pairs: each record with the model's prediction.
    """
    results: Results = {}
    outcomes: Outcomes = {}
    for corpus, rows in by_corpus(pairs).items():
        for task in config.tasks:
            answers: Answers | None = None
            outcome: Outcome | None = None
            if task == "attribution":
                outcome = _count_attributions(rows)
            elif task == "entity":
                outcome = _count_entities(rows)
            else:
                answers = collect(config, task, rows)
                if answers is not None:
                    outcome = _count_labels(answers)
            # A corpus without annotations of a task has no figures of it.
            if outcome is None:
                continue

            figures = outcome.figures()
            if answers is not None:
                figures |= reliability_figures(answers, task, config)
                if task in RANKED:
                    probabilities, applies = binary_outcomes(answers, task)
                    documents = answers.documents.tolist()
                    figures |= ranking_figures(applies.tolist(), probabilities.tolist(), documents)
                if task == "stance":
                    owners = [document_of(record) for record, _ in rows]
                    figures |= score_directed(config, rows, owners)

            name = f"{corpus}/{task}"
            outcomes[name] = outcome
            results[name] = figures
    return results, outcomes


def primary_scores(results: Results) -> dict[str, float]:
    """Return the primary score of each ``corpus/task``, and their ``mean``."""
    scores = {}
    for name, figures in results.items():
        metrics = PRIMARY_METRICS[name.rpartition("/")[2]]
        scores[name] = sum(figures[metric].value for metric in metrics) / len(metrics)
    return {"mean": sum(scores.values()) / max(len(scores), 1), **scores}


def plain_figures(results: Results) -> PlainFigures:
    """Return figures as plain values, for JSON."""
    plain = {}
    for name, figures in results.items():
        plain[name] = {metric: asdict(figure) for metric, figure in figures.items()}
    return plain


def by_corpus(pairs: Iterable[Pair]) -> dict[str, list[Pair]]:
    """Group pairs by every corpus name that they are scored under."""
    pairs_by_name: dict[str, list[Pair]] = defaultdict(list)
    for record, prediction in pairs:
        for name in corpus_names(record):
            pairs_by_name[name].append((record, prediction))
    return pairs_by_name


def corpus_names(record: Record) -> list[str]:
    """Return the names that a record is scored under.

    These are its corpus, with its subset if it has one, and a leak-free part of the corpus if the
    record is marked as belonging to it.
    """
    name = str(record.meta.get("corpus", "data"))
    if record.meta.get("subset"):
        name = f"{name}-{record.meta['subset']}"
    if record.meta.get("clean"):
        return [name, f"{name}-clean"]
    return [name]


def _count_labels(answers: Answers) -> Outcome:
    """Count predicted labels by gold label, document by document."""
    documents = answers.documents.tolist()
    counts = confusion_matrices(
        answers.gold.tolist(), answers.predicted.tolist(), documents, len(answers.labels)
    )
    sizes = counts.sum(axis=(1, 2))
    return _outcome("labels", answers.labels, documents, counts, sizes)


def _count_attributions(rows: Sequence[Pair]) -> Outcome | None:
    """Count attributions, document by document; ``None`` if no record is annotated with them."""
    documents: dict[str, list[Pair]] = defaultdict(list)
    for record, prediction in rows:
        if record.attributions is not None:
            documents[document_of(record)].append((record, prediction))
    if not documents:
        return None
    counts = np.array([count_attributions(sentences) for sentences in documents.values()])
    sizes = np.array([len(sentences) for sentences in documents.values()], dtype=float)
    return _outcome("attribution", (), documents, counts, sizes)


def _count_entities(rows: Sequence[Pair]) -> Outcome | None:
    """Count true positive, predicted and gold entities, document by document; ``None`` if none are annotated."""
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    for record, prediction in rows:
        if record.entities is None:
            continue
        gold = set()
        for entity in record.entities:
            # Predicted entities have one piece: gold ones count from their first piece to their last.
            first_piece, last_piece = entity.span[0], entity.span[-1]
            gold.add((first_piece[0], last_piece[1], entity.label))
        predicted = set()
        for found_entity in prediction.entities or ():
            span = found_entity.span
            predicted.add((span.start, span.end, found_entity.label))
        document = counts[document_of(record)]
        document[0] += len(gold & predicted)
        document[1] += len(predicted)
        document[2] += len(gold)
    if not counts:
        return None
    table = np.array(list(counts.values()), dtype=float)  # (documents, 3)
    return _outcome("found", (), counts, table, table[:, 2])


def _outcome(
    kind: str, labels: tuple[str, ...], documents: Iterable[str], counts: Array, sizes: Array
) -> Outcome:
    """Return an outcome; ``documents`` are in the order of the counts and may repeat."""
    # Outcomes are published without the texts, and digests show only whether documents are the same.
    digests = [digest(document) for document in dict.fromkeys(documents)]
    return Outcome(kind, labels, tuple(digests), sizes, counts)
