"""Calibration of a trained model on held-out records.

Everything that ``ModelConfig`` keeps beside the weights is fitted here: temperatures and biases, so that
probabilities are honest; decision thresholds; abstention and conformal thresholds; biases of tags and links.
"""

import logging
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression

from claimstance.model.config import ALWAYS_ABSTAIN, ModelConfig
from claimstance.model.decoding import Floats, softmax
from claimstance.model.labels import FOUND, OPINION_HEADS, ROLES, SENTENCE_TASKS, TASKS
from claimstance.model.pair_evidence import EVIDENCE
from claimstance.model.predictor import Backend, Ints, Predictor
from claimstance.model.record import Record
from claimstance.training.evaluation.answers import Answers, collect
from claimstance.training.evaluation.evaluate import evaluate, predict_records, primary
from claimstance.training.evaluation.metrics import Array, cumulative_curve
from claimstance.training.evaluation.reliability import (
    RANKED,
    TARGET_PRECISION,
    answered_precision,
    binary_outcomes,
)
from claimstance.training.fine_tuning.found_stances import FoundStances, best_f1, find_stances

log = logging.getLogger(__name__)

#: Answers below which neither thresholds nor abstention are fitted.
MIN_ANSWERS = 100
#: Confidences are clipped to this distance from 0 and 1.
_EPSILON = 1e-3
#: Standard deviation, in log-odds, of the prior that ties the precision curve to the confidences.
_PRIOR_SD = 0.5
_FOLDS = 5
#: Factors by which the search changes one label's threshold at a time.
_FACTORS = np.exp(np.linspace(-1.5, 1.5, 31))
_BIASES = (-0.5, 0.0, 0.5, 1.0, 1.5)
_OPINION_BIASES = (0.0, 1.0, 2.0, 3.0)


@dataclass(frozen=True)
class Scale:
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
    uncalibrated = without_calibration(predictor.config, tasks or TASKS)
    tasks = tuple(tasks or predictor.config.tasks)
    config = replace(uncalibrated, tasks=tasks)
    unscaled = Predictor(config, predictor.windows, predictor.backend, predictor.workers)
    pairs = predict_records(unscaled, records)
    # A copy, because the answers below are still collected with the uncalibrated configuration.
    calibrated = without_calibration(uncalibrated, ())
    calibrated.biases |= fit_biases(unscaled, records)
    exhaustive: list[Record] = []
    if "stance" in tasks and config.opinion_heads:
        exhaustive = [
            record for record in records if record.meta.get("corpus") in exhaustive_stances
        ]
        # The encoder reads each window once for all that is fitted to found stances.
        backend = CachingBackend(predictor.backend)
        # Sources are holders, too, so the biases of attributions count.
        with_biases = replace(config, biases=dict(calibrated.biases))
        calibrated.biases |= fit_opinion_biases(
            Predictor(with_biases, predictor.windows, backend), exhaustive, no_stance
        )
    for task in (*SENTENCE_TASKS, "stance"):
        answers = collect(config, task, pairs) if task in tasks else None
        if not answers:
            continue
        for kind, kind_answers in {**answers.by_kind(), task: answers}.items():
            fit(calibrated, kind, kind_answers)
    if exhaustive:
        cached = Predictor(predictor.config, predictor.windows, backend)
        fit_found_stances(calibrated, cached, exhaustive, no_stance)
    return calibrated


def without_calibration(config: ModelConfig, tasks: Sequence[str]) -> ModelConfig:
    """Return a copy of the configuration without the calibration of ``tasks``."""

    def of_other_tasks(values: dict[str, float]) -> dict[str, float]:
        kept = {}
        for key, value in values.items():
            task = key.partition(".")[0]
            if task in OPINION_HEADS:
                task = "stance"
            elif task not in TASKS:
                task = "attribution"  # the keys of attributions are roles and "link"
            if task not in tasks:
                kept[key] = value
        return kept

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
    scaled = replace(answers, probabilities=scale(logits))
    thresholds = fit_thresholds(scaled, kind)
    for label, threshold in zip(answers.labels, thresholds, strict=True):
        config.thresholds[f"{kind}.{label}"] = threshold
    scaled = replace(scaled, predicted=(scaled.probabilities / thresholds).argmax(axis=1))
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


def fit_scale(logits: Array, gold: NDArray[np.int64], documents: NDArray[np.str_]) -> Scale:
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


def _fit_scale(logits: Array, gold: NDArray[np.int64], with_biases: bool) -> Scale:
    """Fit the scale of the greatest posterior probability."""

    def scale(parameters: Array) -> Scale:
        biases = np.zeros(logits.shape[1])
        if with_biases:
            biases[1:] = parameters[1:]
        return Scale(biases, float(np.exp(parameters[0])))

    def objective(parameters: Array) -> float:
        prior = 0.5 * parameters @ parameters
        return float(_losses(scale(parameters), logits, gold).sum() + prior)

    size = logits.shape[1] if with_biases else 1
    return scale(minimize(objective, np.zeros(size), method="L-BFGS-B").x)


