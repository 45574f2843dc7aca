"""Which of several cases cannot be the fastest any more: a fully sequential selection of the best."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import combinations
from statistics import geometric_mean

import numpy as np
from numpy.typing import NDArray

WRONG_WINNERS = 0.05  # of races whose best is better than all others by the indifference, those that another wins
INDIFFERENCE = 0.03  # winners that differ by less from the best are as good: the threshold of `compare`
LEAST_SHARED = 3  # rounds


def beaten(times: Mapping[str, Mapping[int, float]], field: int) -> dict[str, str]:
    """The cases that are out of the race, each with one that beats it; `times` are of each case by round.

    The procedure of Kim and Nelson (2001, "A fully sequential procedure for indifference-zone selection in
    simulation", ACM TOMACS 11), with c = 1, on the logs of times, pair by pair over the rounds that both have, and with
    variances over all of them instead of the first ones (their KN++, 2006). `field` is how many began the race. What
    drifts from round to round is in both of a pair. Nothing is said of pairs with fewer than three rounds in common.
    """
    out: dict[str, str] = {}
    order = sorted((case for case in times if times[case]), key=lambda case: geometric_mean(times[case].values()))
    for faster, slower in combinations(order, 2):
        shared = sorted(times[faster].keys() & times[slower].keys())
        if slower in out or len(shared) < LEAST_SHARED:
            continue
        differences = np.log([times[slower][number] / times[faster][number] for number in shared])
        if differences.sum() > _continuation(differences, field):
            out[slower] = faster
    return out


def _continuation(differences: NDArray[np.float64], field: int) -> float:
    """What the sum of the differences may reach with the race going on."""
    rounds, zone = len(differences), math.log1p(INDIFFERENCE)
    eta: float = ((2 * WRONG_WINNERS / (field - 1)) ** (-2 / (rounds - 1)) - 1) / 2
    variance = float(differences.var(ddof=1))
    return max(0.0, float(eta * (rounds - 1) * variance / zone - zone * rounds / 2))
