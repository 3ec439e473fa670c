"""What is fitted on held-out records after training.

Temperatures, so that probabilities mean what they say (Guo et al. 2017), and biases, so that attributions are read as
readily as scores best.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from claimstance.model.decoding import Floats
from claimstance.model.labels import ROLES
from claimstance.model.predicting import predict
from claimstance.model.reader import Backend, Ints, Reader
from claimstance.model.record import Record
from claimstance.training.evaluate import evaluate, primary

_CANDIDATES = np.geomspace(0.25, 4.0, 161)
_BIASES = (-0.5, 0.0, 0.5, 1.0, 1.5)


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


def fit_biases(reader: Reader, records: Sequence[Record]) -> dict[str, float]:
    """For the tags of each role, and for links, the bias with which attributions score best on ``records``.

    One after the other, links first. Nothing where no record has attributions.
    """
    held = [record for record in records if record.attributions is not None]
    if "attribution" not in reader.config.tasks or not held:
        return {}
    # The encoder reads each window once; only the decoding is tried again.
    backend = _Remembering(reader.backend)
    best: dict[str, float] = {}
    for name in ("link", *reversed(ROLES)):
        scores = {}
        for bias in _BIASES:
            config = replace(reader.config, tasks=("attribution",), biases={**best, name: bias})
            scores[bias] = primary(evaluate(Reader(config, reader.windows, backend), held))["mean"]
        best[name] = max(scores, key=lambda bias: (scores[bias], -abs(bias)))
    return best


class _Remembering:
    """A backend that reads each window once."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._read: dict[tuple[bytes, bytes], dict[str, Floats]] = {}
        self.stance = backend.stance
        self.link = backend.link

    def read(self, ids: Ints, segments: Ints, sentences: Ints) -> dict[str, Floats]:
        """See ``Backend``."""
        key = (ids.tobytes(), sentences.tobytes())
        if key not in self._read:
            self._read[key] = self._backend.read(ids, segments, sentences)
        return self._read[key]
