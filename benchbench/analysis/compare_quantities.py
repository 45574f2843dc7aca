"""Runs beside their latency: initialisation, memory, size and accuracy, each by its own kind of test."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd

from benchbench.accuracy.metrics import Change, paired, unpacked
from benchbench.analysis.cases import counted_by_purpose
from benchbench.analysis.drift import LEAST_RUNS, compare_runs
from benchbench.analysis.familywise import LEVEL, Pair, compare_all
from benchbench.analysis.frames import Run
from benchbench.analysis.intervals import Ratio, checked_share, ratio_interval
from benchbench.analysis.judging import judged_together
from benchbench.analysis.pairs import another, level_of, measured
from benchbench.analysis.same_speed import Speeds, other_speed, speeds
from benchbench.values.formatting import counted
from benchbench.values.outcome import Outcome
from benchbench.values.quantities import QUANTITIES
from benchbench.values.quantity import MILLISECONDS, SECONDS, Quantity

Verdict = Literal["better", "worse", "same", "cannot tell"]
Rows = Mapping[str, pd.Series]  # of the frame of cases, by case
Pairs = Mapping[str, tuple[float, float]]  # base and new, by case
TESTED = tuple(one for one in QUANTITIES if one.test is not None)


@dataclass(frozen=True, slots=True)
class QuantityChange:
    """One quantity of one case in two runs; p is adjusted for all cases and quantities, None where nothing is tested.

    better, worse: the difference is no chance, and for what launches tell also beyond `same_within`. `worse_by` is
    the least by which it is worse, at 95 % confidence: a fraction of the base, or of the samples; below zero where
    it may be better, None where nobody knows. `left_out` is how many launches of both sides do not count, since they
    were disturbed; `bases` how many base runs it is held against, of several whose geometric mean is `base`.
    """

    case: str
    quantity: Quantity
    base: float
    new: float
    verdict: Verdict
    p: float | None = None
    worse_by: float | None = None
    left_out: int = 0
    bases: int = 1

    def __str__(self) -> str:
        show = self.quantity.text
        told: str = self.verdict
        if self.left_out:
            told += f", without {counted(self.left_out, 'disturbed launch', 'disturbed launches')}"
        return f"{self.case}: {self.quantity.label} {show(self.base)} -> {show(self.new)} ({told})"


def compare_quantities(bases: Sequence[Run], new: Run, *, same_within: float = 0.03) -> tuple[QuantityChange, ...]:
    """All quantities that have a test, of the cases that both sides measured, in the order of the table.

    In at most 5 % of whole comparisons in which nothing has changed is anything called better or worse: each quantity
    has its share of that (Bonferroni), and its cases are judged together. By launches: as latency is, without those
    that were disturbed, and by the spread of three and more base runs that have the case alike. All else is held
    against the last base. What launches tell is neither better nor worse of another file, size of inputs or tool, nor
    is a time of a device that was faster or slower itself, by its canaries. Exact: a difference needs no test. Paired:
    McNemar over the samples, which must be the same, with Holm's correction. Raises InputError for a `same_within` that
    is no share.
    """
    checked_share(same_within, "same_within")
    sides, now = tuple(map(_Side.of, bases)), _Side.of(new)
    by_canary = speeds([run.canaries for run in bases], new.canaries)
    old = sides[-1].rows
    found: list[QuantityChange] = []
    for quantity in TESTED:
        known = _known(quantity, old, now.rows)
        match quantity.test:
            case "launches":
                told = _by_launches(quantity, known, sides, now, same_within)
                found += [_unless_explained(change, sides[-1], now, by_canary) for change in told]
            case "exact":
                found += [_exact(case, quantity, *pair) for case, pair in known.items()]
            case "paired":
                found += _paired(quantity, known, old, now.rows)
            case None:
                raise AssertionError(quantity.name)
    return tuple(found)


def _known(quantity: Quantity, old: Rows, now: Rows) -> dict[str, tuple[float, float]]:
    """What the cases that both runs measured have in both, in the base's order."""
    column = quantity.case_column
    both = {case: (row.get(column), now[case].get(column)) for case, row in old.items() if case in now}
    return {case: (float(b), float(n)) for case, (b, n) in both.items() if pd.notna(b) and pd.notna(n)}


