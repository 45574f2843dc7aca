"""Are the intervals and verdicts as often right as they say? Simulated launches, the program's own functions.

    python -m tests.calibrate [--json] [--repeats N]        or: make calibrate

Every world is a distribution of a launch's time on the log scale. Nothing here measures: the figures depend on the
seed alone.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from benchbench.analysis.familywise import compare_all
from benchbench.analysis.intervals import median_interval, ratio_interval

Floats = NDArray[np.float64]
World = Callable[[np.random.Generator, int], Floats]  # so many logs of times about some level of its own
SEED, REPEATS, TYPICAL_CV, DRIFTS = 20261128, 2000, 0.03, 400


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


@dataclass(frozen=True, slots=True)
class Figure:
    """One row: what was simulated, in which world, for how many launches (a side), and the share that came out."""

    what: str
    world: str
    launches: str
    share: float


def figures(repeats: int = REPEATS, *, seed: int = SEED) -> Iterator[Figure]:
    """All figures, each as it is known."""
    for world, draw in WORLDS.items():
        for n in (3, 4, 5, 6, 7, 10, 20, 30):
            yield Figure("median: coverage", world, str(n), median_coverage(draw, n, repeats, seed))
        for m, n in ((5, 5), (5, 10), (7, 7), (10, 10), (30, 30)):
            yield Figure("ratio: coverage", world, f"{m} and {n}", ratio_coverage(draw, draw, (m, n), repeats, seed))
    narrow, wide = SMOOTH["log-normal, CV 2%"], SMOOTH["log-normal, CV 57%"]
    for m, n in ((5, 5), (5, 10), (10, 5), (30, 30)):
        share = ratio_coverage(narrow, wide, (m, n), repeats, seed)
        yield Figure("ratio: coverage", "CV 2% against CV 57%", f"{m} and {n}", share)
    for world, draw in WORLDS.items():
        for cases in (1, 5, 28):
            for n in (5, 10):
                per_comparison, per_case = false_verdicts(draw, cases, n, repeats // 4, seed)
                yield Figure(
                    f"{cases} unchanged cases: comparisons with a false verdict", world, str(n), per_comparison
                )
                yield Figure(f"{cases} unchanged cases: false verdicts per case", world, str(n), per_case)
    for cases in (5, 28):
        for change in (0.02, 0.05, 0.10):
            for n in (5, 10, 20):
                share = power(change, cases, n, repeats // 4, seed)
                world = f"log-normal, CV {TYPICAL_CV:.0%}"
                yield Figure(f"1 of {cases} cases {change:.0%} slower: found", world, str(n), share)
    for order in ("fixed", "random"):
        bias = drift_bias(order, seed=seed)
        yield Figure(f"bias of a typical case, {order} order", "20 % slower by the end, 28 cases", "5", bias)


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


def false_verdicts(draw: World, cases: int, n: int, repeats: int, seed: int) -> tuple[float, float]:
    """Of comparisons in which nothing changed: those with any verdict, and verdicts per case; no threshold helps."""
    rng = np.random.default_rng(seed)
    any_false = false = 0
    for repeat in range(repeats):
        # Cases differ in how much they spread, as they do on devices.
        widths = np.exp(rng.normal(0, 0.7, cases))
        pairs = [(_times(width * draw(rng, n)), _times(width * draw(rng, n))) for width in widths]
        found = compare_all(pairs, same_within=0, seed=repeat)
        verdicts = sum(ratio.verdict in {"faster", "slower"} for ratio in found)
        any_false, false = any_false + (verdicts > 0), false + verdicts
    return any_false / repeats, false / repeats / cases


def power(change: float, cases: int, n: int, repeats: int, seed: int) -> float:
    """How often one changed case among unchanged ones is found; the threshold is below the change."""
    rng = np.random.default_rng(seed)
    draw = partial(_lognormal, TYPICAL_CV)
    hits = 0
    for repeat in range(repeats):
        pairs = [(_times(draw(rng, n)), _times(draw(rng, n))) for _ in range(cases)]
        pairs[0] = pairs[0][0], [time * (1 + change) for time in pairs[0][1]]
        hits += compare_all(pairs, same_within=change / 2, seed=repeat)[0].verdict == "slower"
    return hits / repeats


def drift_bias(order: str, *, cases: int = 28, rounds: int = 5, seed: int = SEED) -> float:
    """By how much a typical case is off against the others, on average over runs, when the device gets steadily slower.

    A fraction. Rounds are outermost in both orders, as in a plan; "fixed" runs the cases of each round in one order.
    """
    numbers, errors = random.Random(seed), np.zeros(cases)
    for _ in range(DRIFTS):
        seen: list[list[float]] = [[] for _ in range(cases)]
        for number in range(rounds):
            turn = list(range(cases))
            if order == "random":
                numbers.shuffle(turn)
            for position, case in enumerate(turn):
                seen[case].append(1 + 0.2 * (number * cases + position) / (rounds * cases - 1))
        medians = np.median(seen, axis=1)
        errors += medians / np.median(medians) - 1
    return float(np.median(np.abs(errors))) / DRIFTS


def _times(logs: Floats) -> Sequence[float]:
    return [float(time) for time in np.exp(logs)]


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--json", action="store_true", help="one JSON array on stdout")
    parser.add_argument("--repeats", type=int, default=REPEATS, help="simulations per figure of coverage")
    options = parser.parse_args()
    found = []
    for figure in figures(options.repeats):
        found.append(figure)
        if not options.json:
            print(f"{figure.what:58} {figure.world:34} {figure.launches:>9} {figure.share:7.1%}", flush=True)
    if options.json:
        json.dump([asdict(figure) for figure in found], sys.stdout, indent=1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
