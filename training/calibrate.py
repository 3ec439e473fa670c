"""What is fitted on held-out records after training: everything that ``ModelConfig`` keeps beside the weights.

Temperatures, and biases where they help, so that probabilities mean what they say; thresholds, so that decisions score
best; the probabilities from which answers are given and labels belong to a set, so that both keep a promise; biases of
tags and links, so that attributions are read as readily as scores best.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.stats import beta

from claimstance.model.config import ModelConfig
from claimstance.model.decoding import Floats, softmax
from claimstance.model.labels import ROLES, SENTENCE_TASKS
from claimstance.model.reader import Backend, Ints, Reader
from claimstance.model.record import Record
from claimstance.training.answers import Answers, collect
from claimstance.training.evaluate import evaluate, pair, primary
from claimstance.training.metrics import Array
from claimstance.training.reliability import PROMISE, RANKED, claims

log = logging.getLogger(__name__)

ENOUGH = 100  # answers from which a promise about precision can be looked into
NEVER = 2.0  # a probability that no answer reaches
_SURE = 0.95  # how sure a promise about precision is
_FOLDS = 5
_STEPS = 20  # of coverage, at which precision is looked at
_BIASES = (-0.5, 0.0, 0.5, 1.0, 1.5)


@dataclass(frozen=True)
class Scale:
    """From logits to probabilities: what is added to each label's logit, and what the sum is divided by."""

    biases: Array
    temperature: float

    def __call__(self, logits: Array) -> Array:
        """Probabilities: (n, labels) → (n, labels)."""
        return np.asarray(softmax(logits + self.biases, self.temperature), dtype=float)


def calibrate(reader: Reader, records: Sequence[Record]) -> ModelConfig:
    """The reader's configuration with all that is fitted on ``records``; what was fitted before is left out."""
    unscaled = Reader(_unfitted(reader.config), reader.windows, reader.backend, reader.workers)
    pairs = pair(unscaled, records)
    fitted = replace(_unfitted(reader.config), biases=fit_biases(unscaled, records))
    for task in (*SENTENCE_TASKS, "stance"):
        if task in fitted.tasks and (answers := collect(fitted.labels[task], task, pairs)):
            for kind, some in {**answers.by_kind(), task: answers}.items():
                fit(fitted, kind, some)
    return fitted


def _unfitted(config: ModelConfig) -> ModelConfig:
    return replace(config, temperatures={}, biases={}, thresholds={}, abstain_below={}, conformal={})


def fit(config: ModelConfig, kind: str, answers: Answers) -> None:
    """Put into ``config`` what is fitted to the answers to one kind of question, given with unscaled probabilities."""
    logits = np.log(np.clip(answers.probabilities, 1e-12, None))
    # Where the answer is the likeliest label, biases would move it to the commonest one: on dev they made DSE's
    # probabilities righter and cost six points of macro-F1. Where a threshold decides, they cost nothing.
    scale = fit_scale(logits, answers.gold, answers.documents, biases=kind in RANKED)
    config.temperatures[kind] = round(scale.temperature, 4)
    config.biases |= {f"{kind}.{label}": round(float(bias), 4)
                      for label, bias in zip(answers.labels, scale.biases, strict=True) if bias}
    scaled = replace(answers, probabilities=scale(logits))
    if kind in RANKED:
        config.thresholds[kind] = _down(best_threshold(*claims(scaled, kind)))
    least = answered_from(scaled.confidence, scaled.right, scaled.documents)
    if least is not None:
        config.abstain_below[kind] = _down(least)
    if least == NEVER:
        log.warning("%s: no probability from which %.0f %% of the answers on dev are right: all will be marked as "
                    "abstained", kind, 100 * PROMISE)
    config.conformal[kind] = _down(belongs_from(scaled.of_right, scaled.documents))


def _down(probability: float) -> float:
    """Rounded, but never past the answer that it was fitted to."""
    return float(np.floor(1e4 * probability) / 1e4)


