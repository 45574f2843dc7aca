"""Many cases compared at once: a false verdict in at most 5 % of whole comparisons, however many cases they have."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from benchbench.analysis.intervals import Ratio, judge, ratio_interval, ratio_of

Floats = NDArray[np.float64]
LEVEL = 0.05  # of whole comparisons in which nothing has changed, those with any verdict
POWER = 0.8  # of changes as large as `detectable` says, those that are found
SHUFFLES = 1999
BORROWED = 4.0  # degrees of freedom that the other cases' spread lends to a case's own
MOST_ROUNDS = 200  # beyond these, more rounds are no advice

Pair = tuple[Sequence[float], Sequence[float]]


def compare_all(
    pairs: Sequence[Pair], *, same_within: float = 0.03, level: float = LEVEL, seed: int = 0
) -> tuple[Ratio, ...]:
    """base and new of many cases, each judged with all the others in view; in the order given.

    As `statistics.compare`, but a difference is believed only where its p-value, adjusted for all cases, is at most
    `level`. The adjusted p is by step-down maxT (Westfall and Young 1993, algorithm 4.1): launches of a case are dealt
    anew to base and new, and the statistic must be one that the largest of all cases hardly ever reaches. That is
    exact for any distribution of launches, also with few of them. The statistic is a t on the log scale whose variance
    borrows from the other cases' (moderated t: Smyth 2004), so that a case quiet by chance is not taken for changed.
    """
    ratios = [(ratio_of(*pair), ratio_interval(*pair)) for pair in pairs]
    testable = [index for index, (_, interval) in enumerate(ratios) if interval is not None]
    adjusted = dict(zip(testable, _adjusted_p([pairs[index] for index in testable], seed), strict=True))
    found = []
    for index, (value, interval) in enumerate(ratios):
        if interval is None:
            found.append(Ratio(value, None, None, "cannot tell"))
            continue
        p = adjusted[index]
        found.append(Ratio(value, interval, p, judge(value, interval, differs=p <= level, same_within=same_within)))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class _Launches:
    """The logs of one case's launches about their common mean, base first."""

    logs: Floats
    base: int  # how many of them are the base's

    @property
    def new(self) -> int:
        return len(self.logs) - self.base

    @property
    def variance(self) -> float:
        """Within base and new, pooled."""
        parts = self.logs[: self.base], self.logs[self.base :]
        return float(sum(((part - part.mean()) ** 2).sum() for part in parts)) / (len(self.logs) - 2)

    def statistics(self, dealt: Floats, prior: float) -> Floats:
        """The moderated t of each row of `dealt`: the logs in another order, base first."""
        base, new = dealt[:, : self.base], dealt[:, self.base :]
        freedom = len(self.logs) - 2
        within = freedom * (base.var(axis=1) * self.base + new.var(axis=1) * self.new) / max(freedom, 1)
        variance = (BORROWED * prior + within) / (BORROWED + freedom)
        spread = np.sqrt(np.maximum(variance, 1e-18) * (1 / self.base + 1 / self.new))
        return np.asarray(np.abs(new.mean(axis=1) - base.mean(axis=1)) / spread, dtype=np.float64)


def _launches(pair: Pair) -> _Launches:
    logs = np.log(np.concatenate([np.asarray(side, float) for side in pair]))
    return _Launches(logs - logs.mean(), len(pair[0]))


def _adjusted_p(pairs: Sequence[Pair], seed: int) -> list[float]:
    if not pairs:
        return []
    rng = np.random.default_rng(seed)
    cases = [_launches(pair) for pair in pairs]
    # Of all launches of a case together: dealing them anew must not change what is borrowed.
    prior = float(np.median([case.logs.var(ddof=1) for case in cases]))
    observed = np.array([case.statistics(case.logs[None, :], prior)[0] for case in cases])
    order = np.argsort(-observed, kind="stable")
    exceeded, largest = np.zeros(len(cases)), np.full(SHUFFLES, -math.inf)
    for index in order[::-1]:  # from the smallest on: the largest of those not above it
        dealt = rng.permuted(np.broadcast_to(cases[index].logs, (SHUFFLES, len(cases[index].logs))), axis=1)
        largest = np.maximum(largest, cases[index].statistics(dealt, prior))
        exceeded[index] = (largest >= observed[index] - 1e-9).sum()
    p = (1 + exceeded[order]) / (SHUFFLES + 1)
    adjusted = np.empty(len(cases))
    adjusted[order] = np.maximum.accumulate(p)
    return [float(value) for value in adjusted]


@dataclass(frozen=True, slots=True)
class Power:
    """What a comparison could have found: the smallest change of a typical case, and rounds that would tell a case.

    `detectable` is a fraction (0.04 = 4 %) found in 80 % of comparisons; None where no case can be tested.
    """

    detectable: float | None
    more_rounds: tuple[int | None, ...]  # per case, beside the rounds it has; None = no advice


def power_of(pairs: Sequence[Pair]) -> Power:
    """What such launches can tell, by the t distribution at the level that so many cases leave to each (Bonferroni)."""
    testable = {index: _launches(pair) for index, pair in enumerate(pairs) if ratio_interval(*pair) is not None}
    if not testable:
        return Power(None, (None,) * len(pairs))
    prior = float(np.median([case.variance for case in testable.values()]))
    level = LEVEL / len(testable)
    typical = min(testable.values(), key=lambda case: (abs(case.variance - prior), len(case.logs)))
    more = tuple(
        _more_rounds(testable[index], abs(math.log(ratio_of(*pair))), prior, level) if index in testable else None
        for index, pair in enumerate(pairs)
    )
    return Power(math.expm1(_detectable(prior, typical.base, typical.new, level)), more)


def detectable_change(variation: float, rounds: int, cases: int) -> float:
    """The change, a fraction, that so many rounds a side of so many cases find in 80 % of comparisons.

    `variation` is the coefficient of variation between launches, a fraction.
    """
    return math.expm1(_detectable(math.log1p(variation**2), rounds, rounds, LEVEL / cases))


def _detectable(variance: float, base: int, new: int, level: float) -> float:
    """On the log scale: what the critical value and the wanted power take together."""
    freedom = base + new - 2 + BORROWED
    quantiles = float(stats.t.ppf(1 - level / 2, freedom) + stats.t.ppf(POWER, freedom))
    return quantiles * math.sqrt(variance * (1 / base + 1 / new))


def _more_rounds(case: _Launches, difference: float, prior: float, level: float) -> int | None:
    """How many more rounds a side would tell a difference as large as the one that was seen."""
    freedom = len(case.logs) - 2
    variance = (BORROWED * prior + freedom * case.variance) / (BORROWED + freedom)
    for more in range(1, MOST_ROUNDS + 1):
        if _detectable(variance, case.base + more, case.new + more, level) <= difference:
            return more
    return None
