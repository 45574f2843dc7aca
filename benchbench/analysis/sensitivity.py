"""What a plan can tell: the smallest change between two runs of it that `compare` would find."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchbench.analysis.familywise import LEVEL, LEVEL_BY_NEED, POWER, detectable_change
from benchbench.analysis.stopping import student_half_width
from benchbench.plan import Plan
from benchbench.values.errors import InputError
from benchbench.values.formatting import counted, percent
from benchbench.values.measurement_settings import FEWEST_PRECISE, MeasurementSettings

if TYPE_CHECKING:
    from benchbench.analysis.frames import Run  # pandas: a plan without an earlier run does not need it

ASSUMED_NOISE = 0.03  # CV of the launches of a case: as on an idle device
FEWEST_TO_COMPARE = 4  # launches a side


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """The change of one case, a fraction, that is found in 80 % of comparisons; None: so few rounds cannot tell any.

    `noise` is the CV of the launches of a case, a fraction, and `source` who says so; `rounds` are those of each case.
    """

    change: float | None
    noise: float
    source: str
    rounds: int
    cases: int

    def __str__(self) -> str:
        noise = f"launches that vary by {percent(self.noise, 1)} (CV, {self.source})"
        if self.change is None:
            rounds = counted(self.rounds, "round")
            return f"two runs of {rounds} cannot tell any change: {FEWEST_TO_COMPARE} rounds are the least"
        return (
            f"two runs of this plan, with {noise} and {self.rounds} rounds: a change of {percent(self.change, 1)} "
            f"in one of {counted(self.cases, 'case')} would be found ({percent(POWER)} of the time)"
        )


def sensitivity(plan: Plan, noise: float | None = None, earlier: Run | None = None) -> Sensitivity:
    """By a stated noise, or by that of an earlier run's cases, or else by an assumed one. Raises InputError."""
    if noise is not None:
        source = "stated"
    elif earlier is not None:
        noise, source = _noise_of(earlier, {case.id for case in plan.cases}), f"as in {earlier.folder.name}"
    else:
        noise, source = ASSUMED_NOISE, "assumed: --noise or --like says another"
    rounds, cases = expected_rounds(plan.measure, noise), len(plan.cases)
    level = LEVEL_BY_NEED if plan.measure.adaptive else LEVEL
    change = detectable_change(noise, rounds, cases, level=level) if rounds >= FEWEST_TO_COMPARE else None
    return Sensitivity(change, noise, source, rounds, cases)


def expected_rounds(measure: MeasurementSettings, noise: float) -> int:
    """How many rounds a case of such noise has; in a race those that all have."""
    if measure.precision is None or measure.goal is not None:
        return measure.rounds
    fewest = max(measure.rounds, FEWEST_PRECISE)
    deviation = math.sqrt(math.log1p(noise**2))
    enough = (n for n in range(fewest, measure.most_rounds) if student_half_width(deviation, n) <= measure.precision)
    return next(enough, measure.most_rounds)


def _noise_of(run: Run, cases: set[str]) -> float:
    """The median CV of the cases that the plan has, too, or of all where it has none of them."""
    known = run.cases[run.cases["between_cv"].notna() & run.cases["headline"]]
    alike = known[known["case"].isin(cases)]
    if known.empty:
        raise InputError(
            f"{run.folder}: no case of it has launches that could tell noise", remedy="state it: --noise 3%"
        )
    return float((alike if len(alike) else known)["between_cv"].median())
