"""Bootstrap over articles: intervals for a share or a rate of each outlet, and for differences between outlets.

The sentences of an article resemble each other, so articles, not sentences, are the units that are resampled:
each outlet's articles are drawn with replacement, as many as it has. A share is a sum of counts over a sum of
totals, such as claims over sentences; a rate per article has totals of 1.

The interval of a value is the range between percentiles of the resampled values. The intervals of differences
hold simultaneously, over all outlets and all shares that are compared together: with a probability of 95 % all of
them contain the true difference. Otherwise one of twenty differences would be clear by chance. Their half width is
a multiple of the standard error of each difference. The multiple is the percentile of the largest deviation in a
resample, in standard errors (Montiel Olea and Plagborg-Møller 2019, Simultaneous confidence bands).

An outlet that happens to quote a source in few articles has too small a standard error, because the articles that
would show how much they differ are missing. So the standard error is at least that of an outlet of its size whose
articles differ as much as those of all outlets do. It stays the same in all resamples: where it is computed anew in
each of them (bootstrap-t), resamples without these articles have an error of almost zero, which makes the
deviations, and so the intervals, absurdly large.

Of an outlet with many articles, random groups of articles are resampled in their place, which takes less time
and leaves the variance as it is.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from claimstance.inference.corpus.correction import LEVEL, Estimate
from claimstance.model.errors import InputError

#: Fewer articles show too little of how much articles differ, so that intervals would be too narrow.
MIN_ARTICLES = 20
_RESAMPLES = 1000
_SEED = 13
_MAX_UNITS = 1000  # that are resampled for each outlet
_TINY = 1e-12  # stands for a total of 0, by which nothing can be divided
Array = npt.NDArray[Any]


@dataclass(frozen=True)
class OutletValue:
    """Represent a share or a rate of an outlet.

    Attributes:
        outlet: the name of the outlet.
        articles: the number of its articles with a total above 0.
        value: the value; ``None`` without such articles.
        interval: the value with its interval; ``None`` for fewer than ``MIN_ARTICLES`` articles, and where
            all articles have the same value, so that resampling shows no uncertainty.
        difference: the difference to all other outlets together, with its simultaneous interval; ``None``
            without ``interval``, and if the other outlets have fewer than ``MIN_ARTICLES`` articles.
    """

    outlet: str
    articles: int
    value: float | None
    interval: Estimate | None
    difference: Estimate | None


def outlet_values(
    outlets: Sequence[str] | Array,
    shares: Iterable[tuple[Array, Array]],
    resamples: int = _RESAMPLES,
    seed: int = _SEED,
) -> list[list[OutletValue]]:
    """Return, for each share, the value of each outlet, sorted by the names of the outlets.

    Args:
        outlets: the outlet of each article.
        shares: what is compared. Each has the counts of all articles, such as claims, and the totals that they are
            divided by, such as sentences, or 1 for a rate per article. Articles with a total of 0 do not count.
        resamples: the number of resamples.
        seed: the seed of the random draws.

    Raises:
        InputError: if the arrays differ in length, or a count is negative.
    """
    names, numbers = np.unique(outlets, return_inverse=True)
    rng = np.random.default_rng(seed)
    units, outlet_of_unit = _units(numbers, len(names), rng)
    articles = []
    values = []
    for counts, totals in shares:
        if not len(numbers) == len(counts) == len(totals):
            raise InputError(
                f"expected counts and totals of {len(numbers)} articles, "
                f"found {len(counts)} and {len(totals)}"
            )
        if np.any(counts < 0) or np.any(totals < 0):
            raise InputError("expected counts and totals of at least 0, found a negative one")
        used = totals > 0
        articles.append(np.bincount(numbers[used], minlength=len(names)))
        count = np.bincount(units, weights=counts * used, minlength=len(outlet_of_unit))
        total = np.bincount(units, weights=totals, minlength=len(outlet_of_unit))
        values.append(np.stack([count, total]))
    if not values:
        return []

    sums, resampled = _sums(np.stack(values, axis=1), outlet_of_unit, resamples, rng)
    intervals = _intervals(np.array(articles), sums, resampled)
    differences = _differences(np.array(articles), sums, resampled, intervals)
    ratios = sums.ratios()
    values_of_shares = []
    for share, article_counts in enumerate(articles):
        values_of_outlets = []
        for index, name in enumerate(names):
            has_articles = article_counts[index] > 0
            outlet_value = OutletValue(
                outlet=str(name),
                articles=int(article_counts[index]),
                # Without an article there is no value, rather than one of 0.
                value=float(ratios[share, index]) if has_articles else None,
                interval=intervals[share][index],
                difference=differences[share][index],
            )
            values_of_outlets.append(outlet_value)
        values_of_shares.append(values_of_outlets)
    return values_of_shares


@dataclass(frozen=True)
class _Sums:
    """Hold sums over the articles of each share and outlet, as arrays of shape (shares, outlets).

    Attributes:
        counts: the counts.
        totals: the totals.
        squared_counts: the squares of the counts.
        products: the counts times the totals.
        squared_totals: the squares of the totals.
    """

    counts: Array
    totals: Array
    squared_counts: Array
    products: Array
    squared_totals: Array

    def of_others(self) -> "_Sums":
        """Return the sums over the articles of all other outlets."""
        return _Sums(
            counts=_of_others(self.counts),
            totals=_of_others(self.totals),
            squared_counts=_of_others(self.squared_counts),
            products=_of_others(self.products),
            squared_totals=_of_others(self.squared_totals),
        )

    def ratios(self) -> Array:
        """Return the sums of the counts over those of the totals."""
        return _ratios(self.counts, self.totals)

    def squared_residuals(self) -> Array:
        """Return the sums of the squares of ``count - ratio * total``."""
        ratios = self.ratios()
        squares = self.squared_counts - 2 * ratios * self.products + ratios**2 * self.squared_totals
        residuals: Array = np.maximum(squares, 0.0)  # Rounding can make it negative.
        return residuals

    def variances(self, spread: Array) -> Array:
        """Return the variance of each ratio, linearized, and no less than ``spread`` makes it for these totals.

        Args:
            spread: the squared residual of each share for a total of 1, of shape (shares, 1).
        """
        residuals = np.maximum(self.squared_residuals(), spread * self.squared_totals)
        variances: Array = residuals / np.maximum(self.totals, _TINY) ** 2
        return variances


def _units(numbers: Array, outlets: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """Return the unit of each article that is resampled as one, and the outlet of each unit.

    A unit is an article, or one of ``_MAX_UNITS`` random groups of articles of almost equal size.
    """
    units = np.zeros(len(numbers), dtype=int)
    outlet_of_unit: list[int] = []
    for index in range(outlets):
        rows = np.flatnonzero(numbers == index)
        count = min(len(rows), _MAX_UNITS)
        units[rows] = len(outlet_of_unit) + rng.permutation(len(rows)) % count
        outlet_of_unit += [index] * count
    return units, np.array(outlet_of_unit, dtype=int)


def _sums(
    values: Array, outlet_of_unit: Array, resamples: int, rng: np.random.Generator
) -> tuple[_Sums, Array]:
    """Return the sums of each outlet, and its counts and totals in each resample.

    Args:
        values: counts and totals of each share and unit, of shape (2, shares, units).
        outlet_of_unit: the outlet of each unit.
        resamples: the number of resamples.
        rng: the random draws. All shares have the same ones, so that what they have in common is kept.

    Returns:
        The sums; and the resampled counts and totals, of shape (2, shares, outlets, resamples).
    """
    shares = values.shape[1]
    outlets = int(outlet_of_unit.max(initial=-1)) + 1
    sums = np.zeros((5, shares, outlets))
    resampled = np.zeros((2, shares, outlets, resamples))
    for index in range(outlets):
        own = values[:, :, outlet_of_unit == index]
        counts, totals = own
        summands = (counts, totals, counts * counts, counts * totals, totals * totals)
        for number, summand in enumerate(summands):
            sums[number, :, index] = summand.sum(axis=1)
        units = counts.shape[1]
        drawn = rng.multinomial(units, np.full(units, 1 / units), size=resamples)
        resampled[:, :, index] = own @ drawn.T
    return _Sums(*sums), resampled


def _intervals(articles: Array, sums: _Sums, resampled: Array) -> list[list[Estimate | None]]:
    """Return the value of each share and outlet with its percentile interval, as ``OutletValue`` describes.

    Args:
        articles: the number of articles that count, of shape (shares, outlets).
        sums: the sums of each outlet.
        resampled: counts and totals, of shape (2, shares, outlets, resamples).
    """
    ratios = sums.ratios()
    intervals: list[list[Estimate | None]] = [[None] * articles.shape[1] for _ in articles]
    for share, index in zip(*np.nonzero(articles >= MIN_ARTICLES), strict=True):
        resampled_ratios = _ratios(*resampled[:, share, index])
        low, high = np.quantile(resampled_ratios, [0.5 - LEVEL / 2, 0.5 + LEVEL / 2])
        # Resamples that are all alike, such as those without any count, tell nothing of how much a share varies.
        if low < high:
            value = float(ratios[share, index])
            intervals[share][index] = Estimate(value, float(low), float(high))
    return intervals


def _differences(
    articles: Array,
    sums: _Sums,
    resampled: Array,
    intervals: Sequence[Sequence[Estimate | None]],
) -> list[list[Estimate | None]]:
    """Return the difference of each outlet to all others, as ``OutletValue`` describes.

    Args:
        articles: see ``_intervals``.
        sums: see ``_intervals``.
        resampled: see ``_intervals``.
        intervals: the intervals of each share and outlet.
    """
    differences: list[list[Estimate | None]] = [[None] * articles.shape[1] for _ in articles]
    has_interval = np.array([[it is not None for it in row] for row in intervals], dtype=bool)
    has_enough_others = _of_others(articles) >= MIN_ARTICLES
    compared = np.nonzero(has_interval & has_enough_others)
    compared_shares, compared_outlets = compared
    if not len(compared_shares):
        return differences

    others = sums.of_others()
    values = (sums.ratios() - others.ratios())[compared]
    # How much articles of the same outlet differ, in all outlets together.
    squared_residuals = sums.squared_residuals().sum(axis=1, keepdims=True)
    squared_totals = sums.squared_totals.sum(axis=1, keepdims=True)
    spread = squared_residuals / np.maximum(squared_totals, _TINY)
    errors = np.sqrt(sums.variances(spread) + others.variances(spread))[compared]

    counts, totals = resampled
    resampled_differences = _ratios(counts, totals) - _ratios(
        _of_others(counts), _of_others(totals)
    )
    deviations = np.abs(resampled_differences[compared] - values[:, None])
    # One multiple for all: in 95 % of the resamples, not even the greatest deviation exceeds it.
    greatest = (deviations / errors[:, None]).max(axis=0)
    multiple = np.quantile(greatest, LEVEL)
    rows = zip(compared_shares, compared_outlets, values, errors, strict=True)
    for share, index, value, error in rows:
        half = multiple * error
        differences[share][index] = Estimate(float(value), float(value - half), float(value + half))
    return differences


def _of_others(values: Array) -> Array:
    """Return the sum over all other outlets for each outlet; outlets are the second dimension."""
    others: Array = values.sum(axis=1, keepdims=True) - values
    return others


def _ratios(counts: Array, totals: Array) -> Array:
    """Return counts over totals; 0 without a total."""
    ratios: Array = counts / np.maximum(totals, _TINY)
    return ratios
