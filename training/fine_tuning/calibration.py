"""What is fitted on held-out records after training: everything that ``ModelConfig`` keeps beside the weights.

Temperatures, and biases where they help, so that probabilities mean what they say; thresholds, so that decisions score
best; the probabilities from which answers are given and labels belong to a set, so that both keep a promise; biases of
tags and links, so that attributions are read as readily as scores best.
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit, logit

from claimstance.model.config import ModelConfig
from claimstance.model.decoding import Floats, softmax
from claimstance.model.labels import ROLES, SENTENCE_TASKS, TASKS
from claimstance.model.predictor import Backend, Ints, Reader
from claimstance.model.record import Record
from claimstance.training.evaluation.answers import Answers, collect
from claimstance.training.evaluation.evaluate import evaluate, pair, primary
from claimstance.training.evaluation.metrics import Array
from claimstance.training.evaluation.reliability import RANKED, TARGET_PRECISION, binary_outcomes

log = logging.getLogger(__name__)

ENOUGH = 100  # answers from which a promise about precision can be looked into, and thresholds
_SURE = 1e-3  # nearer to none or all than this, no probability is taken at its word
_TRUST = (
    0.5  # how far counts bend what answers say of themselves: a standard deviation, in log-odds
)
NEVER = 2.0  # a probability that no answer reaches
_FOLDS = 5
_FACTORS = np.exp(np.linspace(-1.5, 1.5, 31))  # by which a label's threshold may change at a time
_BIASES = (-0.5, 0.0, 0.5, 1.0, 1.5)


@dataclass(frozen=True)
class Scale:
    """From logits to probabilities: what is added to each label's logit, and what the sum is divided by."""

    biases: Array
    temperature: float

    def __call__(self, logits: Array) -> Array:
        """Probabilities: (n, labels) → (n, labels)."""
        return np.asarray(softmax(logits + self.biases, self.temperature), dtype=float)


def calibrate(
    reader: Reader, records: Sequence[Record], tasks: Sequence[str] | None = None
) -> ModelConfig:
    """The reader's configuration with all that is fitted on ``records``; what was fitted before is left out.

    With ``tasks``, this is about them alone: what was fitted to others stays.
    """
    bare = unfitted(reader.config, tasks or TASKS)
    tasks = tuple(tasks or reader.config.tasks)
    unscaled = Reader(replace(bare, tasks=tasks), reader.windows, reader.backend, reader.workers)
    pairs = pair(unscaled, records)
    fitted = unfitted(bare, ())  # a copy: what nothing was fitted to must stay so
    fitted.biases |= fit_biases(unscaled, records)
    for task in (*SENTENCE_TASKS, "stance"):
        if task in tasks and (answers := collect(unscaled.config, task, pairs)):
            for kind, some in {**answers.by_variant(), task: answers}.items():
                fit(fitted, kind, some)
    return fitted


def unfitted(config: ModelConfig, tasks: Sequence[str]) -> ModelConfig:
    """The configuration without what was fitted to ``tasks``."""

    def others(values: dict[str, float]) -> dict[str, float]:
        return {key: value for key, value in values.items() if _task_of(key) not in tasks}

    return replace(
        config,
        temperatures=others(config.temperatures),
        biases=others(config.biases),
        thresholds=others(config.thresholds),
        abstain_below=others(config.abstain_below),
        conformal=others(config.conformal),
    )


def _task_of(key: str) -> str:
    """The task that a key of something fitted belongs to; those of attributions are called by roles and links."""
    task = key.partition(".")[0]
    return task if task in TASKS else "attribution"