def _verdict(quantity: Quantity, base: float, new: float, *, differs: bool) -> Verdict:
    if base == new:
        return "same"
    if not differs:
        return "cannot tell"
    return "better" if (new > base) == (quantity.better == "higher") else "worse"


def _exact(case: str, quantity: Quantity, base: float, new: float) -> QuantityChange:
    by = new / base - 1 if base else None
    return QuantityChange(case, quantity, base, new, _verdict(quantity, base, new, differs=True), worse_by=by)


@dataclass(frozen=True, slots=True)
class _Side:
    """What a run measured: its cases, their launches that count by case and mode, and how many were disturbed."""

    rows: Rows
    counted: Mapping[tuple[str, str], Sequence[Outcome]]
    disturbed: Mapping[tuple[str, str], int]

    @classmethod
    def of(cls, run: Run) -> _Side:
        every: dict[str, list[Outcome]] = {}
        for outcome in run.outcomes:
            every.setdefault(outcome.case, []).append(outcome)
        disturbed = run.disturbances
        return cls(
            {str(row["case"]): row for _, row in run.cases.iterrows() if measured(row)},
            {
                (case, purpose): [o for o in launches if o.trial not in disturbed]
                for case, outcomes in every.items()
                for purpose, launches in counted_by_purpose(outcomes, disturbed).items()
            },
            Counter((o.case, o.purpose) for o in run.outcomes if o.status == "ok" and o.trial in disturbed),
        )

    def samples(self, quantity: Quantity, case: str) -> list[float]:
        return quantity.samples(self.counted.get((case, quantity.purpose), ()))

    def left_out(self, quantity: Quantity, case: str) -> int:
        return self.disturbed.get((case, quantity.purpose), 0)

    def middle(self, quantity: Quantity, case: str) -> float:
        """Of the launches that count; 0, which has no ratio to anything, where none of them has it."""
        return quantity.of_case(self.counted.get((case, quantity.purpose), ())) or 0.0

    def alike(self, quantity: Quantity, case: str, new: _Side) -> bool:
        """Whether both measured a case with one file and tool, on one executor, and have a ratio of this quantity."""
        mine, theirs = self.rows.get(case), new.rows[case]
        if mine is None or another(mine, theirs) or mine["executor"] != theirs["executor"]:
            return False
        return min(side.middle(quantity, case) for side in (self, new)) > 0


def _by_launches(
    quantity: Quantity, known: Pairs, bases: Sequence[_Side], new: _Side, same_within: float
) -> list[QuantityChange]:
    alike = {
        case: tuple(place for place, base in enumerate(bases) if base.alike(quantity, case, new)) for case in new.rows
    }
    ways = judged_together({case: runs for case, runs in alike.items() if case in known or len(runs) >= LEAST_RUNS})
    total = sum(map(len, ways.values()))
    found: list[QuantityChange] = []
    for runs, cases in ways.items():
        level = LEVEL / len(TESTED) * len(cases) / total
        if runs:
            found += _by_runs(quantity, cases, [bases[place] for place in runs], new, same_within, level)
        else:
            pairs = {case: known[case] for case in cases}
            found += _by_last(quantity, pairs, (bases[-1], new), same_within, level)
    order = {case: place for place, case in enumerate(new.rows)}
    return sorted(found, key=lambda change: order[change.case])


def _unless_explained(change: QuantityChange, base: _Side, new: _Side, by_canary: Speeds) -> QuantityChange:
    """What is told of a case, where nothing else than the case itself is another; as of latency."""
    if change.verdict == "same":
        return change
    row = new.rows[change.case]
    of_device = change.quantity.unit in (MILLISECONDS, SECONDS) and other_speed(row, by_canary)
    if of_device or (change.bases == 1 and another(base.rows[change.case], row)):
        return replace(change, verdict="cannot tell", p=None)
    return change


