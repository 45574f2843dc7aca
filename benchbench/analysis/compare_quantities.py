"""Two runs beside their latency: initialisation, memory, size and accuracy, each by its own kind of test."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from benchbench.accuracy.metrics import Change, paired, unpacked
from benchbench.analysis.familywise import LEVEL, Pair, compare_all
from benchbench.analysis.frames import Run
from benchbench.analysis.intervals import ratio_interval
from benchbench.values.quantities import QUANTITIES
from benchbench.values.quantity import Quantity

Verdict = Literal["better", "worse", "same", "cannot tell"]
Rows = Mapping[str, pd.Series]  # of the frame of cases, by case
Pairs = Mapping[str, tuple[float, float]]  # base and new, by case
TESTED = tuple(one for one in QUANTITIES if one.test is not None)


@dataclass(frozen=True, slots=True)
class QuantityChange:
    """One quantity of one case in two runs; p is adjusted for all cases and quantities, None where nothing is tested.

    better, worse: the difference is no chance, and for what launches tell also beyond `same_within`. `worse_by` is
    the least by which it is worse, at 95 % confidence: a fraction of the base, or of the samples; below zero where
    it may be better, None where nobody knows.
    """

    case: str
    quantity: Quantity
    base: float
    new: float
    verdict: Verdict
    p: float | None = None
    worse_by: float | None = None

    def __str__(self) -> str:
        show = self.quantity.text
        return f"{self.case}: {self.quantity.label} {show(self.base)} -> {show(self.new)} ({self.verdict})"


def compare_quantities(base: Run, new: Run, *, same_within: float = 0.03) -> tuple[QuantityChange, ...]:
    """All quantities that have a test, of the cases that both runs measured, in the order of the table.

    In at most 5 % of whole comparisons in which nothing has changed is anything called better or worse: each quantity
    has its share of that (Bonferroni), and its cases are judged together. By launches: as latency is. Exact: a
    difference needs no test. Paired: McNemar over the samples, which must be the same, with Holm's correction.
    """
    old, now = _measured(base), _measured(new)
    found: list[QuantityChange] = []
    for quantity in TESTED:
        known = _known(quantity, old, now)
        match quantity.test:
            case "launches":
                found += _by_launches(quantity, known, _launches(quantity, base), _launches(quantity, new), same_within)
            case "exact":
                found += [_exact(case, quantity, *pair) for case, pair in known.items()]
            case "paired":
                found += _paired(quantity, known, old, now)
            case None:
                raise AssertionError(quantity.name)
    return tuple(found)


def _measured(run: Run) -> Rows:
    return {str(row["case"]): row for _, row in run.cases.iterrows() if row["status"] == "ok"}


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


def _launches(quantity: Quantity, run: Run) -> dict[str, list[float]]:
    """What each launch of a round that went well had, by case."""
    timed: dict[str, list[float]] = {}
    for outcome in run.outcomes:
        value = quantity.of(outcome) if outcome.timed and outcome.status == "ok" else None
        if value is not None:
            timed.setdefault(outcome.case, []).append(value)
    return timed


def _by_launches(
    quantity: Quantity,
    known: Pairs,
    base: Mapping[str, list[float]],
    new: Mapping[str, list[float]],
    same_within: float,
) -> list[QuantityChange]:
    pairs: dict[str, Pair] = {case: (base[case], new[case]) for case in known if case in base and case in new}
    able = {case: pair for case, pair in pairs.items() if min(*pair[0], *pair[1]) > 0 and ratio_interval(*pair)}
    ratios = compare_all(list(able.values()), same_within=same_within, level=LEVEL / len(TESTED))
    found = []
    for case, ratio in zip(able, ratios, strict=True):
        verdict = _verdict(quantity, *known[case], differs=ratio.verdict in {"faster", "slower"})
        verdict = "same" if ratio.verdict == "same" else verdict
        by = ratio.interval.low - 1 if ratio.interval else None
        found.append(QuantityChange(case, quantity, *known[case], verdict, _for_all(ratio.p), by))
    others = [case for case in known if case not in able]
    unknown = [(case, _verdict(quantity, *known[case], differs=False)) for case in others]
    return found + [QuantityChange(case, quantity, *known[case], verdict) for case, verdict in unknown]


def _for_all(p: float | None) -> float | None:
    """A p-value among the cases of one quantity, as one among all quantities."""
    return None if p is None else min(1.0, p * len(TESTED))


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
