"""Reliability of probabilities: calibration error, risk and coverage, abstention and label sets.

Sources: reliability diagrams and their error, Guo et al. 2017; the error that a perfectly calibrated
model would show, Bröcker & Smith 2007; the risk–coverage curve and its area, Geifman & El-Yaniv
2017; label sets, Angelopoulos & Bates 2021.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from claimstance.model.config import ModelConfig
from claimstance.training.evaluation.answers import Answers
from claimstance.training.evaluation.metrics import (
    Array,
    Figure,
    bootstrap,
    calibration_error,
    cumulative_curve,
    interval,
    resampled_weights,
)

#: The precision of answers that are not withheld, and the coverage of label sets.
TARGET_PRECISION = 0.9

#: Stances are rare: from a higher precision on, an option to abstain would hide nearly all of them.
STANCE_PRECISION = 0.8
#: Tasks that sentences are ranked by: their event is that the last label applies.
RANKED = ("check_worthy",)


def answered_precision(kind: str) -> float:
    """Return the precision of answers that are not marked as abstained, for a task or a kind of stance query."""
    task = kind.partition(".")[0]  # kinds of stance queries are called "stance.…"
    return STANCE_PRECISION if task == "stance" else TARGET_PRECISION


@dataclass(frozen=True)
class ReliabilityBin:
    """Represent n answers whose probabilities lie in [low, high)."""

    low: float
    high: float
    n: int
    mean_probability: float
    observed_share: float


def reliability_bins(
    probabilities: Array, outcomes: NDArray[np.bool_], count: int = 15
) -> list[ReliabilityBin]:
    """Return the bins of a reliability diagram, of equal width; empty bins are omitted."""
    bin_of = np.minimum((probabilities * count).astype(int), count - 1)
    bins = []
    for number in np.unique(bin_of):
        rows = bin_of == number
        bins.append(
            ReliabilityBin(
                low=number / count,
                high=(number + 1) / count,
                n=int(rows.sum()),
                mean_probability=float(probabilities[rows].mean()),
                observed_share=float(outcomes[rows].mean()),
            )
        )
    return bins


def binary_outcomes(answers: Answers, task: str) -> tuple[Array, NDArray[np.bool_]]:
    """Return the probability of each question's event, and whether the event occurred, (n,) each.

    The event is that the predicted label is correct; for ranked tasks, that the last label applies.
    """
    if task in RANKED:
        last = len(answers.labels) - 1
        return answers.probabilities[:, last], np.asarray(answers.gold == last)
    return answers.confidence, answers.correct


def calibration_error_floor(probabilities: Array, draws: int = 200, seed: int = 13) -> float:
    """Return the mean calibration error that exactly right probabilities would show.

    It is not 0, because a bin of few answers rarely has exactly its expected share. A measured error
    near this floor is no evidence of miscalibration.
    """
    rng = np.random.default_rng(seed)
    errors = []
    for _ in range(draws):
        outcomes = rng.random(len(probabilities)) < probabilities
        errors.append(calibration_error(probabilities, outcomes))
    return float(np.mean(errors))


def risk_coverage(confidence: Array, correct: NDArray[np.bool_]) -> tuple[Array, Array]:
    """Return coverage and risk, with one point for each distinct confidence.

    Coverage is the share of questions that are answered if only the most confident answers are
    given, risk the share of these answers that is wrong.
    """
    curve = cumulative_curve(confidence, correct)
    coverage = curve.counts / curve.counts[-1]
    risk = 1 - curve.sums / curve.counts
    return coverage, risk


def area_under(coverage: Array, risk: Array) -> float:
    """Return the area under a risk–coverage curve: the mean risk over all coverages."""
    return float((np.diff(coverage, prepend=0.0) * risk).sum())


def coverage_at_precision(
    confidence: Array,
    correct: NDArray[np.bool_],
    weights: Array,
    precision: float = TARGET_PRECISION,
) -> Array:
    """Return the largest coverage that reaches a precision, under each row of ``weights``.

    Args:
        confidence: (n,) the confidence of each answer.
        correct: (n,) whether each answer is correct.
        weights: (resamples, n) how often each answer counts.
        precision: the share of correct answers to reach.

    Returns:
        (resamples,) coverages; 0 where no threshold reaches the precision.
    """
    curve = cumulative_curve(confidence, correct, weights)
    # In a resample, the most confident answers may not be drawn: their count is 0.
    precisions = curve.sums / np.clip(curve.counts, 1e-12, None)
    coverage = curve.counts / curve.counts[:, -1:]
    return np.asarray((coverage * (precisions >= precision)).max(axis=1))


def reliability_figures(answers: Answers, task: str, config: ModelConfig) -> dict[str, Figure]:
    """Return calibration error, coverage at the target precision, and figures of abstention and sets.

    Figures of abstention and of label sets need thresholds in ``config`` for all the answers.
    """
    probabilities, outcomes = binary_outcomes(answers, task)
    n = len(probabilities)
    error = calibration_error(probabilities, outcomes)
    figures = {"calibration_error": Figure(error, error, error, n)}

    # The first row of weights is the data itself, the others are resamples.
    weights = np.vstack([np.ones(n), resampled_weights(answers.documents.tolist())])
    coverage = coverage_at_precision(answers.confidence, answers.correct, weights)
    figures[f"coverage_at_{100 * TARGET_PRECISION:.0f}"] = interval(coverage[0], coverage[1:], n)

    answered = answered_mask(answers, config)
    if answered is not None:
        sums = _sum_by_document(answers, np.stack([answered, np.ones(n)], axis=1))
        figures |= bootstrap(sums, lambda total: {"answered.share": total[0] / total[1]}, n)
        figures |= _accuracy(answers, answered, "answered.accuracy")
        # A label that is always withheld has no accuracy.
        for column, label in enumerate(answers.labels):
            rows = answered & (answers.predicted == column)
            figures |= _accuracy(answers, rows, f"answered.accuracy.{label}")

    # Coverage and size of label sets are means over documents of the documents' means.
    set_thresholds = []
    for kind in answers.kinds.tolist():
        threshold = config.conformal_threshold(kind)
        if threshold is None:
            return figures
        set_thresholds.append(threshold)
    thresholds = np.array(set_thresholds, dtype=float)  # (n,)
    set_sizes = (answers.probabilities >= thresholds[:, None]).sum(axis=1)  # (n,)
    covered = answers.gold_probability >= thresholds
    sums = _sum_by_document(answers, np.stack([covered, set_sizes, np.ones(n)], axis=1))
    # Every document weighs the same, as when the thresholds were fitted.
    means = sums / sums[:, 2:]
    figures |= bootstrap(
        means,
        lambda total: {
            "conformal.coverage": total[0] / total[2],
            "conformal.size": total[1] / total[2],
        },
        n,
    )
    return figures


def answered_mask(answers: Answers, config: ModelConfig) -> NDArray[np.bool_] | None:
    """Return whether each answer is given rather than withheld, (n,).

    Returns:
        ``None`` if the model has no abstention threshold for one of the answers.
    """
    thresholds = []
    for kind, label in zip(answers.kinds.tolist(), answers.predicted_labels, strict=True):
        threshold = config.abstention_threshold(kind, label)
        if threshold is None:
            return None
        thresholds.append(threshold)
    return np.asarray(answers.confidence >= np.array(thresholds, dtype=float))


def _accuracy(answers: Answers, rows: NDArray[np.bool_], name: str) -> dict[str, Figure]:
    """Return the accuracy of the selected answers under ``name``; nothing if no row is selected."""
    if not rows.any():
        return {}
    sums = _sum_by_document(answers, np.stack([rows, rows & answers.correct], axis=1))
    # A resample of documents without any selected answer would have no accuracy.
    sums = sums[sums[:, 0] > 0]
    return bootstrap(sums, lambda total: {name: total[1] / total[0]}, int(rows.sum()))


def _sum_by_document(answers: Answers, table: Array) -> Array:
    """Sum the rows of each document: (n, columns) → (documents, columns)."""
    names, document_rows = np.unique(answers.documents, return_inverse=True)
    sums = np.zeros((len(names), table.shape[1]))
    np.add.at(sums, document_rows, table)
    return sums
