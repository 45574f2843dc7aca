"""All that is simulated, cell by cell: what, in which world, for how many launches."""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import product

from benchbench.analysis.familywise import detectable_change
from tests.calibrate import launches, quantities, rounds
from tests.calibrate.worlds import TYPICAL, TYPICAL_CV, WORLDS

SEED, REPEATS = 20261128, 2000
FIELDS = {"all others 3 % slower": rounds.as_good_as_allowed, "up to 4 x slower": rounds.spread_out}
NAME = f"log-normal, CV {TYPICAL_CV:.0%}"  # of the world that is typical


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


@dataclass(frozen=True, slots=True)
class Cell:
    """Figures that are simulated together, by a seed of their own."""

    simulate: Callable[..., list[Figure]]
    arguments: tuple[object, ...]
    repeats: int

    @property
    def name(self) -> str:
        return " ".join([self.simulate.__name__.removeprefix("_"), *map(str, self.arguments)])

    def figures(self) -> list[Figure]:
        return self.simulate(*self.arguments, repeats=self.repeats, seed=zlib.crc32(f"{SEED} {self.name}".encode()))


def figures(repeats: int = REPEATS, *, only: str = "", jobs: int = 1) -> Iterator[Figure]:
    """The figures of all cells whose names hold `only`, each as it is known; `jobs` cells at once."""
    with ProcessPoolExecutor(jobs) as pool:
        for found in pool.map(Cell.figures, [cell for cell in cells(repeats) if only in cell.name]):
            yield from found


