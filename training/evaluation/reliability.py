"""Whether probabilities mean what they say, and what an answer is worth that may be withheld.

Sources: reliability diagrams and their error, Guo et al. 2017; the error that a perfectly calibrated model would show,
Bröcker & Smith 2007; the risk–coverage curve and the area under it, Geifman & El-Yaniv 2017; label sets, Angelopoulos &
Bates 2021.
"""

from collections.abc import Callable, Sequence
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
    interval,
    resampled_rows,
)

PROMISE = 0.9  # the precision of answers that are not withheld, and the coverage of label sets

#: Tasks that sentences are ranked by: what counts is the probability of the last label.
RANKED = ("check_worthy",)


@dataclass(frozen=True)
class Bin:
    """One bar of a reliability diagram: n answers of about one probability, and how often that came true."""

    low: float
    high: float
    n: int
    said: float
    true: float


def bins(said: Array, true: NDArray[np.bool_], count: int = 15) -> list[Bin]:
    """The bars of a reliability diagram, of equal width; those without answers are left out."""
    which = np.minimum((said * count).astype(int), count - 1)
    return [
        Bin(
            b / count,
            (b + 1) / count,
            int((which == b).sum()),
            float(said[which == b].mean()),
            float(true[which == b].mean()),
        )
        for b in np.unique(which)
    ]


def claims(answers: Answers, task: str) -> tuple[Array, NDArray[np.bool_]]:
    """What was said with which probability, and whether it is true: that the last label applies, or the answer."""
    if task in RANKED:
        last = len(answers.labels) - 1
        return answers.probabilities[:, last], np.asarray(answers.gold == last)
    return answers.confidence, answers.right


def unavoidable_error(said: Array, draws: int = 200, seed: int = 13) -> float:
    """The calibration error that these probabilities would show on average if they were exactly right.

    It is not 0, since a bin of few answers is never hit exactly; an error near it is none that could be seen.
    """
    rng = np.random.default_rng(seed)
    return float(
        np.mean([calibration_error(said, rng.random(len(said)) < said) for _ in range(draws)])
    )


def risk_coverage(confidence: Array, right: NDArray[np.bool_]) -> tuple[Array, Array]:
    """Coverage and risk (the share of wrong answers) if only the surest are given: a point for each confidence."""
    ends, precision, coverage = _precisions(confidence, right, np.ones((1, len(right))))
    return coverage[0, ends], 1 - precision[0, ends]


def area_under(coverage: Array, risk: Array) -> float:
    """The area under a risk–coverage curve: the mean risk over all coverages."""
    return float((np.diff(coverage, prepend=0.0) * risk).sum())


def coverage_at(
    confidence: Array, right: NDArray[np.bool_], weights: Array, precision: float = PROMISE
) -> Array:
    """The largest share of answers that are right with this precision, under each row of ``weights``."""
    ends, precisions, coverage = _precisions(confidence, right, weights)
    return np.asarray((coverage * (precisions >= precision))[:, ends].max(axis=1))


def _precisions(
    confidence: Array, right: NDArray[np.bool_], weights: Array
) -> tuple[NDArray[np.int64], Array, Array]:
    """Where each confidence's answers end, surest first, and precision and coverage of the answers up to each."""
    order = np.argsort(-confidence, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(confidence[order])), len(order) - 1)
    given = np.cumsum(weights[:, order], axis=1)
    good = np.cumsum(weights[:, order] * right[order], axis=1)
    return ends, good / np.clip(given, 1e-12, None), given / given[:, -1:]


def figures(answers: Answers, task: str, config: ModelConfig) -> dict[str, Figure]:
    """Calibration error, coverage at the promised precision, and what abstaining and label sets come to."""
    said, true = claims(answers, task)
    error, n = calibration_error(said, true), len(said)
    found = {"calibration_error": Figure(error, error, error, n)}
    weights = np.vstack([np.ones(n), resampled_rows(answers.documents.tolist())])
    coverage = coverage_at(answers.confidence, answers.right, weights)
    found[f"coverage_at_{100 * PROMISE:.0f}"] = interval(coverage[0], coverage[1:], n)
    if (shown := given(answers, config)) is not None:
        found |= _answered(answers, shown)
    if (least := _each(answers, config.in_set_from)) is not None:
        found |= _sets(answers, least)
    return found


def given(answers: Answers, config: ModelConfig) -> NDArray[np.bool_] | None:
    """(n,) whether each answer is given, not withheld; ``None`` if nothing is promised of some."""
    least = _each(answers, config.answered_from, answers.said)
    return None if least is None else np.asarray(answers.confidence >= least)


def _each(
    answers: Answers, value: Callable[..., float | None], *more: Sequence[str]
) -> Array | None:
    """(n,) the value for each question's kind, and for what else belongs to it; ``None`` if one has none."""
    asked = list(zip(answers.kinds.tolist(), *more, strict=True))
    known = {one: value(*one) for one in set(asked)}
    return None if None in known.values() else np.array([known[one] for one in asked], dtype=float)


def _answered(answers: Answers, given: NDArray[np.bool_]) -> dict[str, Figure]:
    """The share of questions answered, and how many of these answers are right: of all, and of each label."""
    table = np.stack([given, np.ones(len(given))], axis=1)
    found = bootstrap(
        _by_document(answers, table), lambda sums: {"answered.share": sums[0] / sums[1]}, len(given)
    )
    found |= _right(answers, given, "answered.accuracy")
    for column, label in enumerate(answers.labels):
        found |= _right(answers, given & (answers.decided == column), f"answered.accuracy.{label}")
    return found


def _right(answers: Answers, some: NDArray[np.bool_], name: str) -> dict[str, Figure]:
    """How many of some answers are right; nothing of none."""
    sums = _by_document(answers, np.stack([some, some & answers.right], axis=1))
    kept = sums[
        sums[:, 0] > 0
    ]  # documents without such an answer say nothing of how right they are
    return (
        bootstrap(kept, lambda sums: {name: sums[1] / sums[0]}, int(some.sum()))
        if len(kept)
        else {}
    )


def _sets(answers: Answers, least: Array) -> dict[str, Figure]:
    """How often the right label is in the set, and how large sets are: means over documents of their means."""
    sizes = (answers.probabilities >= least[:, None]).sum(axis=1)
    table = np.stack([answers.of_right >= least, sizes, np.ones(len(sizes))], axis=1)
    sums = _by_document(answers, table)

    def score(summed: Array) -> dict[str, float]:
        return {
            "conformal.coverage": summed[0] / summed[2],
            "conformal.size": summed[1] / summed[2],
        }

    return bootstrap(sums / sums[:, 2:], score, len(sizes))


def _by_document(answers: Answers, table: Array) -> Array:
    """The sums (documents, columns) of a table (n, columns)."""
    names, which = np.unique(answers.documents, return_inverse=True)
    sums = np.zeros((len(names), table.shape[1]))
    np.add.at(sums, which, table)
    return sums