def fit(config: ModelConfig, kind: str, answers: Answers) -> None:
    """Put into ``config`` what is fitted to the answers to one kind of question, given with unscaled probabilities."""
    logits = np.log(np.clip(answers.probabilities, 1e-12, None))
    scale = fit_scale(logits, answers.gold, answers.documents)
    config.temperatures[kind] = round(scale.temperature, 4)
    config.biases |= {
        f"{kind}.{label}": round(float(bias), 4)
        for label, bias in zip(answers.labels, scale.biases, strict=True)
        if bias
    }
    scaled = replace(answers, probabilities=scale(logits))
    thresholds = fit_thresholds(scaled, kind)
    config.thresholds |= {
        f"{kind}.{label}": value for label, value in zip(answers.labels, thresholds, strict=True)
    }
    scaled = replace(scaled, predicted=(scaled.probabilities / thresholds).argmax(axis=1))
    if len(answers.gold) >= ENOUGH:
        least = _fit_abstention(scaled)
        config.abstain_below |= {f"{kind}.{label}": _down(value) for label, value in least.items()}
        if never := [label for label, value in least.items() if value == NEVER]:
            log.warning(
                "%s: no probability from which %.0f %% of the answers on dev are right, of %s: all of these "
                "will be marked as abstained",
                kind,
                100 * TARGET_PRECISION,
                ", ".join(never),
            )
    config.conformal[kind] = _down(belongs_from(scaled.gold_probability, scaled.documents))


def _down(probability: float) -> float:
    """Rounded, but never past the answer that it was fitted to."""
    return float(np.floor(1e4 * probability) / 1e4)


def fit_scale(logits: Array, gold: NDArray[np.int64], documents: NDArray[np.str_]) -> Scale:
    """The likeliest temperature (Guo et al. 2017), with a bias for each label but the first if that helps.

    Temperature and biases together are Platt scaling for two labels, and bias-corrected temperature scaling for more
    (Alexandari et al. 2020). Biases stay only if they make documents that they were not fitted on likelier, by more
    than two standard errors (cross-fitting, five parts). A standard normal prior on every parameter keeps a handful of
    rows from extremes.
    """
    _, which = np.unique(documents, return_inverse=True)
    gain = np.zeros(which.max() + 1)
    part = np.random.default_rng(13).permutation(len(gain))[which] % _FOLDS
    for fold in range(_FOLDS if len(gain) >= _FOLDS else 0):
        seen, held = part != fold, part == fold
        plain, biased = (
            _losses(_likeliest(logits[seen], gold[seen], each), logits[held], gold[held])
            for each in (False, True)
        )
        np.add.at(gain, which[held], plain - biased)
    return _likeliest(logits, gold, biased=bool(gain.sum() > 2 * np.sqrt(gain @ gain)))


def _likeliest(logits: Array, gold: NDArray[np.int64], biased: bool) -> Scale:
    def scale(point: Array) -> Scale:
        biases = np.zeros(logits.shape[1])
        biases[1:] = point[1:] if biased else 0.0
        return Scale(biases, float(np.exp(point[0])))

    def regularised(point: Array) -> float:
        return float(_losses(scale(point), logits, gold).sum() + 0.5 * point @ point)

    return scale(
        minimize(regularised, np.zeros(logits.shape[1] if biased else 1), method="L-BFGS-B").x
    )


def _losses(scale: Scale, logits: Array, gold: NDArray[np.int64]) -> Array:
    """(n,) the negative log-likelihoods."""
    return np.asarray(-np.log(np.clip(scale(logits)[np.arange(len(gold)), gold], 1e-12, None)))


def fit_thresholds(answers: Answers, kind: str) -> list[float]:
    """For each label, what its probability is measured against when one is chosen (``ModelConfig.decide``); sum 1.

    The likeliest label is seldom a rare one, though macro-F1 counts all labels alike. Where sentences are ranked, one
    label counts, and its best F1 is looked for; elsewhere the best macro-F1, if there are enough answers to know what
    probabilities are worth.
    """
    if kind in RANKED:
        last = best_threshold(*binary_outcomes(answers, kind))
        found = np.append(np.full(len(answers.labels) - 1, 1 - last), last)
    elif len(answers.gold) >= ENOUGH:
        found = best_thresholds(answers.probabilities)
    else:
        found = np.ones(len(answers.labels))
    return [max(round(float(each), 4), 1e-4) for each in found / found.sum()]


def best_thresholds(probabilities: Array) -> Array:
    """(labels,) the thresholds of the best macro-F1 to be expected if probabilities (n, labels) are right; sum 1.

    No label is looked at: the expected F1 of each follows from the probabilities (as in Lipton, Elkan & Narayanaswamy
    2014 for one label), which varies far less from sample to sample than what was counted does. Found one threshold at
    a time, the one that gains most, until none does.
    """
    best, thresholds = -1.0, np.full(probabilities.shape[1], 1 / probabilities.shape[1])
    while (found := max(_beside(probabilities, thresholds), key=lambda each: each[0]))[
        0
    ] > best + 1e-6:
        best, thresholds = found
    return np.asarray(thresholds)


