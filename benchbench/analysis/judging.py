"""The ratio of each case of a comparison: held against how launches of one run differ, or how several runs do."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd

from benchbench.analysis.drift import LEAST_RUNS, compare_runs, detectable_between_runs, more_base_runs
from benchbench.analysis.familywise import LEVEL, Pair, compare_all, power_of
from benchbench.analysis.intervals import Ratio
from benchbench.analysis.intervals import compare as compare_times
from benchbench.analysis.pairs import incomparable, level_of, lost, measured, unlike

Rows = Mapping[str, pd.Series]  # of the frame of cases, by case


@dataclass(frozen=True, slots=True)
class Judged:
    """One case: the row of the base, whose median_ms is what the ratio is against, and what came of it.

    `runs` are the places of the base runs that it is held against; so many more of either would tell it.
    """

    base: pd.Series
    ratio: Ratio
    runs: tuple[int, ...]
    more_rounds: int | None = None
    more_runs: int | None = None

    @property
    def samples(self) -> Literal["launches", "runs"]:
        """What its difference is held against: how these vary."""
        return "runs" if len(self.runs) >= LEAST_RUNS else "launches"


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A base run, by its place, that says nothing of so many cases, of which others do."""

    run: int
    cases: int
    why: str


@dataclass(frozen=True, slots=True)
class Judgement:
    """All cases that may be compared; `detectable` is a fraction, of a typical case, None where nothing says."""

    cases: Mapping[str, Judged]
    detectable: float | None
    left_out: tuple[LeftOut, ...] = ()

    @property
    def alone(self) -> int:
        """How many cases are held against one base run, which does not tell how runs of the same thing differ."""
        return sum(one.samples == "launches" for one in self.cases.values())


def judge_cases(olds: Sequence[Rows], now: Rows, same_within: float) -> Judgement:
    """The times of all cases that may be compared, each by those base runs that measured the same thing.

    Three and more of them tell how runs differ; of fewer the newest is taken, and the spread of its launches. Cases of
    which no base run has the same model file and tool get no verdict, and cost the others none of their power. At most
    5 % of whole comparisons of unchanged cases have a false verdict: each way of judging has its share of that, by how
    many cases it judges (Bonferroni). Launches whose number went by need are judged at the level that this takes.
    """
    alike = {case: _alike(case, olds, new) for case, new in now.items() if measured(new)}
    groups = judged_together({case: runs for case, runs in alike.items() if runs})
    total = sum(map(len, groups.values()))
    others = [case for case, runs in alike.items() if not runs]
    found = _of_others(olds[-1], now, others, same_within)
    detectable: list[tuple[int, float]] = []
    for runs, cases in groups.items():
        share = len(cases) / total
        if runs:
            level = LEVEL * share
            own, change = _by_runs(olds, runs, cases, now, same_within, level)
        else:
            bases = {case: alike[case][-1] for case in cases}
            level = share * level_of(row for case, run in bases.items() for row in (olds[run][case], now[case]))
            own, change = _by_launches(olds, bases, now, same_within, level)
        found |= {case: _for_all(one, level) for case, one in own.items()}
        detectable += [] if change is None else [(len(cases), change)]
    most = max(detectable, default=None, key=lambda one: one[0])
    return Judgement(found, most and most[1], _left_out(olds, now, alike))


def judged_together(alike: Mapping[str, tuple[int, ...]]) -> dict[tuple[int, ...], list[str]]:
    """The cases by the base runs whose spread judges them, which are three and more; by none, those of launches."""
    groups: dict[tuple[int, ...], list[str]] = {}
    for case in sorted(alike):
        groups.setdefault(alike[case] if len(alike[case]) >= LEAST_RUNS else (), []).append(case)
    return groups


