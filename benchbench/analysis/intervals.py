"""Intervals and tests over launches: what a handful of numbers can say, and what they cannot.

One launch is one sample; nothing is assumed about how launches are distributed but what a docstring says. How often
the intervals and verdicts are right in simulated worlds is what `make calibrate` prints.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

from benchbench.values.errors import InputError

Verdict = Literal["faster", "slower", "same", "cannot tell"]
CONFIDENCE = 0.95
CONFIDENCE_BY_NEED = 0.96  # nominally, of a median after as many launches as it needed: chosen by `make calibrate`
FEWEST = 3  # launches below which not even a range is given
FEWEST_FOR_95 = 6  # launches below which no interval of a median reaches 95 %


def checked_share(value: float, name: str) -> float:
    """A share from 0 to 1, which NaN is none of; raises InputError for anything else."""
    if not 0 <= value <= 1:
        raise InputError(f"{name} = {value!r} is no share", remedy="write one from 0 to 1, such as 0.03 for 3 %")
    return value


class Interval(NamedTuple):
    """The two ends of an interval, in the unit of what it is about."""

    low: float
    high: float


class Ratio(NamedTuple):
    """new / base, its 95 % interval (None where so few launches have none), a p-value, and what can be said.

    `p` is adjusted for all the cases of a comparison; None where there is no interval, or of two cases alone.
    """

    value: float
    interval: Interval | None
    p: float | None
    verdict: Verdict


def median_interval(values: Sequence[float], *, by_need: bool = False) -> Interval | None:
    """The 95 % interval of the median from order statistics; None below three values.

    `by_need`: there are as many values as their own spread asked for. Whoever stops where the values happen to lie
    close together has a shorter interval than the spread warrants; one of nominally 96 % then covers 94 to 96 %.

    Interpolated between the two pairs of order statistics whose exact coverage encloses 95 % (Hettmansperger and
    Sheather 1986, "Confidence intervals based on interpolated order statistics"). Below six values no pair reaches
    95 %: it is then the whole range, which covers the median with probability 1 - 2**(1 - n): 75 % for 3, 88 % for 4,
    94 % for 5 launches.
    """
    n = len(values)
    if n < FEWEST:
        return None
    ordered = sorted(map(float, values))
    depth, inward = median_depth(n, CONFIDENCE_BY_NEED if by_need else CONFIDENCE)
    low, next_low = ordered[depth - 1], ordered[depth]
    high, next_high = ordered[n - depth], ordered[n - depth - 1]
    return Interval((1 - inward) * low + inward * next_low, (1 - inward) * high + inward * next_high)


@functools.lru_cache(maxsize=4096)
def median_depth(n: int, confidence: float) -> tuple[int, float]:
    """Between which order statistics of n ≥ 3 values the interval of their median ends.

    Its lower end lies between the `depth`-th smallest and the next, by the share `inward`; the upper one is its mirror.
    """
    if n < FEWEST_FOR_95:
        return 1, 0.0
    depth = int((_median_coverage(n, np.arange(1, n // 2 + 1)) >= confidence).sum())
    wide, narrow = (float(_median_coverage(n, d)) for d in np.array([depth, depth + 1]))
    share = (wide - confidence) / (wide - narrow)
    return depth, (n - depth) * share / (depth + (n - 2 * depth) * share)


def _median_coverage(n: int, depth: NDArray[np.int64]) -> NDArray[np.float64]:
    """How probably the median lies between the `depth`-th smallest and the `depth`-th largest of n values."""
    return np.asarray(1 - 2 * special.bdtr(depth - 1, n, 0.5), dtype=np.float64)


def ratio_of(base: Sequence[float], new: Sequence[float]) -> float:
    """new / base: the median of all ratios of a launch to a launch (Hodges and Lehmann 1963, on the log scale).

    NaN where a side is empty or a time is not above zero.
    """
    if not base or not new or min(*base, *new) <= 0:
        return math.nan
    ordered = _differences(base, new)
    return math.exp((ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2)


def ratio_interval(base: Sequence[float], new: Sequence[float]) -> Interval | None:
    """The 95 % interval of new / base; None where so few launches have none (three a side, or two and fewer than 8).

    The hull of two intervals on the log scale: the one that inverts the rank test, interpolated between its exact
    levels (Hodges and Lehmann 1963; exact for any two distributions that differ by a factor), and Welch's (1947; for
    sides that spread differently, where the first is too short).
    """
    if min(len(base), len(new)) < 2 or min(*base, *new) <= 0:
        return None
    by_rank = _by_rank(base, new)
    if by_rank is None:
        return None
    welch = _welch(np.log(base), np.log(new))
    return Interval(math.exp(min(by_rank.low, welch.low)), math.exp(max(by_rank.high, welch.high)))


def _differences(base: Sequence[float], new: Sequence[float]) -> NDArray[np.float64]:
    """All differences of logs of a launch of `new` and one of `base`, in order."""
    return np.sort(np.subtract.outer(np.log(np.asarray(new, float)), np.log(np.asarray(base, float))).ravel())


def _by_rank(base: Sequence[float], new: Sequence[float]) -> Interval | None:
    found = _rank_depth(len(base), len(new))
    if found is None:
        return None
    differences, (depth, share) = _differences(base, new), found
    most = len(differences)
    low, next_low = differences[depth - 1], differences[depth]
    high, next_high = differences[most - depth], differences[most - depth - 1]
    return Interval(float((1 - share) * low + share * next_low), float((1 - share) * high + share * next_high))


@functools.lru_cache(maxsize=256)
def _rank_depth(m: int, n: int) -> tuple[int, float] | None:
    """Which of the m * n ordered differences the interval ends at, and by which share beyond it; None where none is."""
    cumulated = _rank_sum_cdf(m, n)
    depths = [d for d in range(1, m * n // 2 + 1) if 1 - 2 * cumulated[d - 1] >= CONFIDENCE]
    if not depths:
        return None
    wide, narrow = 1 - 2 * cumulated[depths[-1] - 1], 1 - 2 * cumulated[depths[-1]]
    return depths[-1], (wide - CONFIDENCE) / (wide - narrow)


@functools.lru_cache(maxsize=256)
def _rank_sum_cdf(m: int, n: int) -> tuple[float, ...]:
    """P(U <= u) of Mann and Whitney's statistic for u = 0 … m * n (their recurrence, as a generating function)."""
    counts = [1]
    for i in range(1, n + 1):
        longer = [*counts, *[0] * (m + i)]
        for u in range(len(longer) - 1, m + i - 1, -1):
            longer[u] -= longer[u - m - i]
        for u in range(i, len(longer)):
            longer[u] += longer[u - i]
        counts = longer[: m * i + 1]
    total = math.comb(m + n, n)
    cumulated = np.cumsum(np.array([count / total for count in counts]))
    return tuple(float(p) for p in cumulated)