def _beside(probabilities: Array, thresholds: Array) -> Iterator[tuple[float, Array]]:
    """Thresholds of which one label's differs, or none's, with the macro-F1 to be expected."""
    for label in range(len(thresholds)):
        for factor in _FACTORS:
            tried = thresholds.copy()
            tried[label] *= factor
            tried /= tried.sum()
            yield expected_macro_f1(probabilities, (probabilities / tried).argmax(axis=1)), tried


def expected_macro_f1(probabilities: Array, decided: NDArray[np.int64]) -> float:
    """What macro-F1 comes to, in expectation, if probabilities (n, labels) are right and labels so decided."""
    chosen = np.eye(probabilities.shape[1])[decided]
    sizes = probabilities.sum(axis=0) + chosen.sum(axis=0)
    return float(np.mean(2 * (chosen * probabilities).sum(axis=0) / np.maximum(sizes, 1e-12)))


def best_threshold(probabilities: Array, gold: NDArray[np.bool_]) -> float:
    """The probability of ``yes`` from which saying yes scores the best F1.

    Half of the best F1 that any threshold reaches: that is where calibrated probabilities have the best threshold
    (Lipton, Elkan & Narayanaswamy 2014), and it varies less from sample to sample than the place of the best F1 does.
    """
    order = np.argsort(-probabilities, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(probabilities[order])), len(order) - 1)
    scores = 2 * np.cumsum(gold[order])[ends] / np.maximum(ends + 1 + gold.sum(), 1)
    return float(scores.max() / 2) if gold.any() else 0.5


def _fit_abstention(answers: Answers) -> dict[str, float]:
    """For each label by itself: where one is common, the others would else be given whether right or not."""
    so = {label: answers.predicted == column for column, label in enumerate(answers.labels)}
    return {
        label: answered_from(answers.confidence[rows], answers.correct[rows])
        for label, rows in so.items()
    }


def answered_from(confidence: Array, right: NDArray[np.bool_]) -> float:
    """The lowest probability from which answers are right as often as promised.

    What was counted of few answers is luck, and what they say of themselves may be wrong. So a curve tells how often
    they are right: logistic in the log-odds of their confidence (Platt 1999), where normal priors hold shift and slope
    to those of the confidence itself.

    Returns:
        0 if all answers are; ``NEVER`` if those of no probability are.
    """
    if not len(right):
        return NEVER
    odds = logit(np.clip(confidence, _SURE, 1 - _SURE))

    def curve(point: Array) -> Array:
        return np.asarray(expit(point[0] + np.exp(point[1]) * odds))

    def regularised(point: Array) -> float:
        told = np.where(right, curve(point), 1 - curve(point))
        return float(-np.log(np.maximum(told, 1e-12)).sum() + 0.5 * point @ point / _TRUST**2)

    order = np.argsort(-confidence, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(confidence[order])), len(order) - 1)
    expected = np.cumsum(curve(minimize(regularised, np.zeros(2), method="L-BFGS-B").x)[order])
    kept = ends[expected[ends] / (ends + 1) >= TARGET_PRECISION - 1e-9]
    if not len(kept):
        return NEVER
    return 0.0 if kept[-1] == ends[-1] else float(confidence[order[kept[-1]]])


def belongs_from(of_right: Array, documents: NDArray[np.str_]) -> float:
    """The highest probability such that the labels from there on hold the right one as often as promised.

    Split-conformal sets of least size (LAC; Angelopoulos & Bates 2021, section 1), where documents, not rows, are
    exchangeable: every document weighs the same, and one unseen counts as missed (Lee, Barber & Willett 2023, after
    the pooling of Dunn, Wasserman & Ramdas 2022). The promise is about an answer in a new document. Sets may be empty.
    """
    names, which, sizes = np.unique(documents, return_inverse=True, return_counts=True)
    order = np.argsort(-of_right, kind="stable")
    covered = np.cumsum(1 / sizes[which[order]]) / (len(names) + 1)
    enough = np.flatnonzero(covered >= TARGET_PRECISION)
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