def _losses(scale: Scale, logits: Array, gold: NDArray[np.int64]) -> Array:
    """Return the negative log-likelihoods, (n,)."""
    likelihoods = scale(logits)[np.arange(len(gold)), gold]
    return np.asarray(-np.log(np.clip(likelihoods, 1e-12, None)))


def fit_thresholds(answers: Answers, kind: str) -> list[float]:
    """Return a decision threshold for each label; the sum is 1.

    ``ModelConfig.predict_label`` chooses the label with the largest probability / threshold. The likeliest label is
    seldom a rare one, although macro-F1 counts all labels alike. Where sentences are ranked, the thresholds
    are those of the best F1 of one label; elsewhere those of the best macro-F1, given enough answers.
    """
    if kind in RANKED:
        threshold = best_threshold(*binary_outcomes(answers, kind))
        thresholds = np.append(np.full(len(answers.labels) - 1, 1 - threshold), threshold)
    elif len(answers.gold) >= MIN_ANSWERS:
        thresholds = best_thresholds(answers.probabilities)
    else:
        thresholds = np.ones(len(answers.labels))
    return [max(round(float(value), 4), 1e-4) for value in thresholds / thresholds.sum()]


def best_thresholds(probabilities: Array) -> Array:
    """Return the thresholds, (labels,), of the best expected macro-F1; the sum is 1.

    The expected F1 of each label follows from the probabilities (n, labels) alone, without gold labels (as in
    Lipton, Elkan & Narayanaswamy 2014 for one label), and varies far less between samples than a counted F1.
    The search changes the one threshold that gains most, until none gains.
    """
    best_score, thresholds = -1.0, np.full(probabilities.shape[1], 1 / probabilities.shape[1])
    while True:
        candidates = neighbouring_thresholds(probabilities, thresholds)
        score, candidate = max(candidates, key=lambda scored: scored[0])
        if score <= best_score + 1e-6:
            return np.asarray(thresholds)
        best_score, thresholds = score, candidate


def neighbouring_thresholds(
    probabilities: Array, thresholds: Array
) -> Iterator[tuple[float, Array]]:
    """Yield (expected macro-F1, thresholds) for changes of one threshold, and for no change."""
    for label in range(len(thresholds)):
        for factor in _FACTORS:
            candidate = thresholds.copy()
            candidate[label] *= factor
            candidate /= candidate.sum()
            predicted = (probabilities / candidate).argmax(axis=1)
            yield expected_macro_f1(probabilities, predicted), candidate


def expected_macro_f1(probabilities: Array, predicted: NDArray[np.int64]) -> float:
    """Return the expected macro-F1 of predicted labels (n,) if probabilities (n, labels) are right."""
    chosen = np.eye(probabilities.shape[1])[predicted]  # (n, labels)
    sizes = probabilities.sum(axis=0) + chosen.sum(axis=0)
    return float(np.mean(2 * (chosen * probabilities).sum(axis=0) / np.maximum(sizes, 1e-12)))


def best_threshold(probabilities: Array, gold: NDArray[np.bool_]) -> float:
    """Return the probability of *yes* from which answering yes has the best F1.

    This is half of the best F1 that any threshold reaches: calibrated probabilities have their best threshold
    there (Lipton, Elkan & Narayanaswamy 2014), and it varies less between samples than the position of the best F1.
    """
    if not gold.any():
        return 0.5
    curve = cumulative_curve(probabilities, gold)
    scores = 2 * curve.sums / np.maximum(curve.counts + gold.sum(), 1)
    return float(scores.max() / 2)


def fit_abstention_threshold(
    confidence: Array, correct: NDArray[np.bool_], target: float = TARGET_PRECISION
) -> float:
    """Return the lowest confidence from which answers reach the precision ``target``.

    Counts of few answers depend on luck, and the confidence itself may be wrong. So the precision is read from a
    curve: logistic in the log-odds of the confidence (Platt 1999), with normal priors that tie its shift and slope
    to those of the confidence.

    Returns:
        0 if all answers together reach it; ``ALWAYS_ABSTAIN`` if no threshold does.
    """
    if not len(correct):
        return ALWAYS_ABSTAIN
    odds = logit(np.clip(confidence, _EPSILON, 1 - _EPSILON))

    def precision(parameters: Array) -> Array:
        return np.asarray(expit(parameters[0] + np.exp(parameters[1]) * odds))

    def objective(parameters: Array) -> float:
        fitted = precision(parameters)
        likelihoods = np.where(correct, fitted, 1 - fitted)
        prior = 0.5 * parameters @ parameters / _PRIOR_SD**2
        return float(-np.log(np.maximum(likelihoods, 1e-12)).sum() + prior)

    fitted = precision(minimize(objective, np.zeros(2), method="L-BFGS-B").x)
    curve = cumulative_curve(confidence, fitted)
    reached = np.flatnonzero(curve.sums / curve.counts >= target - 1e-9)
    if not len(reached):
        return ALWAYS_ABSTAIN
    if reached[-1] == len(curve.thresholds) - 1:
        return 0.0
    return float(curve.thresholds[reached[-1]])


