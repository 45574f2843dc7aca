"""Rounds by need, races and several base runs, simulated with the program's own functions."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from benchbench.analysis.drift import compare_runs, detectable_between_runs, more_base_runs
from benchbench.analysis.familywise import LEVEL_BY_NEED, compare_all
from benchbench.analysis.intervals import median_interval
from benchbench.analysis.race import INDIFFERENCE, beaten
from benchbench.analysis.stopping import half_width
from benchbench.run_folder.baselines import MOST_RUNS
from benchbench.values.measurement_settings import MAX_ROUNDS, MeasurementSettings
from tests.calibrate.worlds import Floats, World

LEAST = MeasurementSettings().rounds
DRIFT = 0.02  # standard deviation between runs: what a device's cases have in common, and as much of each case's own


def level_and_spread(draw: World, rng: np.random.Generator) -> tuple[float, float]:
    """The median of a world's logs, and its standard deviation by the median absolute deviation."""
    logs = draw(rng, 400_001)
    level = float(np.median(logs))
    return level, 1.4826 * float(np.median(np.abs(logs - level)))


def by_need(draw: World, precision: float, rng: np.random.Generator) -> list[float]:
    """The launches of one case with this precision and the default most rounds."""
    times = [float(time) for time in np.exp(draw(rng, MAX_ROUNDS))]
    for n in range(LEAST, MAX_ROUNDS):
        if precise(times[:n], precision):
            return times[:n]
    return times


def precise(times: Sequence[float], precision: float) -> bool:
    half = half_width(times)
    return half is not None and half <= precision


def coverage_by_need(draw: World, spreads: float, repeats: int, seed: int) -> tuple[float, float]:
    """How often the interval of a case holds its median, and the share of the most rounds that it does without.

    The precision is so many standard deviations of a launch.
    """
    rng = np.random.default_rng(seed)
    level, spread = level_and_spread(draw, rng)
    hits = rounds = 0
    for _ in range(repeats):
        times = by_need(draw, spreads * spread, rng)
        interval = median_interval(times, by_need=True)
        hits += interval is not None and interval.low <= math.exp(level) <= interval.high
        rounds += len(times)
    return hits / repeats, 1 - rounds / repeats / MAX_ROUNDS


def false_verdicts_by_need(draw: World, spreads: float, cases: int, repeats: int, seed: int) -> float:
    """Of comparisons of unchanged cases, each side measured by need, those with any false verdict."""
    rng = np.random.default_rng(seed)
    precision, wrong = spreads * level_and_spread(draw, rng)[1], 0
    for repeat in range(repeats):
        pairs = [(by_need(draw, precision, rng), by_need(draw, precision, rng)) for _ in range(cases)]
        ratios = compare_all(pairs, same_within=0, level=LEVEL_BY_NEED, seed=repeat)
        wrong += any(one.verdict in {"faster", "slower"} for one in ratios)
    return wrong / repeats


@dataclass(frozen=True, slots=True)
class Races:
    """Shares of races: won by a case that is slower than the best by more than the indifference, and won at all.

    `saved` is the share of launches that a race does without, of as many rounds as it took for every case.
    `covered` is how often the intervals of all cases hold their medians.
    """

    wrong: float
    decided: float
    saved: float
    covered: float


def races(draw: World, levels: Callable[[np.random.Generator], Floats], repeats: int, seed: int) -> Races:
    """Races of cases whose logs lie about `levels`, and spread differently."""
    rng = np.random.default_rng(seed)
    middle = level_and_spread(draw, rng)[0]
    wrong = decided = 0
    saved, covered = list[float](), list[float]()
    for _ in range(repeats):
        truth = levels(rng)
        widths = np.exp(rng.normal(0, 0.5, len(truth)))
        logs = truth + widths * (draw(rng, MAX_ROUNDS * len(truth)).reshape(MAX_ROUNDS, -1) - middle)
        rounds, left = raced(logs)
        if len(left) == 1:
            decided += 1
            wrong += bool(truth[left[0]] - truth.min() > math.log1p(INDIFFERENCE))
        saved.append(1 - sum(rounds) / max(rounds) / len(truth))
        intervals = [median_interval([*np.exp(logs[:n, case])]) for case, n in enumerate(rounds)]
        held = [i is not None and i.low <= math.exp(t) <= i.high for i, t in zip(intervals, truth, strict=True)]
        covered.append(sum(held) / len(held))
    return Races(wrong / repeats, decided / repeats, sum(saved) / repeats, sum(covered) / repeats)


def false_verdicts_of_races(
    draw: World, levels: Callable[[np.random.Generator], Floats], repeats: int, seed: int
) -> float:
    """Of comparisons of two races between the same unchanged cases, those with any false verdict."""
    rng = np.random.default_rng(seed)
    middle, wrong = level_and_spread(draw, rng)[0], 0
    for repeat in range(repeats):
        truth = levels(rng)
        widths = np.exp(rng.normal(0, 0.5, len(truth)))
        sides = []
        for _ in ("base", "new"):
            logs = truth + widths * (draw(rng, MAX_ROUNDS * len(truth)).reshape(MAX_ROUNDS, -1) - middle)
            rounds, _left = raced(logs)
            sides.append([np.exp(logs[:n, case]).tolist() for case, n in enumerate(rounds)])
        ratios = compare_all(list(zip(*sides, strict=True)), same_within=0, level=LEVEL_BY_NEED, seed=repeat)
        wrong += any(one.verdict in {"faster", "slower"} for one in ratios)
    return wrong / repeats


