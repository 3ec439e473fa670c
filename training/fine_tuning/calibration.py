"""Calibration of a trained model on held-out records.

Everything that ``ModelConfig`` has beside the weights is fitted here: temperatures and biases, so that
probabilities are honest; decision thresholds; abstention and conformal thresholds; biases of tags and links.
"""

import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import logit
from sklearn.linear_model import LogisticRegression

from claimstance.model.config import ALWAYS_ABSTAIN, ModelConfig
from claimstance.model.decoding.tags import Floats, softmax
from claimstance.model.encoding import Backend, Ints
from claimstance.model.labels import FOUND, OPINION_HEADS, ROLES, SENTENCE_TASKS, TASKS
from claimstance.model.pair_evidence import EVIDENCE
from claimstance.model.predictor import Predictor
from claimstance.model.record import Record
from claimstance.training.evaluation.answers import Answers, collect
from claimstance.training.evaluation.metrics import Array
from claimstance.training.evaluation.reliability import answered_precision
from claimstance.training.evaluation.scoring import evaluate, predict_records, primary
from claimstance.training.fine_tuning.found_stances import FoundStances, best_f1, find_stances
from claimstance.training.fine_tuning.thresholds import (
    EPSILON,
    MIN_ANSWERS,
    fit_abstention_threshold,
    fit_conformal_threshold,
    fit_thresholds,
)

log = logging.getLogger(__name__)

_FOLDS = 5  # of the cross-fitting that decides for biases of labels
#: Biases that are tried: of tags of attributions and of links, and of tags of ``OPINION_HEADS``.
_BIASES = (-0.5, 0.0, 0.5, 1.0, 1.5)
_OPINION_BIASES = (0.0, 1.0, 2.0, 3.0)


@dataclass(frozen=True)
class LogitScaler:
    """Map logits to probabilities, by biases that are added and a temperature that divides the sum."""

    biases: Array
    temperature: float

    def __call__(self, logits: Array) -> Array:
        """Return probabilities: (n, labels) → (n, labels)."""
        return np.asarray(softmax(logits + self.biases, self.temperature), dtype=float)


def calibrate(
    predictor: Predictor,
    records: Sequence[Record],
    tasks: Sequence[str] | None = None,
    exhaustive_stances: Collection[str] = (),
    no_stance: str = "neutral",
) -> ModelConfig:
    """Return the model's configuration calibrated on ``records``.

    Args:
        predictor: the exported model.
        records: held-out records.
        tasks: tasks to calibrate, all of the model's if ``None``; the calibration of others stays.
        exhaustive_stances: corpora whose sentences list every stance that they express.
        no_stance: the label of pairs without a stance.
    """
    removed = tasks or TASKS
    tasks = tuple(tasks or predictor.config.tasks)
    calibrated = without_calibration(predictor.config, removed)
    # ``calibrated`` changes below; answers are collected with a configuration that stays as it is.
    uncalibrated = replace(without_calibration(predictor.config, removed), tasks=tasks)
    uncalibrated_predictor = Predictor(
        uncalibrated, predictor.windows, predictor.backend, predictor.workers
    )
    pairs = predict_records(uncalibrated_predictor, records)
    calibrated.biases |= fit_biases(uncalibrated_predictor, records)

    exhaustive: list[Record] = []
    if "stance" in tasks and uncalibrated.opinion_heads:
        exhaustive = [
            record for record in records if record.meta.get("corpus") in exhaustive_stances
        ]
        # The encoder reads each window once for all that is fitted to found stances.
        backend = CachingBackend(predictor.backend)
        # Sources are holders, too, so the biases of attributions count.
        biased = replace(uncalibrated, biases=dict(calibrated.biases))
        biased_predictor = Predictor(biased, predictor.windows, backend)
        calibrated.biases |= fit_opinion_biases(biased_predictor, exhaustive, no_stance)

    for task in (*SENTENCE_TASKS, "stance"):
        answers = collect(uncalibrated, task, pairs) if task in tasks else None
        if answers is not None:
            for kind, kind_answers in {**answers.by_kind(), task: answers}.items():
                fit(calibrated, kind, kind_answers)
    if exhaustive:
        cached_predictor = Predictor(predictor.config, predictor.windows, backend)
        fit_found_stances(calibrated, cached_predictor, exhaustive, no_stance)
    return calibrated


