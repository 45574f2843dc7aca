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
from tests import calibrate_rounds

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
    """One row: what was simulated, in which world, for how many launches (a side), and the share that came out.

    `error` is half the 95 % interval of a share of so many simulations; None where it is no such share.
    """

    what: str
    world: str
    launches: str
    share: float
    error: float | None = None


def _share(what: str, world: str, launches: str, share: float, repeats: int) -> Figure:
    return Figure(what, world, launches, share, 1.96 * math.sqrt(share * (1 - share) / repeats))


def figures(repeats: int = REPEATS, *, seed: int = SEED) -> Iterator[Figure]:
    """All figures, each as it is known."""
    yield from _intervals(repeats, seed)
    yield from _verdicts(repeats, seed)
    yield from _by_need(repeats, seed)
    yield from _races(repeats // 4, seed)
    yield from _several_runs(repeats // 4, seed)
    for order in ("fixed", "random"):
        bias = drift_bias(order, seed=seed)
        yield Figure(f"bias of a typical case, {order} order", "20 % slower by the end, 28 cases", "5", bias)
    bias = calibrate_rounds.drift_bias_by_need(repeats=repeats // 4, seed=seed)
    yield Figure("bias of a case that stops early, by need", "20 % slower by the end", "to 30", bias)


def _intervals(repeats: int, seed: int) -> Iterator[Figure]:
    for world, draw in WORLDS.items():
        for n in (3, 4, 5, 6, 7, 10, 20, 30):
            yield _share("median: coverage", world, str(n), median_coverage(draw, n, repeats, seed), repeats)
        for m, n in ((5, 5), (5, 10), (7, 7), (10, 10), (30, 30)):
            share = ratio_coverage(draw, draw, (m, n), repeats, seed)
            yield _share("ratio: coverage", world, f"{m} and {n}", share, repeats)
    narrow, wide = SMOOTH["log-normal, CV 2%"], SMOOTH["log-normal, CV 57%"]
    for m, n in ((5, 5), (5, 10), (10, 5), (30, 30)):
        share = ratio_coverage(narrow, wide, (m, n), repeats, seed)
        yield _share("ratio: coverage", "CV 2% against CV 57%", f"{m} and {n}", share, repeats)


def _verdicts(repeats: int, seed: int) -> Iterator[Figure]:
    for world, draw in WORLDS.items():
        for cases in (1, 5, 28):
            for n in (5, 10):
                times = repeats if cases < 28 else repeats // 2
                per_comparison, per_case = false_verdicts(draw, cases, n, times, seed)
                what = f"{cases} unchanged cases: comparisons with a false verdict"
                yield _share(what, world, str(n), per_comparison, times)
                yield Figure(f"{cases} unchanged cases: false verdicts per case", world, str(n), per_case)
    for cases in (5, 28):
        for change in (0.02, 0.05, 0.10):
            for n in (5, 10, 20):
                share = power(change, cases, n, repeats // 4, seed)
                world = f"log-normal, CV {TYPICAL_CV:.0%}"
                yield _share(f"1 of {cases} cases {change:.0%} slower: found", world, str(n), share, repeats // 4)


def _by_need(repeats: int, seed: int) -> Iterator[Figure]:
    for world, draw in WORLDS.items():
        for spreads in (0.5, 0.7, 1.0, 2.0):
            covered, spared = calibrate_rounds.coverage_by_need(draw, spreads, repeats, seed)
            precision = f"precision {spreads:g} x spread"
            yield _share(f"by need, {precision}: coverage", world, "to 30", covered, repeats)
            yield Figure(f"by need, {precision}: rounds spared", world, "to 30", spared)
        wrong = calibrate_rounds.false_verdicts_by_need(draw, 1.0, 5, repeats // 4, seed)
        what = "by need, 5 unchanged cases: comparisons with a false verdict"
        yield _share(what, world, "to 30", wrong, repeats // 4)


def _races(repeats: int, seed: int) -> Iterator[Figure]:
    for world, draw in WORLDS.items():
        for cases in (4, 28):
            for field, levels in (
                ("all others 3 % slower", calibrate_rounds.as_good_as_allowed(cases)),
                ("up to 4 x slower", calibrate_rounds.spread_out(cases)),
            ):
                found = calibrate_rounds.races(draw, levels, repeats, seed)
                what = f"race of {cases}, {field}"
                yield _share(f"{what}: wrong winner", world, "5 to 30", found.wrong, repeats)
                yield _share(f"{what}: decided", world, "5 to 30", found.decided, repeats)
                yield Figure(f"{what}: launches spared", world, "5 to 30", found.saved)
                yield Figure(f"{what}: coverage of medians", world, "5 to 30", found.covered)


def _several_runs(repeats: int, seed: int) -> Iterator[Figure]:
    world = "log-normal, CV 2%"
    over_runs = partial(calibrate_rounds.verdicts_over_runs, WORLDS[world])
    for bases in (1, 3, 5, 10):
        for cases in (5, 28):
            drift = f"runs drift by {calibrate_rounds.DRIFT:.0%}, {bases} base run{'s' * (bases > 1)}, {cases} cases"
            wrong, _ = over_runs(bases, cases, 5, repeats, seed)
            yield _share(f"{drift}: comparisons with a false verdict", world, "5", wrong, repeats)
            for change in (0.10, 0.20):
                _, found = calibrate_rounds.verdicts_over_runs(
                    WORLDS[world], bases, cases, 5, repeats, seed, change=change
                )
                yield _share(f"{drift}: 1 {change:.0%} slower: found", world, "5", found, repeats)


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
            error = "" if figure.error is None else f" ± {figure.error:.1%}"
            print(f"{figure.what:70} {figure.world:34} {figure.launches:>9} {figure.share:7.1%}{error}", flush=True)
    if options.json:
        json.dump([asdict(figure) for figure in found], sys.stdout, indent=1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
