"""Which of several cases cannot be the best any more: a fully sequential selection of the best."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
WRONG_WINNERS = 0.04  # nominally, of races whose best is better by the indifference: one in twenty by `make calibrate`
INDIFFERENCE = 0.03  # winners that differ by less from the best are as good: the threshold of `compare`
LEAST_SHARED = 3  # rounds


def beaten(times: Mapping[str, Mapping[int, float]], field: int) -> dict[str, str]:
    """The cases that are out of the race, each with one that beats it.

    `times` are of each case by round: above zero, and less is better.

    The procedure of Kim and Nelson (2001, "A fully sequential procedure for indifference-zone selection in
    simulation", ACM TOMACS 11), with c = 1, on the logs of times, pair by pair over the rounds that both have, and with
    variances over all of them instead of the first ones (their KN++, 2006). `field` is how many began the race. What
    drifts from round to round is in both of a pair. Nothing is said of pairs with fewer than three rounds in common.
    """
    known = {case: seen for case, seen in times.items() if seen}
    if len(known) < 2:
        return {}
    names, numbers = [*known], sorted({number for seen in known.values() for number in seen})
    logs = np.log([[seen.get(number, math.nan) for number in numbers] for seen in known.values()])
    order = np.argsort(np.nanmean(logs, axis=1), kind="stable")
    out: dict[str, str] = {}
    for place, faster in enumerate(order):
        others = order[place + 1 :]
        for slower in others[_are_slower(logs[others] - logs[faster], field)]:
            out.setdefault(names[slower], names[faster])
    return out


def _are_slower(differences: Floats, field: int) -> NDArray[np.bool_]:
    """Whether the sum of each row of differences (by round, NaN where one is not shared) is beyond continuation."""
    shared = np.isfinite(differences).sum(axis=1)
    rounds, sums = np.maximum(shared, LEAST_SHARED), np.nansum(differences, axis=1)
    variances = np.nansum((differences - (sums / rounds)[:, None]) ** 2, axis=1) / (rounds - 1)
    zone = math.log1p(INDIFFERENCE)
    eta = ((2 * WRONG_WINNERS / (field - 1)) ** (-2 / (rounds - 1)) - 1) / 2
    continuation = np.maximum(eta * (rounds - 1) * variances / zone - zone * rounds / 2, 0)
    return np.asarray((shared >= LEAST_SHARED) & (sums > continuation))