def without_calibration(config: ModelConfig, tasks: Sequence[str]) -> ModelConfig:
    """Return a copy of the configuration without the calibration of ``tasks``."""

    def of_other_tasks(values: dict[str, float]) -> dict[str, float]:
        remaining = {}
        for key, value in values.items():
            task = key.partition(".")[0]
            if task in OPINION_HEADS:
                task = "stance"
            elif task not in TASKS:
                task = "attribution"  # the keys of attributions are roles and "link"
            if task not in tasks:
                remaining[key] = value
        return remaining

    return replace(
        config,
        temperatures=of_other_tasks(config.temperatures),
        biases=of_other_tasks(config.biases),
        thresholds=of_other_tasks(config.thresholds),
        abstain_below=of_other_tasks(config.abstain_below),
        conformal=of_other_tasks(config.conformal),
    )


def fit(config: ModelConfig, kind: str, answers: Answers) -> None:
    """Calibrate one task or kind of the stance query, and store the result in ``config``.

    Args:
        config: changed in place.
        kind: the key of the calibration, such as ``claim`` or ``stance.holder``.
        answers: held-out answers with unscaled probabilities.
    """
    logits = np.log(np.clip(answers.probabilities, 1e-12, None))
    scale = fit_scale(logits, answers.gold, answers.documents)
    config.temperatures[kind] = round(scale.temperature, 4)
    for label, bias in zip(answers.labels, scale.biases, strict=True):
        if bias:
            config.biases[f"{kind}.{label}"] = round(float(bias), 4)

    probabilities = scale(logits)
    thresholds = fit_thresholds(replace(answers, probabilities=probabilities), kind)
    for label, threshold in zip(answers.labels, thresholds, strict=True):
        config.thresholds[f"{kind}.{label}"] = threshold

    predicted = (probabilities / thresholds).argmax(axis=1)
    scaled = replace(answers, probabilities=probabilities, predicted=predicted)
    if len(answers.gold) >= MIN_ANSWERS:
        unreached = []
        for column, label in enumerate(answers.labels):
            # A pooled threshold would favour the majority label, so each label has its own.
            rows = scaled.predicted == column
            threshold = fit_abstention_threshold(
                scaled.confidence[rows], scaled.correct[rows], answered_precision(kind)
            )
            config.abstain_below[f"{kind}.{label}"] = _rounded_down(threshold)
            if threshold == ALWAYS_ABSTAIN:
                unreached.append(label)
        if unreached:
            log.warning(
                "%s: no probability from which %.0f %% of the answers on dev are right, for %s: "
                "all of these will be marked as abstained",
                kind,
                100 * answered_precision(kind),
                ", ".join(unreached),
            )

    conformal = fit_conformal_threshold(scaled.gold_probability, scaled.documents)
    config.conformal[kind] = _rounded_down(conformal)


def _rounded_down(probability: float) -> float:
    """Round to four digits without excluding the answer that the threshold was fitted to."""
    return float(np.floor(1e4 * probability) / 1e4)


