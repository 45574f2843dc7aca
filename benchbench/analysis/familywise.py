"""Many cases compared at once: a false verdict in at most 5 % of whole comparisons, however many cases they have."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy import special

from benchbench.analysis.intervals import CONFIDENCE, Ratio, judge, ratio_interval, ratio_of
from benchbench.analysis.moderation import Spread, prior_of

Floats = NDArray[np.float64]
LEVEL = 0.05  # of whole comparisons in which nothing has changed, those with any verdict
LEVEL_BY_NEED = 0.015  # nominally, where rounds went by need or by a race: chosen by `make calibrate`
POWER = 0.8  # of changes as large as `detectable` says, those that are found
DEALS = 2000  # ways in which a case's launches are dealt to base and new; where there are no more, all of them
BORROWED = 4.0  # degrees of freedom that other cases lend to one at most
MOST_ROUNDS = 200  # beyond these, more rounds are no advice

Pair = tuple[Sequence[float], Sequence[float]]


def compare_all(
    pairs: Sequence[Pair], *, same_within: float = 0.03, level: float = LEVEL, seed: int = 0
) -> tuple[Ratio, ...]:
    """base and new of many cases, each judged with all the others in view; in the order given.

    As `intervals.compare`, but a difference is believed only where its p-value, adjusted for all cases, is at most
    `level`. The adjusted p is by step-down maxT (Westfall and Young 1993, algorithm 4.1): launches of a case are dealt
    anew to base and new, and the statistic must be one that the largest of all cases hardly ever reaches. That is
    exact for any distribution of launches, also with few of them, where base and new do not differ. The statistic is a
    t on the log scale whose variance borrows from the other cases' (moderated: Smyth 2004), so that a case quiet by
    chance is not taken for changed. Both sides have one variance: a side that stopped at a lucky streak, where rounds
    go on by need, would be trusted too much by its own.
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
    def within(self) -> Spread:
        """Within base and new, pooled."""
        freedom = len(self.logs) - 2
        return Spread(sum(map(_squares, (self.logs[: self.base], self.logs[self.base :]))) / freedom, freedom)

    @property
    def whole(self) -> Spread:
        """Of all launches, which is the same however they are dealt."""
        return Spread(_squares(self.logs) / (len(self.logs) - 1), len(self.logs) - 1)

    @property
    def size(self) -> tuple[int, int]:
        return self.base, len(self.logs)

    def statistics(self, deals: Floats, prior: Spread, rng: np.random.Generator) -> tuple[float, Floats]:
        """The statistic of the launches as they were, and in order those of all deals, which hold that one.

        The launches are laid out so that one of the deals, drawn for this case alone, is the one that was. So that is
        one among equals, whichever deals there are (Hemerik and Goeman 2018, "Exact testing with random permutations"),
        and cases of one size can share them.
        """
        was = int(rng.integers(len(deals)))
        logs = np.empty_like(self.logs)
        logs[np.argsort(-deals[was], kind="stable")] = self.logs
        found = self._dealt(deals, logs, prior)
        return float(found[was]), np.sort(found)

    def _dealt(self, deals: Floats, logs: Floats, prior: Spread) -> Floats:
        (base, of_base), (new, of_new) = _side(deals, logs), _side(1 - deals, logs)
        freedom = prior.freedom + len(logs) - 2
        variance = (prior.freedom * prior.variance + of_base + of_new) / freedom
        least = max(1e-18, 1e-9 * float((logs**2).mean()))  # more than rounding leaves where there is no spread
        deviation = np.sqrt(np.maximum(variance, least) * (1 / self.base + 1 / self.new))
        return np.asarray(np.abs(new - base) / deviation, dtype=np.float64)


def _launches(pair: Pair) -> _Launches:
    logs = np.log(np.concatenate([np.asarray(side, float) for side in pair]))
    return _Launches(logs - logs.mean(), len(pair[0]))


def _squares(values: Floats) -> float:
    """The sum of the squares of their distances from their mean."""
    about = values - values.mean()
    return float(about @ about)


def _side(chosen: Floats, logs: Floats) -> tuple[Floats, Floats]:
    """Of each deal the mean of the chosen launches, and the sum of the squares of their distances from it."""
    size = int(chosen[0].sum())
    sums = chosen @ logs
    return sums / size, np.maximum(chosen @ logs**2 - sums**2 / size, 0)


def _prior(spreads: list[Spread]) -> Spread:
    """How much a case varies by what others do; the more these differ, the less that says."""
    found = prior_of(spreads) or Spread(float(np.median([one.variance for one in spreads])), BORROWED)
    return Spread(found.variance, min(found.freedom, BORROWED))


def _deals(base: int, launches: int, rng: np.random.Generator) -> Floats:
    """Which launches are the base's, 1 or 0 [deals, launches]: in all ways there are, or in so many drawn."""
    if math.comb(launches, base) <= DEALS:
        return _all_deals(base, launches)
    return _as_deals(rng.permuted(np.tile(np.arange(launches), (DEALS, 1)), axis=1)[:, :base], launches)


