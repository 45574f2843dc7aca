"""Intervals and tests over launches: what a handful of numbers can say, and what they cannot."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
from scipy import stats

Verdict = Literal["faster", "slower", "same", "cannot tell"]
RESAMPLES = 4999
FEWEST = 3  # launches below which no interval is given


class Interval(NamedTuple):
    """The two ends of a 95 % interval, in the unit of what it is about."""

    low: float
    high: float


class Ratio(NamedTuple):
    """new / base of the medians, its interval (None below three launches a side), and a rank test's p-value."""

    value: float
    interval: Interval | None
    p: float | None
    verdict: Verdict


def median_interval(values: Sequence[float], *, seed: int = 0) -> Interval | None:
    """The 95 % bootstrap interval of the median; None below three values.

    Percentile method: BCa's jackknife degenerates for a median of few values. For n <= 5 this is the whole range,
    which covers the true median with probability 1 - 2**(1 - n): 75 % for 3, 88 % for 4, 94 % for 5 launches.
    """
    if len(values) < FEWEST:
        return None
    found = stats.bootstrap(
        (np.asarray(values, float),), np.median, n_resamples=RESAMPLES, method="percentile", rng=_rng(seed)
    )
    return Interval(float(found.confidence_interval.low), float(found.confidence_interval.high))


def ratio_interval(base: Sequence[float], new: Sequence[float], *, seed: int = 0) -> Interval | None:
    """The 95 % bootstrap interval (percentile) of median(new) / median(base); None below three values a side."""
    if min(len(base), len(new)) < FEWEST or min(*base, *new) <= 0:
        return None
    found = stats.bootstrap(
        (np.asarray(base, float), np.asarray(new, float)),
        lambda b, n, axis: np.median(n, axis=axis) / np.median(b, axis=axis),
        n_resamples=RESAMPLES,
        method="percentile",
        vectorized=True,
        rng=_rng(seed),
    )
    return Interval(float(found.confidence_interval.low), float(found.confidence_interval.high))


def same_distribution(base: Sequence[float], new: Sequence[float]) -> float | None:
    """The two-sided p-value of Mann-Whitney's rank test, exact for small samples; None where a side is empty."""
    if not base or not new:
        return None
    return float(stats.mannwhitneyu(base, new, alternative="two-sided").pvalue)


def compare(base: Sequence[float], new: Sequence[float], *, same_within: float = 0.03, seed: int = 0) -> Ratio:
    """Is `new` faster than `base`? Both are launches' typical times in one unit; below 1 is faster.

    same: the whole interval lies within `same_within` of 1. faster, slower: the interval excludes 1, and either all
    of it is beyond `same_within`, or the median is and the rank test agrees (p <= 0.05). Else: cannot tell.
    Three launches a side can never reach p <= 0.05, hence the first of the two ways.
    """
    value = float(np.median(new) / np.median(base)) if base and new and np.median(base) > 0 else math.nan
    interval, p = ratio_interval(base, new, seed=seed), same_distribution(base, new)
    if interval is None:
        return Ratio(value, None, p, "cannot tell")
    lower, upper = 1 / (1 + same_within), 1 + same_within
    agreed = p is not None and p <= 0.05
    if lower <= interval.low and interval.high <= upper:
        return Ratio(value, interval, p, "same")
    if interval.low > upper or (interval.low > 1 and value > upper and agreed):
        return Ratio(value, interval, p, "slower")
    if interval.high < lower or (interval.high < 1 and value < lower and agreed):
        return Ratio(value, interval, p, "faster")
    return Ratio(value, interval, p, "cannot tell")


def variation(values: Sequence[float]) -> float | None:
    """The coefficient of variation: sample standard deviation / mean, as a fraction; None below two values."""
    if len(values) < 2 or np.mean(values) <= 0:
        return None
    return float(np.std(values, ddof=1) / np.mean(values))


def _rng(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)