def fit_scale(logits: Array, gold: NDArray[np.int64], documents: NDArray[np.str_]) -> LogitScaler:
    """Fit a temperature (Guo et al. 2017), and a bias for each label but the first if that helps.

    Temperature and biases together are Platt scaling for two labels, and bias-corrected temperature scaling
    for more (Alexandari et al. 2020). Biases stay only if they make held-out documents likelier by more than
    two standard errors (cross-fitting, five folds). A standard normal prior on every parameter keeps a
    handful of rows from extreme values.

    Args:
        logits: (n, labels).
        gold: (n,) indices of the gold labels.
        documents: (n,) the document of each row.
    """
    _, document = np.unique(documents, return_inverse=True)
    gain = np.zeros(document.max() + 1)  # of log likelihood by biases, for each document
    if len(gain) < _FOLDS:
        return _fit_scale(logits, gold, with_biases=False)
    fold_of_row = np.random.default_rng(13).permutation(len(gain))[document] % _FOLDS
    for fold in range(_FOLDS):
        train, test = fold_of_row != fold, fold_of_row == fold
        plain = _fit_scale(logits[train], gold[train], with_biases=False)
        biased = _fit_scale(logits[train], gold[train], with_biases=True)
        plain_losses = _losses(plain, logits[test], gold[test])
        biased_losses = _losses(biased, logits[test], gold[test])
        np.add.at(gain, document[test], plain_losses - biased_losses)
    standard_error = np.sqrt(gain @ gain)
    return _fit_scale(logits, gold, with_biases=bool(gain.sum() > 2 * standard_error))


def _fit_scale(logits: Array, gold: NDArray[np.int64], with_biases: bool) -> LogitScaler:
    """Fit the scaler with the greatest posterior probability."""

    def scale(parameters: Array) -> LogitScaler:
        biases = np.zeros(logits.shape[1])
        if with_biases:
            biases[1:] = parameters[1:]
        return LogitScaler(biases, float(np.exp(parameters[0])))

    def objective(parameters: Array) -> float:
        prior = 0.5 * parameters @ parameters
        return float(_losses(scale(parameters), logits, gold).sum() + prior)

    size = logits.shape[1] if with_biases else 1
    solution = minimize(objective, np.zeros(size), method="L-BFGS-B")
    return scale(solution.x)


def _losses(scale: LogitScaler, logits: Array, gold: NDArray[np.int64]) -> Array:
    """Return the negative log-likelihoods, (n,)."""
    likelihoods = scale(logits)[np.arange(len(gold)), gold]
    return np.asarray(-np.log(np.clip(likelihoods, 1e-12, None)))


def fit_biases(predictor: Predictor, records: Sequence[Record]) -> dict[str, float]:
    """Return the biases of tags (by role) and links with which attributions score best on ``records``.

    They are fitted one after the other, links first. Without annotated attributions there are none.
    """
    annotated = [record for record in records if record.attributions is not None]
    if "attribution" not in predictor.config.tasks or not annotated:
        return {}
    # The encoder reads each window once; only the decoding is repeated.
    backend = CachingBackend(predictor.backend)
    best: dict[str, float] = {}
    for name in ("link", *reversed(ROLES)):
        scores = {}
        for bias in _BIASES:
            config = replace(predictor.config, tasks=("attribution",), biases={**best, name: bias})
            biased = Predictor(config, predictor.windows, backend)
            scores[bias] = primary(evaluate(biased, annotated))["mean"]
        # Of biases that score alike, the smallest is chosen.
        best[name] = max(scores, key=lambda bias: (scores[bias], -abs(bias)))
    return best


def fit_opinion_biases(
    predictor: Predictor, records: Sequence[Record], no_stance: str
) -> dict[str, float]:
    """Return the biases of the tags of ``OPINION_HEADS`` with which the stances found have the best F1.

    One bias for both heads is fitted first, then one for each. The evidence of pairs is fitted to each choice: it
    rejects many of the pairs that a greater bias adds.
    """
    scores: dict[tuple[float, ...], float] = {}

    def find(biases: dict[str, float]) -> FoundStances:
        config = replace(predictor.config, biases=biases)
        biased = Predictor(config, predictor.windows, predictor.backend)
        return find_stances(biased, records, no_stance)

    def score(biases: tuple[float, ...]) -> float:
        if biases not in scores:
            head_biases = dict(zip(OPINION_HEADS, biases, strict=True))
            stances = find({**predictor.config.biases, **head_biases})
            weights = fit_evidence(stances, no_stance)
            stances = find({**predictor.config.biases, **head_biases, **weights})
            scores[biases] = best_f1(stances, no_stance)
        return scores[biases]

    equal_biases = [(bias,) * len(OPINION_HEADS) for bias in _OPINION_BIASES]
    best = max(equal_biases, key=score)
    for position in range(len(OPINION_HEADS)):
        before, after = best[:position], best[position + 1 :]
        candidates = [(*before, bias, *after) for bias in _OPINION_BIASES]
        best = max(candidates, key=score)
    return dict(zip(OPINION_HEADS, best, strict=True))