def fit_conformal_threshold(gold_probability: Array, documents: NDArray[np.str_]) -> float:
    """Return the highest threshold for which label sets contain the gold label often enough.

    Split-conformal sets of least size (LAC; Angelopoulos & Bates 2021, section 1), where documents rather than rows
    are exchangeable: every document weighs the same, and an unseen one counts as missed (Lee, Barber & Willett 2023,
    after the pooling of Dunn, Wasserman & Ramdas 2022). The guarantee is about an answer in a new document. Sets may
    be empty.
    """
    names, document, sizes = np.unique(documents, return_inverse=True, return_counts=True)
    curve = cumulative_curve(gold_probability, 1 / sizes[document])
    reached = np.flatnonzero(curve.sums / (len(names) + 1) >= TARGET_PRECISION)
    return float(curve.thresholds[reached[0]]) if len(reached) else 0.0


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
            results = evaluate(Predictor(config, predictor.windows, backend), annotated)
            scores[bias] = primary(results)["mean"]
        best[name] = max(scores, key=lambda bias: (scores[bias], -abs(bias)))
    return best


def fit_opinion_biases(
    predictor: Predictor, records: Sequence[Record], no_stance: str
) -> dict[str, float]:
    """Return the biases of the tags of ``OPINION_HEADS`` with which the stances found have the best F1.

    One bias for both heads is fitted first, then one for each.
    """
    scores: dict[tuple[float, ...], float] = {}

    def score(biases: tuple[float, ...]) -> float:
        if biases not in scores:
            config = replace(
                predictor.config,
                biases=predictor.config.biases | dict(zip(OPINION_HEADS, biases, strict=True)),
            )
            biased = Predictor(config, predictor.windows, predictor.backend)
            scores[biases] = best_f1(find_stances(biased, records, no_stance), no_stance)
        return scores[biases]

    equal_biases = [(bias,) * len(OPINION_HEADS) for bias in _OPINION_BIASES]
    best = max(equal_biases, key=score)
    for position in range(len(OPINION_HEADS)):
        candidates = [(*best[:position], bias, *best[position + 1 :]) for bias in _OPINION_BIASES]
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
    found = find_stances(unscaled_predictor, records, no_stance)
    if not len(found.answers.gold):
        return
    weights = fit_evidence(found, no_stance)
    config.biases |= weights
    unscaled.biases |= weights
    # The probabilities change, and with them the choice among nested targets.
    found = find_stances(unscaled_predictor, records, no_stance)
    fit(config, FOUND, found.answers)
    # Annotated stances that no pair matches count as missed, so the best limit follows from the best F1.
    limit = max(best_f1(found, no_stance) / 2, _EPSILON)
    limits = dict.fromkeys(found.answers.labels, limit) | {no_stance: 1 - limit}
    for label, value in limits.items():
        config.thresholds[f"{FOUND}.{label}"] = round(value / sum(limits.values()), 4)


def fit_evidence(found: FoundStances, no_stance: str) -> dict[str, float]:
    """Return the weights of the properties of pairs, as biases of the label of pairs without a stance.

    Each is minus the coefficient of a property, divided by that of the network's log-odds, in a logistic
    regression of whether the annotation has a stance. There are none for fewer than ``MIN_ANSWERS`` pairs, for
    pairs of one kind, and if the network's log-odds do not help.

    Args:
        found: the pairs, with uncalibrated probabilities.
        no_stance: the label of pairs without a stance.
    """
    answers = found.answers
    neutral = answers.labels.index(no_stance)
    has_stance = answers.gold != neutral
    if len(answers.gold) < MIN_ANSWERS or has_stance.all() or not has_stance.any():
        return {}
    none = np.clip(answers.probabilities[:, neutral], _EPSILON, 1 - _EPSILON)
    features = np.column_stack([-logit(none), found.evidence])  # (P, 1 + E)
    scale, *coefficients = LogisticRegression().fit(features, has_stance).coef_[0].tolist()
    if scale <= 0:
        return {}
    return {
        f"{FOUND}.{no_stance}.{name}": -round(coefficient / scale, 4)
        for name, coefficient in zip(EVIDENCE, coefficients, strict=True)
    }


class CachingBackend:
    """Read each window once, and return the same output from then on."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._outputs: dict[tuple[bytes, bytes], dict[str, Floats]] = {}
        self.stance = backend.stance
        self.link = backend.link

    def read(self, ids: Ints, segments: Ints, sentences: Ints) -> dict[str, Floats]:
        """Return the output for a window (see ``Backend``)."""
        key = (ids.tobytes(), sentences.tobytes())
        if key not in self._outputs:
            self._outputs[key] = self._backend.read(ids, segments, sentences)
        return self._outputs[key]
