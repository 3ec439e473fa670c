"""Bootstrap over articles: intervals for a share or a rate of each outlet, and for differences between outlets.

The sentences of an article resemble each other, so articles, not sentences, are the units that are resampled:
each outlet's articles are drawn with replacement, as many as it has. A share is a sum of counts over a sum of
totals, such as claims over sentences; a rate per article has totals of 1.

The interval of a value is the range between percentiles of the resampled values. The intervals of differences
hold simultaneously: with a probability of 95 % all of them contain the true difference. Otherwise one of
twenty outlets would differ from the others by chance. Their half width is a multiple of the standard error of
each difference. The multiple is the percentile of the largest studentized deviation in a resample, as in the
bootstrap-t method (Davison and Hinkley 1997, Bootstrap Methods and their Application).

Of an outlet with many articles, random groups of articles are resampled in their place, which takes less time
and leaves the variance as it is.
"""

from collections.abc import Sequence
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
_MOMENTS = 5  # sums: of counts, of totals, of their squares and of their product
_TINY = 1e-12  # keeps rounding errors from making a variance negative
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
    counts: Array,
    totals: Array,
    resamples: int = _RESAMPLES,
    seed: int = _SEED,
) -> list[OutletValue]:
    """Return the value of each outlet, sorted by the names of the outlets.

    Args:
        outlets: the outlet of each article.
        counts: what is counted in each article, such as claims.
        totals: what the counts are divided by, such as sentences, or 1 for a rate per article. Articles
            with 0 do not count.
        resamples: the number of resamples.
        seed: the seed of the random draws.

    Raises:
        InputError: if the arrays differ in length, or a count is negative.
    """
    if not len(outlets) == len(counts) == len(totals):
        raise InputError(
            f"expected counts and totals of {len(outlets)} articles, "
            f"found {len(counts)} and {len(totals)}"
        )
    if np.any(counts < 0) or np.any(totals < 0):
        raise InputError("expected counts and totals of at least 0, found a negative one")
    names, numbers = np.unique(outlets, return_inverse=True)
    articles = np.zeros(len(names), dtype=int)
    sums = np.zeros((len(names), _MOMENTS))
    resampled = np.zeros((len(names), _MOMENTS, resamples))
    rng = np.random.default_rng(seed)
    for index in range(len(names)):
        rows = (numbers == index) & (totals > 0)
        articles[index] = rows.sum()
        sums[index], resampled[index] = _sums(counts[rows], totals[rows], resamples, rng)
    intervals = _intervals(articles, sums, resampled)
    differences = _differences(articles, sums, resampled, intervals)
    return [
        OutletValue(
            outlet=str(name),
            articles=int(articles[index]),
            value=float(_ratio(sums[index])) if articles[index] else None,
            interval=intervals[index],
            difference=differences[index],
        )
        for index, name in enumerate(names)
    ]


def _sums(
    counts: Array, totals: Array, resamples: int, rng: np.random.Generator
) -> tuple[Array, Array]:
    """Return the sums of an outlet's counts, totals and their products, and those of its resamples.

    Articles with the same count and total are drawn together: a resample is how often each pair occurs.
    """
    pairs, frequencies = np.unique(np.stack([counts, totals]), axis=1, return_counts=True)
    if len(frequencies) > _MAX_UNITS:
        pairs = np.stack(_random_groups(counts, totals, rng))
        frequencies = np.ones(_MAX_UNITS, dtype=int)
    count, total = pairs.astype(float)
    moments = np.stack([count, total, count * count, count * total, total * total])
    units = frequencies.sum()
    if not units:
        return np.zeros(_MOMENTS), np.zeros((_MOMENTS, resamples))
    drawn = rng.multinomial(units, frequencies / units, size=resamples)
    return moments @ frequencies, moments @ drawn.T


def _random_groups(counts: Array, totals: Array, rng: np.random.Generator) -> tuple[Array, Array]:
    """Return the counts and the totals of ``_MAX_UNITS`` random groups of articles of almost equal size."""
    groups = rng.permutation(len(counts)) % _MAX_UNITS
    return np.bincount(groups, weights=counts), np.bincount(groups, weights=totals)


def _intervals(articles: Array, sums: Array, resampled: Array) -> list[Estimate | None]:
    """Return the value of each outlet with its percentile interval, as ``OutletValue`` describes."""
    intervals: list[Estimate | None] = [None] * len(articles)
    for index, count in enumerate(articles):
        if count < MIN_ARTICLES:
            continue
        values = _ratio(resampled[index])
        low, high = np.quantile(values, [0.5 - LEVEL / 2, 0.5 + LEVEL / 2])
        if low < high:
            intervals[index] = Estimate(float(_ratio(sums[index])), float(low), float(high))
    return intervals


def _differences(
    articles: Array, sums: Array, resampled: Array, intervals: Sequence[Estimate | None]
) -> list[Estimate | None]:
    """Return the difference of each outlet to all others, as ``OutletValue`` describes."""
    differences: list[Estimate | None] = [None] * len(articles)
    enough_others = articles.sum() - articles >= MIN_ARTICLES
    compared = [
        index
        for index, interval in enumerate(intervals)
        if interval is not None and enough_others[index]
    ]
    if not compared:
        return differences
    values, errors = _compare(sums, compared)
    resampled_values, resampled_errors = _compare(resampled, compared)
    deviations = np.abs(resampled_values - values[:, None]) / resampled_errors
    half_widths = np.quantile(deviations.max(axis=0), LEVEL) * errors
    for index, value, half in zip(compared, values, half_widths, strict=True):
        differences[index] = Estimate(float(value), float(value - half), float(value + half))
    return differences


def _compare(sums: Array, compared: Sequence[int]) -> tuple[Array, Array]:
    """Return the difference of each compared outlet to all others, and its standard error."""
    others = sums.sum(axis=0) - sums
    own, others = np.moveaxis(sums[compared], 1, 0), np.moveaxis(others[compared], 1, 0)
    return _ratio(own) - _ratio(others), np.sqrt(_variance(own) + _variance(others))


def _ratio(sums: Array) -> Array:
    """Return the sum of the counts over that of the totals."""
    ratio: Array = sums[0] / sums[1]
    return ratio


def _variance(sums: Array) -> Array:
    """Return the variance of the ratio, linearized: that of the sum of ``count - ratio * total``."""
    ratio = _ratio(sums)
    squares = sums[2] - 2 * ratio * sums[3] + ratio**2 * sums[4]
    variance: Array = np.maximum(squares, _TINY) / sums[1] ** 2
    return variance