def fit_scale(
    logits: Array, gold: NDArray[np.int64], documents: NDArray[np.str_], biases: bool = True
) -> Scale:
    """The likeliest temperature (Guo et al. 2017); with ``biases``, one for each label but the first, if that helps.

    Temperature and biases together are Platt scaling for two labels, and bias-corrected temperature scaling for more
    (Alexandari et al. 2020). Biases stay only if they make documents that they were not fitted on likelier, by more
    than a standard error (cross-fitting, five parts). A standard normal prior on every parameter keeps a handful of
    rows from extremes.
    """
    _, which = np.unique(documents, return_inverse=True)
    gain = np.zeros(which.max() + 1)
    part = np.random.default_rng(13).permutation(len(gain))[which] % _FOLDS
    for fold in range(_FOLDS if biases and len(gain) >= _FOLDS else 0):
        seen, held = part != fold, part == fold
        plain, biased = (_losses(_likeliest(logits[seen], gold[seen], each), logits[held], gold[held])
                         for each in (False, True))
        np.add.at(gain, which[held], plain - biased)
    return _likeliest(logits, gold, biased=bool(gain.sum() > np.sqrt(gain @ gain)))


def _likeliest(logits: Array, gold: NDArray[np.int64], biased: bool) -> Scale:
    def scale(point: Array) -> Scale:
        biases = np.zeros(logits.shape[1])
        biases[1:] = point[1:] if biased else 0.0
        return Scale(biases, float(np.exp(point[0])))

    def regularised(point: Array) -> float:
        return float(_losses(scale(point), logits, gold).sum() + 0.5 * point @ point)

    return scale(minimize(regularised, np.zeros(logits.shape[1] if biased else 1), method="L-BFGS-B").x)


def _losses(scale: Scale, logits: Array, gold: NDArray[np.int64]) -> Array:
    """(n,) the negative log-likelihoods."""
    return np.asarray(-np.log(np.clip(scale(logits)[np.arange(len(gold)), gold], 1e-12, None)))


def best_threshold(probabilities: Array, gold: NDArray[np.bool_]) -> float:
    """The probability of ``yes`` from which saying yes scores the best F1.

    Half of the best F1 that any threshold reaches: that is where calibrated probabilities have the best threshold
    (Lipton, Elkan & Narayanaswamy 2014), and it varies less from sample to sample than the place of the best F1 does.
    """
    order = np.argsort(-probabilities, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(probabilities[order])), len(order) - 1)
    scores = 2 * np.cumsum(gold[order])[ends] / np.maximum(ends + 1 + gold.sum(), 1)
    return float(scores.max() / 2) if gold.any() else 0.5


def answered_from(confidence: Array, right: NDArray[np.bool_], documents: NDArray[np.str_]) -> float | None:
    """The lowest probability from which answers are right with the promised precision, surely enough.

    Returns:
        0 if all answers are; ``NEVER`` if those of no probability are; ``None`` if there are too few to tell.
    """
    if len(right) < ENOUGH:
        return None
    # From the surest on, and no further than the first that fails: one test in a fixed order, at one level.
    found = NEVER
    for least in (*np.quantile(confidence, np.arange(1, _STEPS) / _STEPS)[::-1], 0.0):
        given = confidence >= least
        if given.sum() < ENOUGH / 2:
            continue
        if lower_bound(right[given], documents[given]) < PROMISE:
            break
        found = float(least)
    return found


def lower_bound(right: NDArray[np.bool_], documents: NDArray[np.str_]) -> float:
    """A one-sided 95 % bound below the share of right answers, which are alike within documents.

    Clopper and Pearson's bound with the number of answers that would tell as much if they were independent (Korn &
    Graubard 1998).
    """
    n, share = len(right), float(right.mean())
    names, which = np.unique(documents, return_inverse=True)
    effective = float(len(names))  # where nothing varies, a document may tell no more than one answer
    if 0 < share < 1 and len(names) > 1:
        off = np.bincount(which, right - share)
        variance = (off @ off) * len(names) / (len(names) - 1) / n**2
        effective = min(float(n), float(share * (1 - share) / variance)) if variance else effective
    return float(beta.ppf(1 - _SURE, effective * share, effective * (1 - share) + 1)) if share else 0.0


def belongs_from(of_right: Array, documents: NDArray[np.str_]) -> float:
    """The highest probability such that the labels from there on hold the right one as often as promised.

    Split-conformal sets of least size (LAC; Angelopoulos & Bates 2021, section 1), where documents, not rows, are
    exchangeable: every document weighs the same, and one unseen counts as missed (Lee, Barber & Willett 2023, after
    the pooling of Dunn, Wasserman & Ramdas 2022). The promise is about an answer in a new document. Sets may be empty.
    """
    names, which, sizes = np.unique(documents, return_inverse=True, return_counts=True)
    order = np.argsort(-of_right, kind="stable")
    covered = np.cumsum(1 / sizes[which[order]]) / (len(names) + 1)
    enough = np.flatnonzero(covered >= PROMISE)
    return float(of_right[order[enough[0]]]) if len(enough) else 0.0


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