def _welch(base: NDArray[np.float64], new: NDArray[np.float64]) -> Interval:
    (base_mean, base_share), (new_mean, new_share) = _mean(base), _mean(new)
    difference, variance = new_mean - base_mean, base_share + new_share
    if not variance:
        return Interval(difference, difference)
    freedom = variance**2 / (base_share**2 / (len(base) - 1) + new_share**2 / (len(new) - 1))
    half = float(special.stdtrit(freedom, (1 + CONFIDENCE) / 2)) * math.sqrt(variance)
    return Interval(difference - half, difference + half)


def _mean(values: NDArray[np.float64]) -> tuple[float, float]:
    """The mean of several values, and the square of its standard error."""
    n, mean = len(values), float(values.sum()) / len(values)
    off = values - mean
    return mean, float((off * off).sum()) / (n - 1) / n


def compare(base: Sequence[float], new: Sequence[float], *, same_within: float = 0.03) -> Ratio:
    """Is `new` faster than `base`, two cases alone? Both are launches' typical times in one unit; below 1 is faster.

    same: the whole interval lies within `same_within` of 1. faster, slower: the ratio is beyond `same_within`, and
    the interval excludes 1. Else: cannot tell. For many cases at once see `familywise.compare_all`.
    """
    value, interval = ratio_of(base, new), ratio_interval(base, new)
    if interval is None:
        return Ratio(value, None, None, "cannot tell")
    excluded = interval.low > 1 or interval.high < 1
    return Ratio(value, interval, None, judge(value, interval, differs=excluded, same_within=same_within))


def judge(value: float, interval: Interval, *, differs: bool, same_within: float) -> Verdict:
    """The verdict over a ratio; `differs` = a test says that it is not 1."""
    lower, upper = 1 / (1 + same_within), 1 + same_within
    if lower <= interval.low and interval.high <= upper:
        return "same"
    if differs and value > upper:
        return "slower"
    if differs and value < lower:
        return "faster"
    return "cannot tell"


def variation(values: Sequence[float]) -> float | None:
    """The coefficient of variation: sample standard deviation / mean, as a fraction; None below two values."""
    if len(values) < 2 or np.mean(values) <= 0:
        return None
    return float(np.std(values, ddof=1) / np.mean(values))