def _alike(case: str, olds: Sequence[Rows], new: pd.Series) -> tuple[int, ...]:
    """The places of the base runs that a case may be held against; none where the newest had what the new run lost."""
    newest = olds[-1].get(case)
    if newest is not None and measured(newest) and lost(newest, new):
        return ()
    return tuple(place for place, old in enumerate(olds) if not unlike(old.get(case), new))


def _for_all(one: Judged, level: float) -> Judged:
    """A p-value among the cases that were judged in one way, as one among all cases."""
    p = None if one.ratio.p is None else min(1.0, one.ratio.p * LEVEL / level)
    return replace(one, ratio=one.ratio._replace(p=p))


def _of_others(old: Rows, now: Rows, cases: Sequence[str], same_within: float) -> dict[str, Judged]:
    """The cases whose model file or tool is another than in the newest base, each alone."""
    found = {}
    for case in cases:
        base, new = old.get(case), now[case]
        if base is not None and measured(base) and not (lost(base, new) or incomparable(base, new)):
            ratio = compare_times(base["samples_ms"], new["samples_ms"], same_within=same_within)
            found[case] = Judged(base, ratio, ())
    return found


def _by_launches(
    olds: Sequence[Rows], places: Mapping[str, int], now: Rows, same_within: float, level: float
) -> tuple[dict[str, Judged], float | None]:
    """Each case against one base run, and what could be found."""
    pairs: list[Pair] = [(olds[run][case]["samples_ms"], now[case]["samples_ms"]) for case, run in places.items()]
    ratios = compare_all(pairs, same_within=same_within, level=level)
    power = power_of(pairs, same_within=same_within, level=level)
    told = zip(places.items(), ratios, power.more_rounds, strict=True)
    return {case: Judged(olds[run][case], ratio, (run,), more) for (case, run), ratio, more in told}, power.detectable


def _by_runs(
    olds: Sequence[Rows], runs: tuple[int, ...], cases: Sequence[str], now: Rows, same_within: float, level: float
) -> tuple[dict[str, Judged], float | None]:
    """The cases that the same base runs measured, and what could be found."""
    rows = {case: olds[runs[-1]][case] for case in cases}
    medians = np.array([[float(olds[run][case]["median_ms"]) for case in cases] for run in runs])
    news = np.array([float(now[case]["median_ms"]) for case in cases])
    above = (medians > 0).all(axis=0) & (news > 0)
    found = {
        case: Judged(rows[case], Ratio(math.nan, None, None, "cannot tell"), runs)
        for case, fits in zip(cases, above, strict=True)
        if not fits
    }
    if not above.any():
        return found, None
    kept = [case for case, fits in zip(cases, above, strict=True) if fits]
    devices = [str(rows[case]["device"]) for case in kept]
    ratios = compare_runs(medians[:, above], news[above], devices, same_within=same_within, level=level)
    more = more_base_runs(medians[:, above], news[above], devices, same_within=same_within, level=level)
    typical = np.exp(np.log(medians[:, above]).mean(axis=0))
    for case, ratio, middle, further in zip(kept, ratios, typical, more, strict=True):
        row = rows[case].where(rows[case].index != "median_ms", middle)
        found[case] = Judged(row, ratio, runs, more_runs=further)
    return found, detectable_between_runs(medians[:, above], devices, same_within=same_within, level=level)


def _left_out(olds: Sequence[Rows], now: Rows, alike: Mapping[str, tuple[int, ...]]) -> tuple[LeftOut, ...]:
    """Of the cases that some base run says something of, which others do not, and why."""
    fewer = "fewer than three runs measured them alike: the newest of these is taken alone"
    why: Counter[tuple[int, str]] = Counter()
    for case, runs in alike.items():
        if not runs:
            continue
        why.update((place, unlike(old.get(case), now[case])) for place, old in enumerate(olds) if place not in runs)
        why.update((place, fewer) for place in runs[:-1] if len(runs) < LEAST_RUNS)
    return tuple(LeftOut(run, cases, reason) for (run, reason), cases in sorted(why.items()))