def fit_found_stances(
    config: ModelConfig, predictor: Predictor, records: Sequence[Record], no_stance: str
) -> None:
    """Calibrate the stances of pairs that the model finds by itself, and store the result in ``config``.

    Args:
        config: changed in place; it has the biases of the heads that find holders and targets.
        predictor: the model.
        records: held-out sentences whose stances are annotated in full.
        no_stance: the label of pairs without a stance.
    """
    span_biases = {head: config.biases.get(head, 0.0) for head in OPINION_HEADS}
    unscaled = without_calibration(config, ("stance",))
    unscaled.biases |= span_biases
    unscaled_predictor = Predictor(unscaled, predictor.windows, predictor.backend)
    stances = find_stances(unscaled_predictor, records, no_stance)
    if not len(stances.answers.gold):
        return
    weights = fit_evidence(stances, no_stance)
    config.biases |= weights
    unscaled.biases |= weights
    # The probabilities change, and with them the choice among nested targets.
    stances = find_stances(unscaled_predictor, records, no_stance)
    fit(config, FOUND, stances.answers)
    # Annotated stances that no pair matches count as missed, so the best limit follows from the best F1.
    limit = max(best_f1(stances, no_stance) / 2, EPSILON)
    limits = dict.fromkeys(stances.answers.labels, limit)
    limits[no_stance] = 1 - limit
    total = sum(limits.values())
    for label, value in limits.items():
        config.thresholds[f"{FOUND}.{label}"] = round(value / total, 4)


def fit_evidence(stances: FoundStances, no_stance: str) -> dict[str, float]:
    """Return the weights of the properties of pairs, as biases of the label of pairs without a stance.

    Each is minus the coefficient of a property, divided by that of the network's log-odds, in a logistic
    regression of whether the annotation has a stance. There are none for fewer than ``MIN_ANSWERS`` pairs, for
    pairs of one kind, and if the network's log-odds do not help.

    Args:
        stances: the pairs, with uncalibrated probabilities.
        no_stance: the label of pairs without a stance.
    """
    answers = stances.answers
    neutral = answers.labels.index(no_stance)
    has_stance = answers.gold != neutral
    if len(answers.gold) < MIN_ANSWERS or has_stance.all() or not has_stance.any():
        return {}
    neutral_probability = np.clip(answers.probabilities[:, neutral], EPSILON, 1 - EPSILON)
    features = np.column_stack([-logit(neutral_probability), stances.evidence])  # (P, 1 + E)
    regression = LogisticRegression().fit(features, has_stance)
    scale, *coefficients = regression.coef_[0].tolist()
    if scale <= 0:
        return {}
    weights = {}
    for name, coefficient in zip(EVIDENCE, coefficients, strict=True):
        weights[f"{FOUND}.{no_stance}.{name}"] = -round(coefficient / scale, 4)
    return weights


class CachingBackend:
    """Read each window once, and return the same output from then on."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._outputs: dict[tuple[bytes, bytes, bytes], dict[str, Floats]] = {}
        self.stance = backend.stance
        self.link = backend.link

    def read(self, ids: Ints, segments: Ints, sentences: Ints) -> dict[str, Floats]:
        """Return the output for a window (see ``Backend``)."""
        key = (ids.tobytes(), segments.tobytes(), sentences.tobytes())
        if key not in self._outputs:
            self._outputs[key] = self._backend.read(ids, segments, sentences)
        return self._outputs[key]
