"""Thresholds fitted to calibrated probabilities: of decisions, of abstention, and of label sets."""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit, logit

from claimstance.model.config import ALWAYS_ABSTAIN
from claimstance.training.evaluation.answers import Answers
from claimstance.training.evaluation.metrics import Array, cumulative_curve
from claimstance.training.evaluation.reliability import RANKED, TARGET_PRECISION, binary_outcomes

#: Answers below which neither thresholds nor abstention are fitted.
MIN_ANSWERS = 100
#: Probabilities are clipped to this distance from 0 and 1.
EPSILON = 1e-3
#: Standard deviation, in log-odds, of the prior that ties the precision curve to the confidences.
_PRIOR_SD = 0.5
#: Factors by which the search changes one label's threshold at a time.
_FACTORS = np.exp(np.linspace(-1.5, 1.5, 31))


def fit_thresholds(answers: Answers, kind: str) -> list[float]:
    """Return a decision threshold for each label; the sum is 1.

    ``ModelConfig.predict_label`` chooses the label with the largest probability / threshold. The likeliest label is
    seldom a rare one, although macro-F1 counts all labels alike. Where sentences are ranked, the thresholds
    are those of the best F1 of one label; elsewhere those of the best macro-F1, given enough answers.
    """
    if kind in RANKED:
        probabilities, is_positive = binary_outcomes(answers, kind)
        threshold = best_threshold(probabilities, is_positive)
        thresholds = np.full(len(answers.labels), 1 - threshold)
        thresholds[-1] = threshold
    elif len(answers.gold) >= MIN_ANSWERS:
        thresholds = best_thresholds(answers.probabilities)
    else:
        thresholds = np.ones(len(answers.labels))
    shares = thresholds / thresholds.sum()
    return [max(round(float(share), 4), 1e-4) for share in shares]


def best_thresholds(probabilities: Array) -> Array:
    """Return the thresholds, (labels,), of the best expected macro-F1; the sum is 1.

    The expected F1 of each label follows from the probabilities (n, labels) alone, without gold labels (as in
    Lipton, Elkan & Narayanaswamy 2014 for one label), and varies far less between samples than a counted F1.
    The search changes the one threshold that gains most, until none gains.
    """
    label_count = probabilities.shape[1]
    thresholds = np.full(label_count, 1 / label_count)
    best_score = -1.0
    while True:
        candidates = []
        for label in range(label_count):
            for factor in _FACTORS:
                candidate = thresholds.copy()
                candidate[label] *= factor
                candidate /= candidate.sum()
                predicted = (probabilities / candidate).argmax(axis=1)
                score = expected_macro_f1(probabilities, predicted)
                candidates.append((score, candidate))
        score, candidate = max(candidates, key=lambda scored: scored[0])
        if score <= best_score + 1e-6:
            return np.asarray(thresholds)
        best_score = score
        thresholds = candidate


def expected_macro_f1(probabilities: Array, predicted: NDArray[np.int64]) -> float:
    """Return the expected macro-F1 of predicted labels (n,) if probabilities (n, labels) are right."""
    chosen = np.eye(probabilities.shape[1])[predicted]  # (n, labels)
    true_positives = (chosen * probabilities).sum(axis=0)
    sizes = probabilities.sum(axis=0) + chosen.sum(axis=0)
    scores = 2 * true_positives / np.maximum(sizes, 1e-12)
    return float(np.mean(scores))


def best_threshold(probabilities: Array, gold: NDArray[np.bool_]) -> float:
    """Return the probability of *yes* from which answering yes has the best F1.

    This is half of the best F1 that any threshold reaches: calibrated probabilities have their best threshold
    there (Lipton, Elkan & Narayanaswamy 2014), and it varies less between samples than the position of the best F1.
    """
    if not gold.any():
        return 0.5
    curve = cumulative_curve(probabilities, gold)
    sizes = curve.counts + gold.sum()
    scores = 2 * curve.sums / np.maximum(sizes, 1)
    return float(scores.max() / 2)


def fit_abstention_threshold(
    confidence: Array, correct: NDArray[np.bool_], target: float = TARGET_PRECISION
) -> float:
    """Return the lowest confidence from which answers reach the precision ``target``.

    Counts of few answers depend on luck, and the confidence itself may be wrong. So the precision is read from a
    curve: logistic in the log-odds of the confidence (Platt 1999), with normal priors that tie its shift and slope
    to those of the confidence.

    Args:
        confidence: the probability of each answer, (n,).
        correct: for each answer, if it is right, (n,).
        target: the precision to reach.

    Returns:
        0 if all answers together reach it; ``ALWAYS_ABSTAIN`` if no threshold does.
    """
    if not len(correct):
        return ALWAYS_ABSTAIN
    odds = logit(np.clip(confidence, EPSILON, 1 - EPSILON))

    def precision(parameters: Array) -> Array:
        shift, log_slope = parameters
        return np.asarray(expit(shift + np.exp(log_slope) * odds))

    def objective(parameters: Array) -> float:
        fitted = precision(parameters)
        likelihoods = np.where(correct, fitted, 1 - fitted)
        losses = -np.log(np.maximum(likelihoods, 1e-12))
        prior = 0.5 * parameters @ parameters / _PRIOR_SD**2
        return float(losses.sum() + prior)

    parameters = minimize(objective, np.zeros(2), method="L-BFGS-B").x
    curve = cumulative_curve(confidence, precision(parameters))
    precisions = curve.sums / curve.counts
    points = np.flatnonzero(precisions >= target - 1e-9)
    if not len(points):
        return ALWAYS_ABSTAIN
    lowest = points[-1]
    if lowest == len(curve.thresholds) - 1:
        return 0.0
    return float(curve.thresholds[lowest])


def fit_conformal_threshold(gold_probability: Array, documents: NDArray[np.str_]) -> float:
    """Return the highest threshold for which label sets contain the gold label often enough.

    Split-conformal sets of least size (LAC; Angelopoulos & Bates 2021, section 1), where documents rather than rows
    are exchangeable: every document weighs the same, and an unseen one counts as missed (Lee, Barber & Willett 2023,
    after the pooling of Dunn, Wasserman & Ramdas 2022). The guarantee is about an answer in a new document. Sets may
    be empty.

    Args:
        gold_probability: the probability of each answer's gold label, (n,).
        documents: the document of each answer, (n,).
    """
    names, document, sizes = np.unique(documents, return_inverse=True, return_counts=True)
    weights = 1 / sizes[document]
    curve = cumulative_curve(gold_probability, weights)
    coverage = curve.sums / (len(names) + 1)
    points = np.flatnonzero(coverage >= TARGET_PRECISION)
    if not len(points):
        return 0.0
    highest = points[0]
    return float(curve.thresholds[highest])
