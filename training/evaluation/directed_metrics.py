"""Metrics of directed sentiment analysis (DSE): one of five classes for a pair of entities p and q.

0: neither takes a side; 1, 2: p favors q, q favors p; 3, 4: p is against q, q is against p. A record
holds two directed questions, p's stance on q and q's on p. The probability of a class is the product
of the probabilities of its two answers. The predicted class has the highest quotient of probability
and threshold, where a class's threshold is the product of its labels' thresholds.
"""

from collections.abc import Sequence

import numpy as np

from claimstance.model.article.record_prediction import Prediction
from claimstance.model.config import ModelConfig
from claimstance.model.record import Record
from claimstance.training.evaluation.metrics import (
    Figure,
    average_precision,
    bootstrap,
    classification,
    confusion_matrices,
    interval,
    resampled_weights,
)

#: The labels of p's stance on q and of q's stance on p, by class.
_CLASSES = (
    ("neutral", "neutral"),
    ("favor", "neutral"),
    ("neutral", "favor"),
    ("against", "neutral"),
    ("neutral", "against"),
)


def score_directed(
    config: ModelConfig, rows: Sequence[tuple[Record, Prediction]], documents: Sequence[str]
) -> dict[str, Figure]:
    """Return micro-F1, macro-F1 and mean average precision over the five classes.

    Args:
        config: the configuration of the model, for its thresholds.
        rows: records with their predictions; only records that hold a directed pair count.
        documents: the document of each row.

    Returns:
        Metric → figure; empty if no record holds a directed pair.
    """
    gold_classes, scores, thresholds, owners = [], [], [], []
    for (record, prediction), document in zip(rows, documents, strict=True):
        stances = record.stances or []
        if len(stances) != 2:
            continue
        first, second = stances
        if first.holder != second.target or first.target != second.holder:
            continue
        labels = (first.label or "", second.label or "")
        if labels not in _CLASSES:
            continue

        forward, backward = prediction.stances
        kinds = prediction.kinds or ["stance", "stance"]
        forward_thresholds, backward_thresholds = map(config.thresholds_of, kinds)
        # A pair counts as one item with one class, not as two stances.
        gold_classes.append(_CLASSES.index(labels))
        owners.append(document)

        class_scores, class_thresholds = [], []
        for p_on_q, q_on_p in _CLASSES:
            class_scores.append(forward.get(p_on_q, 0.0) * backward.get(q_on_p, 0.0))
            # A label without a threshold is decided for by its probability alone.
            threshold = forward_thresholds.get(p_on_q, 1.0) * backward_thresholds.get(q_on_p, 1.0)
            class_thresholds.append(threshold)
        scores.append(class_scores)
        thresholds.append(class_thresholds)
    if not gold_classes:
        return {}

    n = len(gold_classes)
    gold = np.array(gold_classes)  # (n,)
    probabilities = np.array(scores)  # (n, classes)
    probabilities /= np.clip(probabilities.sum(axis=1, keepdims=True), 1e-12, None)
    predicted = (probabilities / np.array(thresholds)).argmax(axis=1).tolist()

    names = [str(number) for number in range(len(_CLASSES))]
    counts = confusion_matrices(gold_classes, predicted, owners, len(names))
    summary = bootstrap(counts, lambda total: classification(total, names), n)

    # The first row of weights is the data itself, the others are resamples.
    weights = np.vstack([np.ones(n), resampled_weights(owners)])
    precisions = []
    # A class that no pair has would count as a precision of 0, and is left out of the mean.
    for number in np.unique(gold):
        is_class = (gold == number).astype(float)
        precisions.append(average_precision(is_class, probabilities[:, number], weights))

    mean_precision = np.mean(precisions, axis=0)
    return {
        # Each row has exactly one class, so that micro-F1 equals accuracy.
        "directed.micro_f1": summary["accuracy"],
        "directed.macro_f1": summary["macro_f1"],
        "directed.map": interval(mean_precision[0], mean_precision[1:], n),
    }