@lru_cache(maxsize=64)
def _all_deals(base: int, launches: int) -> Floats:
    return _as_deals(np.array(list(combinations(range(launches), base))), launches)


def _as_deals(chosen: NDArray[np.int64], launches: int) -> Floats:
    deals = np.zeros((len(chosen), launches))
    deals[np.arange(len(chosen))[:, None], chosen] = 1
    return deals


def _adjusted_p(pairs: Sequence[Pair], seed: int) -> list[float]:
    """By case: how often the largest statistic of all cases that do not exceed it is as large as its own.

    Cases are dealt independently, so that is the product over them, and no deals of all together need be drawn.
    """
    if not pairs:
        return []
    rng = np.random.default_rng(seed)
    cases = [_launches(pair) for pair in pairs]
    prior = _prior([case.whole for case in cases])  # dealing them anew must not change what is borrowed
    deals = {size: _deals(*size, rng) for size in dict.fromkeys(case.size for case in cases)}
    told = [case.statistics(deals[case.size], prior, rng) for case in cases]
    observed = np.array([was for was, _ in told])
    order = np.argsort(-observed, kind="stable")
    thresholds = observed[order] * (1 - 1e-9)
    as_large = np.array([1 - np.searchsorted(told[index][1], thresholds) / len(told[index][1]) for index in order])
    with np.errstate(divide="ignore"):
        smaller = np.tril(np.log1p(-as_large)).sum(axis=0)  # of a column those of its own rank and below
    adjusted = np.empty(len(cases))
    adjusted[order] = np.maximum.accumulate(-np.expm1(smaller))
    return [float(value) for value in adjusted]


@dataclass(frozen=True, slots=True)
class Power:
    """What a comparison could have found: the smallest change of a typical case, and rounds that would tell a case.

    `detectable` is a fraction (0.04 = 4 %) found in 80 % of comparisons; None where no case can be tested.
    """

    detectable: float | None
    more_rounds: tuple[int | None, ...]  # per case, beside the rounds it has; None = no advice


def power_of(pairs: Sequence[Pair], *, same_within: float = 0.03, level: float = LEVEL) -> Power:
    """What such launches can tell, by the t distribution at the level that so many cases leave to each (Bonferroni)."""
    testable = {index: _launches(pair) for index, pair in enumerate(pairs) if ratio_interval(*pair) is not None}
    if not testable:
        return Power(None, (None,) * len(pairs))
    prior = _prior([case.within for case in testable.values()])
    aim = _Aim(level / len(testable), math.log1p(same_within))
    found = [aim.detectable(case.within.moderated(prior), case.base, case.new) for case in testable.values()]
    more = tuple(
        _more_rounds(testable[index], abs(math.log(ratio_of(*pair))), prior, aim) if index in testable else None
        for index, pair in enumerate(pairs)
    )
    return Power(math.expm1(float(np.median(found))), more)


def detectable_change(
    variation: float, rounds: int, cases: int, *, same_within: float = 0.03, level: float = LEVEL
) -> float:
    """The change, a fraction, that so many rounds a side of so many cases find in 80 % of comparisons.

    `variation` is the coefficient of variation between launches, a fraction.
    """
    aim = _Aim(level / cases, math.log1p(same_within))
    spread = Spread(math.log1p(variation**2), 2 * rounds - 2 + BORROWED)
    return math.expm1(aim.detectable(spread, rounds, rounds))


@dataclass(frozen=True, slots=True)
class _Aim:
    """What a verdict on one case takes: the level of its test, and the logarithm of a ratio that is still the same."""

    level: float
    same: float

    def detectable(self, spread: Spread, base: int, new: int) -> float:
        """On the log scale: what is beyond the critical value and the threshold in so many of all comparisons."""
        deviation = math.sqrt(spread.variance * (1 / base + 1 / new))
        critical = float(special.stdtrit(spread.freedom, 1 - self.level / 2)) * deviation
        return max(critical, self.same) + float(special.stdtrit(spread.freedom, POWER)) * deviation

    def tells(self, difference: float, spread: Spread, base: int, new: int) -> bool:
        """Whether so many launches would tell such a difference, or that there is none beyond the threshold."""
        if difference > self.same:
            return self.detectable(spread, base, new) <= difference
        deviation = math.sqrt(spread.variance * (1 / base + 1 / new))
        return difference + float(special.stdtrit(spread.freedom, (1 + CONFIDENCE) / 2)) * deviation <= self.same


def _more_rounds(case: _Launches, difference: float, prior: Spread, aim: _Aim) -> int | None:
    """How many more rounds a side would tell a difference as large as the one that was seen."""
    now = case.within.moderated(prior)
    for more in range(1, MOST_ROUNDS + 1):
        if aim.tells(difference, now.known_by(2 * more), case.base + more, case.new + more):
            return more
    return None
