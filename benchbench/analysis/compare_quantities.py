"""Two runs beside their latency: initialisation, memory, size and accuracy, each by its own kind of test."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from benchbench.accuracy.metrics import Change, paired, unpacked
from benchbench.analysis.cases import counted_launches
from benchbench.analysis.familywise import LEVEL, Pair, compare_all
from benchbench.analysis.frames import Run
from benchbench.analysis.intervals import checked_share, ratio_interval
from benchbench.values.formatting import counted
from benchbench.values.outcome import Outcome
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
    it may be better, None where nobody knows. `left_out` is how many launches of both runs do not count, since they
    were disturbed.
    """

    case: str
    quantity: Quantity
    base: float
    new: float
    verdict: Verdict
    p: float | None = None
    worse_by: float | None = None
    left_out: int = 0

    def __str__(self) -> str:
        show = self.quantity.text
        told: str = self.verdict
        if self.left_out:
            told += f", without {counted(self.left_out, 'disturbed launch', 'disturbed launches')}"
        return f"{self.case}: {self.quantity.label} {show(self.base)} -> {show(self.new)} ({told})"


def compare_quantities(base: Run, new: Run, *, same_within: float = 0.03) -> tuple[QuantityChange, ...]:
    """All quantities that have a test, of the cases that both runs measured, in the order of the table.

    In at most 5 % of whole comparisons in which nothing has changed is anything called better or worse: each quantity
    has its share of that (Bonferroni), and its cases are judged together. By launches: as latency is, without those
    that were disturbed. Exact: a difference needs no test. Paired: McNemar over the samples, which must be the same,
    with Holm's correction. Raises InputError for a `same_within` that is no share.
    """
    checked_share(same_within, "same_within")
    old, now = _measured(base), _measured(new)
    found: list[QuantityChange] = []
    for quantity in TESTED:
        known = _known(quantity, old, now)
        match quantity.test:
            case "launches":
                found += _by_launches(quantity, known, (_Launches.of(base), _Launches.of(new)), same_within)
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


@dataclass(frozen=True, slots=True)
class _Launches:
    """The launches of a run by case that count, and how many do not since they were disturbed."""

    counted: Mapping[str, Sequence[Outcome]]
    left_out: Mapping[str, int]

    @classmethod
    def of(cls, run: Run) -> _Launches:
        timed: dict[str, list[Outcome]] = {}
        for outcome in run.outcomes:
            if outcome.timed:
                timed.setdefault(outcome.case, []).append(outcome)
        disturbed = run.disturbances
        return cls(
            {
                case: [o for o in counted_launches(outcomes, disturbed) if o.trial not in disturbed]
                for case, outcomes in timed.items()
            },
            Counter(o.case for o in run.outcomes if o.timed and o.status == "ok" and o.trial in disturbed),
        )


def _by_launches(
    quantity: Quantity, known: Pairs, sides: tuple[_Launches, _Launches], same_within: float
) -> list[QuantityChange]:
    able: dict[str, Pair] = {}
    for case in known:
        base, new = (quantity.samples(side.counted.get(case, ())) for side in sides)
        if base and new and min(*base, *new) > 0 and ratio_interval(base, new):
            able[case] = base, new
    left_out = {case: sum(side.left_out.get(case, 0) for side in sides) for case in known}
    ratios = compare_all(list(able.values()), same_within=same_within, level=LEVEL / len(TESTED))
    found = []
    for case, ratio in zip(able, ratios, strict=True):
        verdict = _verdict(quantity, *known[case], differs=ratio.verdict in {"faster", "slower"})
        verdict = "same" if ratio.verdict == "same" else verdict
        by = ratio.interval.low - 1 if ratio.interval else None
        p = _for_all(ratio.p)
        found.append(QuantityChange(case, quantity, *known[case], verdict, p, by, left_out[case]))
    others = [(case, _verdict(quantity, *known[case], differs=False)) for case in known if case not in able]
    return found + [
        QuantityChange(case, quantity, *known[case], verdict, left_out=left_out[case]) for case, verdict in others
    ]


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