def raced(logs: Floats) -> tuple[list[int], list[int]]:
    """How many rounds each case has, of logs [rounds, cases], and the cases left at the end."""
    most, field = logs.shape
    times, on, rounds = np.exp(logs), {str(case): case for case in range(field)}, [most] * field
    for n in range(LEAST, most):
        seen = {name: dict(enumerate(times[:n, case].tolist())) for name, case in on.items()}
        for name in beaten(seen, field):
            rounds[on.pop(name)] = n
        if len(on) == 1:
            rounds[next(iter(on.values()))] = n
            break
    return rounds, list(on.values())


def as_good_as_allowed(cases: int) -> Callable[[np.random.Generator], Floats]:
    """The hardest field: all but one slower by just the indifference."""
    return lambda _: np.array([0.0] + [math.log1p(INDIFFERENCE) * (1 + 1e-9)] * (cases - 1))


def spread_out(cases: int) -> Callable[[np.random.Generator], Floats]:
    """As schemes and delegates are: the slowest up to four times as slow as the fastest."""
    return lambda rng: rng.uniform(0, math.log(4), cases)


def drifting_runs(draw: World, runs: int, cases: int, rounds: int, rng: np.random.Generator) -> Floats:
    """Logs of launches [runs, cases, rounds]; each run has shifts of its own, half of the cases are on each device."""
    common = rng.normal(0, DRIFT, (runs, 2))[:, np.arange(cases) % 2]
    own = rng.normal(0, DRIFT, (runs, cases))
    return (common + own)[:, :, None] + draw(rng, runs * cases * rounds).reshape(runs, cases, rounds)


def verdicts_over_runs(
    draw: World, bases: int, cases: int, rounds: int, repeats: int, seed: int, *, change: float = 0.0
) -> tuple[float, float]:
    """Of comparisons of drifting runs, one case of which is so much slower: those with a false verdict, and those that
    find the slower one. One base run is compared by its launches, several by their medians.
    """
    rng = np.random.default_rng(seed)
    wrong = found = 0
    for repeat in range(repeats):
        logs = drifting_runs(draw, bases + 1, cases, rounds, rng)
        logs[-1, 0] += math.log1p(change)
        times = np.exp(logs)
        if bases == 1:
            pairs = [(times[0, case].tolist(), times[1, case].tolist()) for case in range(cases)]
            ratios = compare_all(pairs, same_within=change / 2, seed=repeat)
        else:
            medians = np.median(times, axis=2)
            devices = [str(case % 2) for case in range(cases)]
            ratios = compare_runs(medians[:-1], medians[-1], devices, same_within=change / 2)
        changed = [ratio.verdict in {"faster", "slower"} for ratio in ratios]
        wrong += any(changed[1 if change else 0 :])
        found += ratios[0].verdict == "slower"
    return wrong / repeats, found / repeats


def detectable_over_runs(draw: World, bases: int, cases: int, rounds: int, repeats: int, seed: int) -> float:
    """How often the change of one case is found that the base runs themselves call detectable."""
    rng, found = np.random.default_rng(seed), 0
    devices = [str(case % 2) for case in range(cases)]
    for _ in range(repeats):
        medians = np.median(np.exp(drifting_runs(draw, bases + 1, cases, rounds, rng)), axis=2)
        medians[-1, 0] *= 1 + detectable_between_runs(medians[:-1], devices)
        found += compare_runs(medians[:-1], medians[-1], devices)[0].verdict == "slower"
    return found / repeats


def told_after_more_runs(
    draw: World, change: float, bases: int, cases: int, rounds: int, repeats: int, seed: int
) -> tuple[float, float]:
    """Of cases so much slower that could not be told, those told after as many more base runs as were advised, and how
    many had such advice.
    """
    rng = np.random.default_rng(seed)
    told, untold, devices = list[bool](), 0, [str(case % 2) for case in range(cases)]
    for _ in range(repeats):
        medians = np.median(np.exp(drifting_runs(draw, MOST_RUNS + 1, cases, rounds, rng)), axis=2)
        new = medians[-1] * np.where(np.arange(cases) == 0, 1 + change, 1)
        if compare_runs(medians[:bases], new, devices)[0].verdict != "cannot tell":
            continue
        untold += 1
        if more := more_base_runs(medians[:bases], new, devices)[0]:
            told.append(compare_runs(medians[: bases + more], new, devices)[0].verdict != "cannot tell")
    return sum(told) / len(told), len(told) / untold


def drift_bias_by_need(*, repeats: int, seed: int) -> float:
    """By how much a case that is soon precise is off against one that has all rounds, when the device gets slower.

    A fraction; 20 % slower by the last of the most rounds. What stops early was measured early.
    """
    rng = np.random.default_rng(seed)
    drift, errors = 1 + 0.2 * np.arange(MAX_ROUNDS) / (MAX_ROUNDS - 1), list[float]()
    for _ in range(repeats):
        quiet = drift * np.exp(rng.normal(0, 0.005, MAX_ROUNDS))
        noisy = drift * np.exp(rng.normal(0, 0.1, MAX_ROUNDS))
        stop = next((n for n in range(LEAST, MAX_ROUNDS) if precise(quiet[:n].tolist(), 0.02)), MAX_ROUNDS)
        errors.append(float(np.median(quiet[:stop]) / np.median(noisy)) - 1)
    return abs(float(np.mean(errors)))