def cells(repeats: int) -> Iterator[Cell]:
    """All of them; what takes long is simulated less often."""
    for world in WORLDS:
        yield from (Cell(_median, (world, n), repeats) for n in (3, 4, 5, 6, 7, 10, 20, 30))
        for sizes in ((5, 5), (5, 10), (7, 7), (10, 10), (30, 30)):
            yield Cell(_ratio, (world, world, *sizes), repeats)
    for sizes in ((5, 5), (5, 10), (10, 5), (30, 30)):
        yield Cell(_ratio, ("log-normal, CV 2%", "log-normal, CV 57%", *sizes), repeats)
    for world, cases, n in product(WORLDS, (1, 5, 28), (5, 10)):
        yield Cell(_unchanged, (world, cases, n), repeats)
    for cases, sizes in product((5, 28), ((5, 5), (5, 10), (10, 5))):
        yield Cell(_uneven, (cases, *sizes), repeats)
    for cases, n in product((5, 28), (5, 10, 20)):
        yield from (Cell(_changed, (cases, change, n), repeats // 2) for change in (0.02, 0.05, 0.10))
        yield Cell(_detectable, (cases, n), repeats // 2)
    yield from (Cell(_advised, (cases, 5), repeats // 2) for cases in (5, 28))
    for world in WORLDS:
        yield from (Cell(_by_need, (world, spreads), repeats) for spreads in (0.5, 0.7, 1.0, 2.0))
        yield Cell(_unchanged_by_need, (world, 5), repeats // 2)
    yield from (Cell(_race, one, repeats // 4) for one in product(WORLDS, (4, 28), FIELDS))
    yield from (Cell(_unchanged_races, (world, 4), repeats // 2) for world in WORLDS)
    yield from (Cell(_runs, one, repeats // 4) for one in product((1, 3, 5, 10), (5, 28), (0.0, 0.10, 0.20)))
    yield from (Cell(_advised_runs, (bases, cases), repeats // 2) for bases, cases in product((3, 5), (5, 28)))
    yield from (Cell(_initialisation, (bases, 5), repeats * 3 // 20) for bases in (1, 3, 5))
    yield from (Cell(_order, (order,), launches.RUNS) for order in ("fixed", "random"))
    yield Cell(_stopped_early, (), repeats // 4)


def _median(world: str, n: int, *, repeats: int, seed: int) -> list[Figure]:
    share = launches.median_coverage(WORLDS[world], n, repeats, seed)
    return [_share("median: coverage", world, str(n), share, repeats)]


def _ratio(base: str, new: str, m: int, n: int, *, repeats: int, seed: int) -> list[Figure]:
    share = launches.ratio_coverage(WORLDS[base], WORLDS[new], (m, n), repeats, seed)
    world = base if base == new else f"{base} against {new.removeprefix('log-normal, ')}"
    return [_share("ratio: coverage", world, f"{m} and {n}", share, repeats)]


def _unchanged(world: str, cases: int, n: int, *, repeats: int, seed: int) -> list[Figure]:
    found, what = launches.false_verdicts(WORLDS[world], cases, (n, n), repeats, seed), f"{cases} unchanged cases: "
    return [
        _share(f"{what}comparisons with a false verdict", world, str(n), found.wrong, repeats),
        _share(f"{what}comparisons that fail a build (slower by > 3 %)", world, str(n), found.failing, repeats),
        Figure(f"{what}false verdicts per case", world, str(n), found.per_case),
    ]


def _uneven(cases: int, m: int, n: int, *, repeats: int, seed: int) -> list[Figure]:
    found = launches.false_verdicts(TYPICAL, cases, (m, n), repeats, seed, widened=2)
    what = f"{cases} unchanged cases: comparisons with a false verdict"
    return [_share(what, f"{NAME}, new 2 x wider", f"{m} and {n}", found.wrong, repeats)]


def _changed(cases: int, change: float, n: int, *, repeats: int, seed: int) -> list[Figure]:
    share = launches.power(change, cases, n, repeats, seed, same_within=change / 2)
    return [_share(f"1 of {cases} cases {change:.0%} slower: found", NAME, str(n), share, repeats)]


def _detectable(cases: int, n: int, *, repeats: int, seed: int) -> list[Figure]:
    change = detectable_change(TYPICAL_CV, n, cases)
    share = launches.power(change, cases, n, repeats, seed)
    what = f"change of 1 of {cases} cases that is called detectable"
    return [
        Figure(what, NAME, str(n), change),
        _share(f"{what}: found", NAME, str(n), share, repeats),
    ]


def _advised(cases: int, n: int, *, repeats: int, seed: int) -> list[Figure]:
    share = launches.told_after_more_rounds(0.06, cases, n, repeats, seed)
    return [_share(f"1 of {cases} cases 6 % slower: told after the rounds advised", NAME, str(n), share, repeats)]


def _by_need(world: str, spreads: float, *, repeats: int, seed: int) -> list[Figure]:
    covered, spared = rounds.coverage_by_need(WORLDS[world], spreads, repeats, seed)
    what = f"by need, precision {spreads:g} x spread: "
    return [
        _share(f"{what}coverage", world, "to 30", covered, repeats),
        Figure(f"{what}rounds spared", world, "to 30", spared),
    ]


def _unchanged_by_need(world: str, cases: int, *, repeats: int, seed: int) -> list[Figure]:
    share = rounds.false_verdicts_by_need(WORLDS[world], 1.0, cases, repeats, seed)
    what = f"by need, {cases} unchanged cases: comparisons with a false verdict"
    return [_share(what, world, "to 30", share, repeats)]


def _race(world: str, cases: int, field: str, *, repeats: int, seed: int) -> list[Figure]:
    found, what = rounds.races(WORLDS[world], FIELDS[field](cases), repeats, seed), f"race of {cases}, {field}"
    return [
        _share(f"{what}: wrong winner", world, "5 to 30", found.wrong, repeats),
        _share(f"{what}: decided", world, "5 to 30", found.decided, repeats),
        Figure(f"{what}: launches spared", world, "5 to 30", found.saved),
        Figure(f"{what}: coverage of medians", world, "5 to 30", found.covered),
    ]


def _unchanged_races(world: str, cases: int, *, repeats: int, seed: int) -> list[Figure]:
    field = "all others 3 % slower"
    share = rounds.false_verdicts_of_races(WORLDS[world], FIELDS[field](cases), repeats, seed)
    return [_share(f"two races of {cases}, {field}: a false verdict", world, "5 to 30", share, repeats)]


def _runs(bases: int, cases: int, change: float, *, repeats: int, seed: int) -> list[Figure]:
    drift = _drift(bases, cases)
    world = "log-normal, CV 2%"
    wrong, found = rounds.verdicts_over_runs(WORLDS[world], bases, cases, 5, repeats, seed, change=change)
    if change:
        return [_share(f"{drift}: 1 {change:.0%} slower: found", world, "5", found, repeats)]
    told = [_share(f"{drift}: comparisons with a false verdict", world, "5", wrong, repeats)]
    if bases > 1:
        share = rounds.detectable_over_runs(WORLDS[world], bases, cases, 5, repeats, seed)
        told.append(_share(f"{drift}: a change that is called detectable: found", world, "5", share, repeats))
    return told


def _advised_runs(bases: int, cases: int, *, repeats: int, seed: int) -> list[Figure]:
    world, what = "log-normal, CV 2%", f"{_drift(bases, cases)}, 1 15 % slower and not told"
    told, advised = rounds.told_after_more_runs(WORLDS[world], 0.15, bases, cases, 5, repeats, seed)
    return [
        Figure(f"{what}: with advice", world, "5", advised),
        Figure(f"{what}: told after the base runs advised", world, "5", told),
    ]


def _initialisation(bases: int, cases: int, *, repeats: int, seed: int) -> list[Figure]:
    world = "log-normal, CV 2%"
    share = quantities.worse_initialisation(WORLDS[world], bases, cases, 5, repeats, seed)
    return [_share(f"{_drift(bases, cases)}: --fail-on init_ms fails", world, "5", share, repeats)]


def _drift(bases: int, cases: int) -> str:
    return f"runs drift by {rounds.DRIFT:.0%}, {bases} base run{'s' * (bases > 1)}, {cases} cases"


def _order(order: str, *, repeats: int, seed: int) -> list[Figure]:
    bias = launches.drift_bias(order, repeats=repeats, seed=seed)
    return [Figure(f"bias of a typical case, {order} order", "20 % slower by the end, 28 cases", "5", bias)]


def _stopped_early(*, repeats: int, seed: int) -> list[Figure]:
    bias = rounds.drift_bias_by_need(repeats=repeats, seed=seed)
    return [Figure("bias of a case that stops early, by need", "20 % slower by the end", "to 30", bias)]
