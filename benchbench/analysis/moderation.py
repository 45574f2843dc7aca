"""What cases lend each other to know how much each of them varies: moderated variances."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

Floats = NDArray[np.float64]
FEWEST = 3  # cases: fewer say nothing of how variances differ
MOST_FREEDOM = 1e6  # as good as exactly known


@dataclass(frozen=True, slots=True)
class Spread:
    """A variance, and how many degrees of freedom it is known with."""

    variance: float
    freedom: float

    def known_by(self, more: float) -> Spread:
        """The same variance, known with so many more degrees of freedom."""
        return Spread(self.variance, self.freedom + more)

    def moderated(self, prior: Spread) -> Spread:
        """Drawn to what other cases say, by the degrees of freedom of each (limma's squeezeVar)."""
        freedom = prior.freedom + self.freedom
        return Spread((prior.freedom * prior.variance + self.freedom * self.variance) / freedom, freedom)


def prior_of(spreads: list[Spread]) -> Spread | None:
    """What the variances of many cases say of one more; None where fewer than three have one above zero.

    By the moments of their logarithms (Smyth 2004, section 6.2; limma's fitFDist): the more they differ beyond chance,
    the fewer degrees of freedom they lend each other.
    """
    able = [one for one in spreads if one.variance > 0 and one.freedom > 0]
    if len(able) < FEWEST:
        return None
    half = np.array([one.freedom for one in able]) / 2
    logs = np.log([one.variance for one in able]) - special.digamma(half) + np.log(half)
    level, excess = float(logs.mean()), float(logs.var(ddof=1) - special.polygamma(1, half).mean())
    freedom = 2 * _inverse_trigamma(excess) if excess > 2 / MOST_FREEDOM else MOST_FREEDOM
    shift = float(special.digamma(freedom / 2)) - math.log(freedom / 2)
    return Spread(math.exp(level + shift), freedom)


def _inverse_trigamma(value: float) -> float:
    from scipy.optimize import brentq  # half a second to import, for comparisons alone

    return float(brentq(lambda x: float(special.polygamma(1, x)) - value, 1e-6, 1e8))
