"""Percentiles of the inferences within one launch, as upper bounds that hold with 99 % confidence, or none.

MLPerf's early stopping (loadgen/early_stopping.cc): of n inferences, t may lie above the p-th percentile where
P[Binomial(n, 1 - p) <= t] <= 1 - confidence; the t - 1 slowest are discarded, and the slowest left is the bound.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

CONFIDENCE = 0.99


def discarded(n: int, percentile: float, confidence: float = CONFIDENCE) -> int | None:
    """How many of the slowest of n inferences lie beyond the bound; None = n are too few for one."""

    def allowed(t: int) -> bool:
        return _at_most(t, n, 1 - percentile) <= 1 - confidence

    if not allowed(1):
        return None
    low, high = 1, n  # allowed(low) and not allowed(high)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if allowed(middle) else (low, middle)
    return low - 1


def _at_most(t: int, n: int, p: float) -> float:
    """P[Binomial(n, p) <= t], or 1 from the mean on. By hand: scipy takes as long to import as a short trial takes."""
    if t >= n * p:
        return 1.0
    log_first = math.lgamma(n + 1) - math.lgamma(t + 1) - math.lgamma(n - t + 1)
    log_first += t * math.log(p) + (n - t) * math.log1p(-p)
    term = total = 1.0
    for k in range(t, 0, -1):
        term *= k * (1 - p) / ((n - k + 1) * p)
        total += term
        if term < 1e-17 * total:
            break
    return math.exp(log_first) * total


def needed(percentile: float, confidence: float = CONFIDENCE) -> int:
    """The fewest inferences that give a bound."""
    low, high = 1, 2
    while discarded(high, percentile, confidence) is None:
        low, high = high, high * 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if discarded(middle, percentile, confidence) is None else (low, middle)
    return high


def bound(times: NDArray[np.float64], percentile: float, confidence: float = CONFIDENCE) -> float | None:
    """The upper bound of a percentile, in the unit of the times; None where there are too few of them."""
    beyond = discarded(len(times), percentile, confidence)
    if beyond is None:
        return None
    place = len(times) - 1 - beyond
    return float(np.partition(times, place)[place])
