"""A run against several earlier ones: what changes between runs of the same thing is told from what changed now.

Launches of one run say nothing of how the next run differs: another day, temperature, boot. Several base runs do.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import special

from benchbench.analysis.familywise import LEVEL, POWER
from benchbench.analysis.intervals import CONFIDENCE, Interval, Ratio, judge
from benchbench.analysis.moderation import Spread, prior_of
from benchbench.run_folder.baselines import MOST_RUNS

Floats = NDArray[np.float64]
LEAST_RUNS = 3  # base runs: two say next to nothing of how runs spread
_WIDEST = math.log(1e6)  # half of an interval of logs: a wider one says no more, and would overflow


def compare_runs(
    bases: Floats, new: Floats, devices: Sequence[str], *, same_within: float = 0.03, level: float = LEVEL
) -> tuple[Ratio, ...]:
    """new / base of many cases by the medians of whole runs: `bases` [runs, cases], `new` [cases], above zero.

    base is the geometric mean of the runs.

    The variance of a case between runs has two parts: what all cases of its device have in common in a run, which
    only as many runs tell as there are; and its own, for which the cases of all devices lend each other degrees of
    freedom (moderated t: Smyth 2004). The two add, and the quantiles of t are weighted by them (Cochran and Cox 1950).
    A difference is believed where its p, adjusted for all cases (Holm 1979), is at most `level`.
    """
    logs, now = np.log(bases), np.log(new)
    spreads = _spreads(logs, devices)
    differences = now - logs.mean(axis=0)
    widths = [_width(both, len(logs)) for both in spreads]
    ps = [
        _p(abs(difference) / width, both) for difference, width, both in zip(differences, widths, spreads, strict=True)
    ]
    found = []
    for difference, width, both, p in zip(differences, widths, spreads, _holm(ps), strict=True):
        half = min(_critical(1 - CONFIDENCE, both) * width, _WIDEST)
        interval = Interval(math.exp(difference - half), math.exp(difference + half))
        value = math.exp(difference)
        found.append(Ratio(value, interval, p, judge(value, interval, differs=p <= level, same_within=same_within)))
    return tuple(found)


def detectable_between_runs(
    bases: Floats, devices: Sequence[str], *, same_within: float = 0.03, level: float = LEVEL
) -> float:
    """The change of a typical case, a fraction, that such base runs find in 80 % of comparisons (Bonferroni).

    Of the devices the largest: few runs say of each how it drifts, and no change is to be called found on all of them
    that is found on some.
    """
    logs, each, same = np.log(bases), level / len(devices), math.log1p(same_within)
    found = np.array([_detectable(both, len(logs), each, same) for both in _spreads(logs, devices)])
    places = np.array(devices)
    typical = max(float(np.median(found[places == device])) for device in dict.fromkeys(devices))
    return math.expm1(min(typical, _WIDEST))


def more_base_runs(
    bases: Floats, new: Floats, devices: Sequence[str], *, same_within: float = 0.03, level: float = LEVEL
) -> tuple[int | None, ...]:
    """By case: how many more base runs would tell a difference as large as the one seen, or that there is none.

    None where as many as a baseline keeps would not: however many there are, the new run is one.
    """
    logs, each, same = np.log(bases), level / len(devices), math.log1p(same_within)
    seen, on_device = np.abs(np.log(new) - logs.mean(axis=0)), Counter(devices)
    found: list[int | None] = []
    for difference, device, (common, own) in zip(seen, devices, _spreads(logs, devices), strict=True):
        gained = (on_device[device] - 1) / on_device[device]  # degrees of freedom of its own with each run
        then = (
            (more, (common.known_by(more), own.known_by(more * gained))) for more in range(1, MOST_RUNS - len(logs) + 1)
        )
        told = (more for more, both in then if _tells(difference, both, len(logs) + more, each, same))
        found.append(next(told, None))
    return tuple(found)


def _detectable(parts: Sequence[Spread], runs: int, each: float, same: float) -> float:
    """On the log scale: what is beyond the critical value and the threshold in so many of all comparisons."""
    width = _width(parts, runs)
    return max(_critical(each, parts) * width, same) + _critical(2 * (1 - POWER), parts) * width  # p is of both sides


def _tells(difference: float, parts: Sequence[Spread], runs: int, each: float, same: float) -> bool:
    """Whether so many runs would tell such a difference, or that there is none beyond the threshold."""
    if difference > same:
        return _detectable(parts, runs, each, same) <= difference
    return difference + _critical(1 - CONFIDENCE, parts) * _width(parts, runs) <= same


def _spreads(logs: Floats, devices: Sequence[str]) -> list[tuple[Spread, Spread]]:
    """Of each case the variance between runs that it has in common with its device, and its own."""
    runs, about, places = len(logs), logs - logs.mean(axis=0), np.array(devices)
    # The median: a few cases that scatter widely, such as those of more threads than free cores, widen no other's.
    shared = {device: np.median(about[:, places == device], axis=1) for device in dict.fromkeys(devices)}
    common = {device: Spread(float(shift.var(ddof=1)), runs - 1) for device, shift in shared.items()}
    own = about - np.column_stack([shared[device] for device in devices])
    counts = np.array([int((places == device).sum()) for device in devices])
    return [(common[device], part) for device, part in zip(devices, _own_parts(own, runs, counts), strict=True)]


def _width(parts: Sequence[Spread], runs: int) -> float:
    """The standard deviation of a run's median about the mean of so many others."""
    return math.sqrt(max(sum(part.variance for part in parts), 1e-12) * (1 + 1 / runs))


def _own_parts(own: Floats, runs: int, counts: NDArray[np.int64]) -> list[Spread]:
    """What each case has of its own, each drawn to what cases have on the whole."""
    freedoms = np.where(counts > 1, (runs - 1) * (counts - 1) / counts, 0.0)  # the common part took its share
    variances = np.divide((own**2).sum(axis=0), freedoms, out=np.zeros(len(counts)), where=freedoms > 0)
    found = [Spread(float(v), float(max(f, 1e-9))) for v, f in zip(variances, freedoms, strict=True)]
    prior = prior_of(found)
    return found if prior is None else [one.moderated(prior) for one in found]


def _critical(p: float, parts: Sequence[Spread]) -> float:
    """What the statistic must reach for a two-sided p."""
    total = sum(part.variance for part in parts)
    quantiles = [-float(special.stdtrit(part.freedom, p / 2)) for part in parts]
    if not total:
        return max(quantiles)
    return sum(part.variance * quantile for part, quantile in zip(parts, quantiles, strict=True)) / total


def _p(statistic: float, parts: Sequence[Spread]) -> float:
    from scipy.optimize import brentq  # half a second to import, for drift alone

    low, high = math.log(1e-12), 0.0
    if _critical(1e-12, parts) <= statistic:
        return 1e-12
    if _critical(1, parts) >= statistic:
        return 1.0
    return math.exp(brentq(lambda log_p: _critical(math.exp(log_p), parts) - statistic, low, high, xtol=1e-6))


def _holm(ps: Sequence[float]) -> list[float]:
    order = np.argsort(ps, kind="stable")
    stepped = np.maximum.accumulate([min(1.0, ps[index] * (len(ps) - rank)) for rank, index in enumerate(order)])
    adjusted = np.empty(len(ps))
    adjusted[order] = stepped
    return [float(p) for p in adjusted]
