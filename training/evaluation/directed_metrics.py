"""The definitions of directed sentiment analysis (DSE): one of five classes for a pair of entities p and q.

0: neither takes a side; 1, 2: p favors q, q favors p; 3, 4: p is against q, q is against p. A record asks two directed
questions, p's stance on q and q's on p; a class is as likely as the product of the two answers it stands for, and is
chosen as a label is: where that stands highest over the product of their thresholds.
"""

from collections.abc import Sequence

import numpy as np

from claimstance.model.config import ModelConfig
from claimstance.model.prediction import Prediction
from claimstance.model.record import Record
from claimstance.training.evaluation.metrics import (
    Figure,
    average_precision,
    bootstrap,
    classification,
    confusions,
    interval,
    resampled_rows,
)

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
    """Micro-F1, macro-F1 and mean average precision over the five classes; nothing if no record is such a pair."""
    gold, scores, thresholds, owners = [], [], [], []
    for (record, prediction), document in zip(rows, documents, strict=True):
        if not _is_pair(record):
            continue
        first, second = record.stances or []
        labels = (first.label or "", second.label or "")
        if labels in _CLASSES:
            gold.append(_CLASSES.index(labels))
            ahead, back = prediction.stances
            scores.append([ahead.get(one, 0.0) * back.get(other, 0.0) for one, other in _CLASSES])
            there, here = (
                config.thresholds_of(kind) for kind in prediction.kinds or ["stance", "stance"]
            )
            thresholds.append(
                [there.get(one, 1.0) * here.get(other, 1.0) for one, other in _CLASSES]
            )
            owners.append(document)
    if not gold:
        return {}
    truth, table = np.array(gold), np.array(scores)
    table /= np.clip(table.sum(axis=1, keepdims=True), 1e-12, None)
    names = [str(i) for i in range(len(_CLASSES))]
    counts = confusions(
        gold, (table / np.array(thresholds)).argmax(axis=1).tolist(), owners, len(names)
    )
    summary = bootstrap(counts, lambda summed: classification(summed, names), len(gold))
    weights = np.vstack([np.ones(len(gold)), resampled_rows(owners)])
    precisions = np.mean(
        [
            average_precision((truth == i).astype(float), table[:, i], weights)
            for i in range(len(names))
            if (truth == i).any()
        ],
        axis=0,
    )
    return {
        "directed.micro_f1": summary["accuracy"],  # one class a row: micro-F1 is accuracy
        "directed.macro_f1": summary["macro_f1"],
        "directed.map": interval(precisions[0], precisions[1:], len(gold)),
    }


def _is_pair(record: Record) -> bool:
    stances = record.stances or []
    return (
        len(stances) == 2
        and stances[0].holder == stances[1].target
        and stances[0].target == stances[1].holder
    )
