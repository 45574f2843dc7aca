"""A run against several earlier ones: what changes between runs of the same thing is told from what changed now.

Launches of one run say nothing of how the next run differs: another day, temperature, boot. Several base runs do.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats
from scipy.optimize import brentq

from benchbench.analysis.familywise import LEVEL
from benchbench.analysis.intervals import CONFIDENCE, Interval, Ratio, judge

Floats = NDArray[np.float64]
LEAST_RUNS = 3  # base runs: two say next to nothing of how runs spread
_WIDEST = math.log(1e6)  # half of an interval of logs: a wider one says no more, and would overflow


@dataclass(frozen=True, slots=True)
class _Spread:
    """A variance between runs, and how many degrees of freedom it is known with; inf = exactly."""

    variance: float
    freedom: float


def compare_runs(bases: Floats, new: Floats, devices: Sequence[str], *, same_within: float = 0.03) -> tuple[Ratio, ...]:
    """new / base of many cases by the medians of whole runs: `bases` [runs, cases], `new` [cases], above zero.

    The variance of a case between runs has two parts: what all cases of its device have in common in a run, which
    only as many runs tell as there are; and its own, for which the cases of all devices lend each other degrees of
    freedom (moderated t: Smyth 2004). The two add (Satterthwaite 1946), and a difference is believed where its p,
    adjusted for all cases (Holm 1979), is at most 5 %.
    """
    logs, now = np.log(bases), np.log(new)
    runs = len(logs)
    about = logs - logs.mean(axis=0)
    places = np.array(devices)
    # The median: a few cases that scatter widely, such as those of more threads than free cores, widen no other's.
    shared = {device: np.median(about[:, places == device], axis=1) for device in dict.fromkeys(devices)}
    common = {device: _Spread(float(shift.var(ddof=1)), runs - 1) for device, shift in shared.items()}
    own = about - np.column_stack([shared[device] for device in devices])
    counts = np.array([int((places == device).sum()) for device in devices])
    residual = _moderated(own, runs, counts)
    parts = [(common[device], part) for device, part in zip(devices, residual, strict=True)]
    differences = now - logs.mean(axis=0)
    widths = np.sqrt([max(sum(part.variance for part in both), 1e-12) * (1 + 1 / runs) for both in parts])
    ps = [_p(abs(difference) / width, both) for difference, width, both in zip(differences, widths, parts, strict=True)]
    adjusted = _holm(ps)
    found = []
    for difference, width, both, p in zip(differences, widths, parts, adjusted, strict=True):
        half = min(_critical(1 - CONFIDENCE, both) * width, _WIDEST)
        interval = Interval(math.exp(difference - half), math.exp(difference + half))
        value = math.exp(difference)
        found.append(Ratio(value, interval, p, judge(value, interval, differs=p <= LEVEL, same_within=same_within)))
    return tuple(found)


def _moderated(own: Floats, runs: int, counts: Floats) -> list[_Spread]:
    """What each case has of its own, each drawn to what cases have on the whole (limma's fitFDist and squeezeVar)."""
    freedoms = np.where(counts > 1, (runs - 1) * (counts - 1) / counts, 0.0)  # the common part took its share
    variances = np.divide((own**2).sum(axis=0), freedoms, out=np.zeros(len(counts)), where=freedoms > 0)
    able = (freedoms > 0) & (variances > 0)
    if able.sum() < 3:
        return [_Spread(float(v), float(max(f, 1e-9))) for v, f in zip(variances, freedoms, strict=True)]
    half = freedoms[able] / 2
    logs = np.log(variances[able]) - special.digamma(half) + np.log(half)
    excess = float(logs.var(ddof=1) - special.polygamma(1, half).mean())
    if excess > 0:
        prior_freedom = 2 * _inverse_trigamma(excess)
        prior = math.exp(float(logs.mean()) + float(special.digamma(prior_freedom / 2)) - math.log(prior_freedom / 2))
    else:
        prior_freedom, prior = math.inf, math.exp(float(logs.mean()))
    found = []
    for variance, freedom in zip(variances, freedoms, strict=True):
        if math.isinf(prior_freedom):
            found.append(_Spread(prior, 1e6))
        else:
            both = prior_freedom + freedom
            found.append(_Spread(float((prior_freedom * prior + freedom * variance) / both), float(both)))
    return found


def _inverse_trigamma(value: float) -> float:
    return float(brentq(lambda x: float(special.polygamma(1, x)) - value, 1e-6, 1e8))


def _critical(p: float, parts: Sequence[_Spread]) -> float:
    """What the statistic must reach for a two-sided p."""
    total = sum(part.variance for part in parts)
    quantiles = [float(stats.t.isf(p / 2, part.freedom)) for part in parts]
    if not total:
        return max(quantiles)
    return sum(part.variance * quantile for part, quantile in zip(parts, quantiles, strict=True)) / total


def _p(statistic: float, parts: Sequence[_Spread]) -> float:
    low, high = math.log(1e-12), 0.0
    if _critical(1e-12, parts) <= statistic:
        return 1e-12
    return math.exp(brentq(lambda log_p: _critical(math.exp(log_p), parts) - statistic, low, high, xtol=1e-6))


def _holm(ps: Sequence[float]) -> list[float]:
    order = np.argsort(ps, kind="stable")
    stepped = np.maximum.accumulate([min(1.0, ps[index] * (len(ps) - rank)) for rank, index in enumerate(order)])
    adjusted = np.empty(len(ps))
    adjusted[order] = stepped
    return [float(p) for p in adjusted]
