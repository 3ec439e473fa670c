"""Prediction-powered inference for shares: what a hand-coded sample says about the labels of a model.

A share of the model's labels is biased, since its errors do not cancel out. The estimator combines two
sources: the model's labels of all units, and the hand-coded ("gold") labels of a random sample of them. It
adds the mean error in the sample to the model's share (Angelopoulos et al. 2023, Science 382:669,
https://arxiv.org/abs/2301.09633). Its power-tuned version scales the model's labels by a factor between 0
and 1 that makes the variance smallest (Angelopoulos, Duchi and Zrnic 2023, https://arxiv.org/abs/2311.01453).
At 0 it is the classical estimate from the sample alone, so that a poor model costs nothing.

Three extensions make it fit a corpus:

- Sampling weights: a stratified sample has more units of some strata than their size implies. Shares in the
  sample are weighted means (Hájek's estimator).
- Ratios: a share may be among some labels, such as the share of *favor* among the stances that take a side.
  The variance is that of the linearized ratio.
- Articles: units of one article are dependent. The variance is the sum over articles of the squared sum of
  the influences of an article's units, where a coded unit has two of them, one as part of the corpus and one
  as part of the sample.

Intervals of small samples are too narrow where the sample shows few errors. As Agresti and Coull (1998) do
for the classical estimate, intervals are computed as if four more units were coded: one for each pair of a
model's label and a gold label, inside and outside of the share.
"""

from collections.abc import Collection
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt

from claimstance.model.errors import InputError

#: Fewer coded units tell too little: the interval would not hold what it promises.
MIN_CODED = 20
LEVEL = 0.95
Array = npt.NDArray[Any]
#: Model's label and gold label of the units that an interval counts in addition: 1 inside of the share.
_ADDED_MODEL = np.array([0.0, 0.0, 1.0, 1.0])
_ADDED_GOLD = np.array([0.0, 1.0, 0.0, 1.0])


