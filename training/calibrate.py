"""Temperatures: probabilities that mean what they say (Guo et al. 2017), fitted on held-out records."""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from claimstance.model.predicting import predict
from claimstance.model.reader import Reader
from claimstance.model.record import Record

_CANDIDATES = np.geomspace(0.25, 4.0, 161)


def fit_temperatures(reader: Reader, records: Sequence[Record]) -> dict[str, float]:
    """For each task with labelled sentences or stances, the temperature of the least negative log-likelihood.

    The reader's own temperatures must be 1 (unset).
    """
    rows: dict[str, list[tuple[list[float], int]]] = defaultdict(list)
    for record, prediction in zip(records, predict(reader, records), strict=True):
        for task in ("claim", "check_worthy"):
            label, probabilities = getattr(record, task), getattr(prediction, task)
            if label is not None and probabilities is not None:
                rows[task].append((list(probabilities.values()), list(probabilities).index(label)))
        for stance, probabilities in zip(record.stances or (), prediction.stances, strict=False):
            if stance.label is not None:
                rows["stance"].append((list(probabilities.values()), list(probabilities).index(stance.label)))
    return {task: _fit(np.array([p for p, _ in found]), np.array([gold for _, gold in found]))
            for task, found in rows.items()}


def _fit(probabilities: np.ndarray, gold: np.ndarray) -> float:
    logits = np.log(np.clip(probabilities, 1e-12, None))
    scaled = logits[None] / _CANDIDATES[:, None, None]
    normal = np.log(np.exp(scaled).sum(axis=-1))
    loss = (normal - scaled[:, np.arange(len(gold)), gold]).mean(axis=1)
    return float(round(_CANDIDATES[int(loss.argmin())], 4))
