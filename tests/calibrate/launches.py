"""Intervals and verdicts over a fixed number of launches, simulated with the program's own functions."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from benchbench.analysis.familywise import Pair, compare_all, power_of
from benchbench.analysis.intervals import median_interval, ratio_interval
from tests.calibrate.worlds import TYPICAL, Floats, World

THRESHOLD = 0.03  # of `compare`, where nobody gives another
RUNS = 400  # of a device that slows down


def median_coverage(draw: World, n: int, repeats: int, seed: int) -> float:
    rng = np.random.default_rng(seed)
    truth = float(np.median(draw(rng, 2_000_001)))
    found = (median_interval(list(draw(rng, n))) for _ in range(repeats))
    return sum(interval is not None and interval.low <= truth <= interval.high for interval in found) / repeats


def ratio_coverage(base: World, new: World, sizes: tuple[int, int], repeats: int, seed: int) -> float:
    """Both sides have the same median."""
    rng = np.random.default_rng(seed)
    found = (ratio_interval(_times(base(rng, sizes[0])), _times(new(rng, sizes[1]))) for _ in range(repeats))
    return sum(interval is not None and interval.low <= 1 <= interval.high for interval in found) / repeats


class FalseVerdicts(NamedTuple):
    """Of comparisons in which nothing changed: those with any verdict, where no threshold helps, and those that would
    fail a build by default, as slower by more than the threshold; and the share of cases with a verdict.
    """

    wrong: float
    failing: float
    per_case: float


def false_verdicts(
    draw: World, cases: int, sizes: tuple[int, int], repeats: int, seed: int, *, widened: float = 1.0
) -> FalseVerdicts:
    """The launches of the new side spread `widened` times as much; of a symmetric world the median stays the same."""
    rng = np.random.default_rng(seed)
    wrong = failing = verdicts = 0
    for repeat in range(repeats):
        # Cases differ in how much they spread, as they do on devices.
        widths = np.exp(rng.normal(0, 0.7, cases))
        pairs = [
            (_times(width * draw(rng, sizes[0])), _times(widened * width * draw(rng, sizes[1]))) for width in widths
        ]
        found = compare_all(pairs, same_within=0, seed=repeat)
        false = [ratio.value for ratio in found if ratio.verdict in {"faster", "slower"}]
        wrong, verdicts = wrong + bool(false), verdicts + len(false)
        failing += any(value > 1 + THRESHOLD for value in false)
    return FalseVerdicts(wrong / repeats, failing / repeats, verdicts / repeats / cases)


def power(
    change: float, cases: int, n: int, repeats: int, seed: int, *, same_within: float = THRESHOLD, draw: World = TYPICAL
) -> float:
    """How often one changed case among unchanged ones is found."""
    rng, hits = np.random.default_rng(seed), 0
    for repeat in range(repeats):
        pairs = _changed(change, cases, n, draw, rng)
        hits += compare_all(pairs, same_within=same_within, seed=repeat)[0].verdict == "slower"
    return hits / repeats


def told_after_more_rounds(change: float, cases: int, n: int, repeats: int, seed: int) -> float:
    """How often a changed case that could not be told is told after as many more rounds as were advised for it."""
    rng, told = np.random.default_rng(seed), list[bool]()
    for repeat in range(repeats):
        pairs = _changed(change, cases, n, TYPICAL, rng)
        more = power_of(pairs).more_rounds[0]
        if more is None or compare_all(pairs, seed=repeat)[0].verdict != "cannot tell":
            continue
        longer = _changed(change, cases, more, TYPICAL, rng)
        both = [([*b, *more_b], [*a, *more_a]) for (b, a), (more_b, more_a) in zip(pairs, longer, strict=True)]
        told.append(compare_all(both, seed=repeat)[0].verdict != "cannot tell")
    return sum(told) / len(told)


def _changed(change: float, cases: int, n: int, draw: World, rng: np.random.Generator) -> list[Pair]:
    """Cases of so many launches a side, the first of which is so much slower."""
    pairs: list[Pair] = [(_times(draw(rng, n)), _times(draw(rng, n))) for _ in range(cases)]
    pairs[0] = pairs[0][0], [time * (1 + change) for time in pairs[0][1]]
    return pairs


def drift_bias(order: str, *, cases: int = 28, rounds: int = 5, repeats: int = RUNS, seed: int = 0) -> float:
    """By how much a typical case is off against the others, on average over runs, when the device gets steadily slower.

    A fraction. Rounds are outermost in both orders, as in a plan; "fixed" runs the cases of each round in one order.
    """
    numbers, errors = random.Random(seed), np.zeros(cases)
    for _ in range(repeats):
        seen: list[list[float]] = [[] for _ in range(cases)]
        for number in range(rounds):
            turn = list(range(cases))
            if order == "random":
                numbers.shuffle(turn)
            for position, case in enumerate(turn):
                seen[case].append(1 + 0.2 * (number * cases + position) / (rounds * cases - 1))
        medians = np.median(seen, axis=1)
        errors += medians / np.median(medians) - 1
    return float(np.median(np.abs(errors))) / repeats


def _times(logs: Floats) -> Sequence[float]:
    return [float(time) for time in np.exp(logs)]