@dataclass(frozen=True)
class Estimate:
    """Represent an estimated value with its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Coded:
    """Represent the coded units of a population.

    Attributes:
        positions: their indices in the population.
        labels: their gold labels.
        weights: their sampling weights; only their proportions matter.
    """

    positions: Array
    labels: Array
    weights: Array


@dataclass(frozen=True)
class CorrectedShare:
    """Represent the share of a label, estimated in three ways.

    Attributes:
        units: the number of units of the population.
        coded: the number of coded ones.
        agreement: the share of units whose label is right, estimated from the coded ones.
        model: the share of the model's labels; its interval ignores that they may be wrong.
        sample: the share of the gold labels of the sample alone.
        corrected: the share by prediction-powered inference.
        tuning: the factor of the model's labels, from 0 (ignored) to 1 (trusted as far as the errors allow).
    """

    units: int
    coded: int
    agreement: float
    model: Estimate
    sample: Estimate
    corrected: Estimate
    tuning: float


def corrected_share(
    predicted: Array,
    articles: Array,
    coded: Coded,
    label: str | int,
    among: Collection[str | int] | None = None,
) -> CorrectedShare | None:
    """Return the share of ``label`` in a population of units; ``None`` if too few of them are coded.

    Args:
        predicted: the model's label of each unit of the population, as a name or a number.
        articles: the number of each unit's article, from 0.
        coded: the coded units, a random sample of the population.
        label: the label whose share is estimated.
        among: the labels that the share is among, including ``label``; all units if not given.

    Raises:
        InputError: if the arrays do not fit together.
    """
    _check(predicted, articles, coded)
    positions = coded.positions
    if len(positions) < MIN_CODED:
        return None
    model = _indicators(predicted, label, among)
    gold = _indicators(coded.labels, label, among)
    if not model[1].any() or not gold[1].any():
        return None

    # The share of the model's labels has an interval over articles.
    numerator, denominator = model.mean(axis=1)
    share = numerator / denominator
    residuals = (model[0] - share * model[1]) / denominator / model.shape[1]
    sums = np.bincount(articles, weights=residuals)
    low, high = _interval(share, float(np.sqrt(sums @ sums)))

    weights = coded.weights.astype(float)
    is_right = predicted[positions] == coded.labels
    sample = _Sample(
        model=model,
        articles=articles,
        coded_model=model[:, positions],
        coded_gold=gold,
        coded_articles=articles[positions],
        weights=weights,
    )
    extended = sample.extended()
    tuning = extended.best_tuning()
    return CorrectedShare(
        units=len(predicted),
        coded=len(positions),
        agreement=float(np.average(is_right, weights=weights)),
        model=Estimate(float(share), low, high),
        sample=_estimate(sample, extended, 0.0),
        corrected=_estimate(sample, extended, tuning),
        tuning=tuning,
    )


def _check(predicted: Array, articles: Array, coded: Coded) -> None:
    """Raise ``InputError`` unless the arrays fit together."""
    if len(predicted) != len(articles):
        raise InputError(
            f"expected an article for each of {len(predicted)} units, found {len(articles)}"
        )
    lengths = {len(coded.positions), len(coded.labels), len(coded.weights)}
    if len(lengths) > 1:
        raise InputError(
            f"expected as many labels and weights as coded units ({len(coded.positions)}), "
            f"found {len(coded.labels)} and {len(coded.weights)}"
        )
    if len(np.unique(coded.positions)) < len(coded.positions):
        raise InputError("expected each coded unit once, found one several times")
    if not np.all(coded.weights > 0):
        raise InputError(f"expected weights above 0, found {coded.weights.min()}")


def _indicators(labels: Array, label: str | int, among: Collection[str | int] | None) -> Array:
    """Return two rows: 1 where a unit counts in the numerator of the share, and in its denominator."""
    indicators = np.ones((2, len(labels)))
    indicators[0] = labels == label
    if among is not None:
        indicators[1] = np.isin(labels, list(among))
    return indicators


@dataclass(frozen=True)
class _Sample:
    """Represent a population and its coded units, as indicators of a share.

    Indicators have two rows, see ``_indicators``.

    Attributes:
        model: the model's indicators of all units.
        articles: the articles of all units.
        coded_model: the model's indicators of the coded units.
        coded_gold: their gold indicators.
        coded_articles: their articles.
        weights: their weights.
    """

    model: Array
    articles: Array
    coded_model: Array
    coded_gold: Array
    coded_articles: Array
    weights: Array

    def extended(self) -> "_Sample":
        """Return the sample with the four added units, each in an article of its own and of mean weight."""
        ones = np.ones(len(_ADDED_MODEL))
        first = max(self.articles.max(), self.coded_articles.max()) + 1
        added_articles = first + np.arange(len(ones))
        added_weights = self.weights.mean() * ones
        return _Sample(
            model=self.model,
            articles=self.articles,
            coded_model=np.hstack([self.coded_model, [_ADDED_MODEL, ones]]),
            coded_gold=np.hstack([self.coded_gold, [_ADDED_GOLD, ones]]),
            coded_articles=np.append(self.coded_articles, added_articles),
            weights=np.append(self.weights, added_weights),
        )

    def share(self, tuning: float) -> tuple[float, float]:
        """Return the estimated share, and the mean of its denominator."""
        errors = np.average(
            self.coded_gold - tuning * self.coded_model, axis=1, weights=self.weights
        )
        numerator, denominator = tuning * self.model.mean(axis=1) + errors
        return float(numerator / denominator), float(denominator)

    def influences(self, share: float) -> tuple[Array, Array]:
        """Return two influences of each article: that of its gold labels, and that of the model's labels.

        The influence of an article on the estimate is the first plus the tuning times the second, divided
        by the denominator.
        """
        gold = self.coded_gold[0] - share * self.coded_gold[1]
        coded_model = self.coded_model[0] - share * self.coded_model[1]
        model = self.model[0] - share * self.model[1]
        weights = self.weights / self.weights.sum()
        count = max(self.articles.max(), self.coded_articles.max()) + 1

        def by_article(articles: Array, values: Array) -> Array:
            return np.bincount(articles, weights=values, minlength=count)

        gold_influences = weights * (gold - weights @ gold)
        model_influences = (model - model.mean()) / len(model)
        coded_model_influences = weights * (coded_model - weights @ coded_model)
        from_gold = by_article(self.coded_articles, gold_influences)
        from_model = by_article(self.articles, model_influences)
        from_model -= by_article(self.coded_articles, coded_model_influences)
        return from_gold, from_model

    def best_tuning(self) -> float:
        """Return the factor from 0 to 1 that makes the variance smallest: a regression through 0."""
        share, _ = self.share(0.0)
        from_gold, from_model = self.influences(share)
        squares = float(from_model @ from_model)
        if squares == 0:
            return 0.0
        return float(np.clip(-(from_gold @ from_model) / squares, 0, 1))

    def standard_error(self, tuning: float) -> float:
        """Return the standard error of the estimated share."""
        share, denominator = self.share(tuning)
        from_gold, from_model = self.influences(share)
        influences = (from_gold + tuning * from_model) / denominator
        articles = len(np.unique(self.coded_articles))
        return float(np.sqrt(influences @ influences * articles / (articles - 1)))


def _estimate(sample: _Sample, extended: _Sample, tuning: float) -> Estimate:
    """Return the share with an interval around that of the extended sample."""
    share, _ = sample.share(tuning)
    value = _clipped(share)
    center, _ = extended.share(tuning)
    low, high = _interval(center, extended.standard_error(tuning))
    return Estimate(value, min(low, value), max(high, value))


def _interval(center: float, standard_error: float) -> tuple[float, float]:
    """Return the bounds of an interval for a share."""
    half = NormalDist().inv_cdf(0.5 + LEVEL / 2) * standard_error
    return _clipped(center - half), _clipped(center + half)


def _clipped(share: float) -> float:
    """Return a share that is at least 0 and at most 1."""
    return float(min(max(share, 0.0), 1.0))
