"""Worlds: distributions of a launch's time on the log scale, as idle and as busy devices have them."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
World = Callable[[np.random.Generator, int], Floats]  # so many logs of times about some level of its own
TYPICAL_CV = 0.03


def _lognormal(cv: float, rng: np.random.Generator, n: int) -> Floats:
    return rng.normal(0, math.sqrt(math.log1p(cv**2)), n)


def _heavy_tails(rng: np.random.Generator, n: int) -> Floats:
    return 0.03 * rng.standard_t(3, n)


def _skewed(rng: np.random.Generator, n: int) -> Floats:
    return 0.05 * rng.standard_exponential(n)


def _spikes(rng: np.random.Generator, n: int) -> Floats:
    return 0.02 * rng.standard_normal(n) * np.where(rng.random(n) < 0.1, 10, 1)


def _two_modes(rng: np.random.Generator, n: int) -> Floats:
    return 0.01 * rng.standard_normal(n) + 0.1 * (rng.random(n) < 0.3)


SMOOTH: dict[str, World] = {f"log-normal, CV {cv:.0%}": partial(_lognormal, cv) for cv in (0.02, 0.10, 0.57)}
ROUGH: dict[str, World] = {
    "heavy tails (t, 3 df)": _heavy_tails,
    "one-sided (exponential)": _skewed,
    "spikes (1 in 10, 10 x wider)": _spikes,
    "two modes (3 in 10, 10 % slower)": _two_modes,
}
WORLDS = SMOOTH | ROUGH
TYPICAL: World = partial(_lognormal, TYPICAL_CV)