def _by_runs(
    quantity: Quantity, cases: Sequence[str], bases: Sequence[_Side], new: _Side, same_within: float, level: float
) -> list[QuantityChange]:
    """Against the spread of runs that all measured these cases."""
    middles = np.array([[base.middle(quantity, case) for case in cases] for base in bases])
    news = [new.middle(quantity, case) for case in cases]
    devices = [str(new.rows[case]["device"]) for case in cases]
    ratios = compare_runs(middles, np.array(news), devices, same_within=same_within, level=level)
    typical = np.exp(np.log(middles).mean(axis=0)).tolist()
    left_out = [sum(side.left_out(quantity, case) for side in (*bases, new)) for case in cases]
    return [
        replace(_of_ratio(case, quantity, pair, ratio, level), left_out=left, bases=len(bases))
        for case, pair, ratio, left in zip(cases, zip(typical, news, strict=True), ratios, left_out, strict=True)
    ]


def _by_last(
    quantity: Quantity, known: Pairs, sides: tuple[_Side, _Side], same_within: float, level: float
) -> list[QuantityChange]:
    """Against the launches of one run."""
    able: dict[str, Pair] = {}
    for case in known:
        base, new = (side.samples(quantity, case) for side in sides)
        if base and new and min(*base, *new) > 0 and ratio_interval(base, new):
            able[case] = base, new
    level *= level_of(side.rows[case] for side in sides for case in able) / LEVEL
    ratios = compare_all(list(able.values()), same_within=same_within, level=level)
    told = {
        case: _of_ratio(case, quantity, known[case], ratio, level) for case, ratio in zip(able, ratios, strict=True)
    }
    others = {
        case: QuantityChange(case, quantity, *pair, _verdict(quantity, *pair, differs=False))
        for case, pair in known.items()
        if case not in told
    }
    return [
        replace(change, left_out=sum(side.left_out(quantity, case) for side in sides))
        for case, change in (told | others).items()
    ]


def _of_ratio(case: str, quantity: Quantity, pair: tuple[float, float], ratio: Ratio, level: float) -> QuantityChange:
    """By a ratio that was judged at a level; its p is made one among all cases and quantities."""
    verdict = _verdict(quantity, *pair, differs=ratio.verdict in {"faster", "slower"})
    verdict = "same" if ratio.verdict == "same" else verdict
    by = ratio.interval.low - 1 if ratio.interval else None
    p = None if ratio.p is None else min(1.0, ratio.p * LEVEL / level)
    return QuantityChange(case, quantity, *pair, verdict, p, by)


def _paired(quantity: Quantity, known: Pairs, old: Rows, now: Rows) -> list[QuantityChange]:
    tests = {case: _same_samples(old[case], now[case]) for case in known}
    tested = sorted((change.p, case) for case, change in tests.items() if change is not None)
    adjusted: dict[str, float] = {}
    least = 0.0
    for rank, (p, case) in enumerate(tested):  # Holm 1979
        least = max(least, min(1.0, p * (len(tested) - rank) * len(TESTED)))
        adjusted[case] = least
    found = []
    for case, change in tests.items():
        of_all = adjusted.get(case)
        verdict = _verdict(quantity, *known[case], differs=of_all is not None and of_all <= LEVEL)
        by = None if change is None else -change.high / 100
        found.append(QuantityChange(case, quantity, *known[case], verdict, of_all, by))
    return found


def _same_samples(base: pd.Series, new: pd.Series) -> Change | None:
    """The change over the samples that both sides were asked; None where those are not known to be the same."""
    if base.get("accuracy_dataset") != new.get("accuracy_dataset") or base["accuracy_n"] != new["accuracy_n"]:
        return None
    right = base.get("accuracy_correct"), new.get("accuracy_correct")
    try:
        flags = [unpacked(str(digits), int(base["accuracy_n"])) for digits in right]
    except ValueError:  # digits that no benchbench wrote
        return None
    return paired(*flags)
