"""When a case has no further round, and why: its delegate cannot be had, or it has been measured often enough.

Often enough is by precision, by a race, or by what it may cost.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from statistics import fmean, median, stdev

from scipy import special

from benchbench.analysis.cases import common_verdict, counted_launches, ran, stands
from benchbench.analysis.disturbances import disturbances
from benchbench.analysis.intervals import CONFIDENCE_BY_NEED, median_interval, ratio_of
from benchbench.analysis.race import INDIFFERENCE, beaten
from benchbench.values import formatting
from benchbench.values.case import Case
from benchbench.values.measurement_settings import FEWEST_PRECISE, MeasurementSettings
from benchbench.values.outcome import Outcome, common_statistic
from benchbench.values.quantities import LATENCY_MS, race_quantity
from benchbench.values.stop import Stop, StopKind

TRIES = 2  # launches that say alike why a delegate cannot be had
_ZONE = formatting.percent(INDIFFERENCE)
Reason = tuple[StopKind, str]


@dataclass(frozen=True)
class SoFar:
    """What is known of the cases of one device after so many rounds, by the last outcome of every trial.

    `unfit` are cases that cannot win whatever their time, and why.
    """

    cases: Sequence[Case]
    outcomes: Sequence[Outcome]
    rounds: int
    measure: MeasurementSettings
    unfit: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def launches(self) -> dict[str, list[Outcome]]:
        """The launches of the rounds by case, whatever came of them."""
        found: dict[str, list[Outcome]] = {case.id: [] for case in self.cases}
        for outcome in self.outcomes:
            if outcome.timed and outcome.round <= self.rounds and outcome.case in found:
                found[outcome.case].append(outcome)
        return found

    @cached_property
    def disturbed(self) -> frozenset[str]:
        seen = [outcome for outcome in self.outcomes if outcome.round <= self.rounds]
        return frozenset(disturbances(seen, self.measure.cooldown))

    def times(self, case: str) -> dict[int, float]:
        """The latencies behind the case's number, in microseconds by round."""
        counted = counted_launches(self.launches[case], self.disturbed)
        statistic = common_statistic([outcome.measurement.timings for outcome in counted])
        known = [(outcome.round, outcome.measurement.timings.by(statistic)) for outcome in counted]
        return {number: time for number, time in known if time is not None}

    def racing(self, case: str) -> dict[int, float]:
        """What a case races by, by round: its times, or what `best_by` names, and of what is better higher 1 by it."""
        by = race_quantity(self.measure.best_by)
        if by == LATENCY_MS:
            return self.times(case)
        values = [(outcome.round, by.of(outcome)) for outcome in counted_launches(self.launches[case], self.disturbed)]
        above = {number: value for number, value in values if value is not None and value > 0}
        return above if by.better == "lower" else {number: 1 / value for number, value in above.items()}


def stops_after(known: SoFar, stopped: Mapping[str, Stop]) -> dict[str, Stop]:
    """Those of the cases not yet stopped that have no further round, by case.

    It goes by the outcomes alone, so that a run that is gone on with stops where it would have stopped.
    """
    measure, on = known.measure, [case for case in known.cases if case.id not in stopped]
    found = unavailable_after(known, [case.id for case in on]) if known.rounds < measure.most_rounds else {}
    if measure.adaptive and known.rounds >= measure.rounds:
        found |= _stops(known, _by_need(known, [case for case in on if case.id not in found]))
    return found


def unavailable_after(known: SoFar, cases: Iterable[str]) -> dict[str, Stop]:
    """Those of these cases whose delegate cannot be had, as far as is known: nothing more is launched of them."""
    return _stops(known, {case: reason for case in cases if (reason := _unavailable(known, case))})


def _stops(known: SoFar, found: Mapping[str, Reason]) -> dict[str, Stop]:
    return {case: Stop(case=case, kind=kind, rounds=known.rounds, text=why) for case, (kind, why) in found.items()}


def _unavailable(known: SoFar, case: str) -> Reason | None:
    """A delegate that cannot be had, in the same words of two launches, for no reason that may pass."""
    launches = known.launches[case]
    if len(launches) < TRIES or any(o.transient or o.delegation.verdict != "unavailable" for o in launches):
        return None
    said = {outcome.error or outcome.delegation.evidence for outcome in launches}
    if len(said) > 1 or None in said:
        return None
    return "unavailable", f"unavailable in {formatting.counted(len(launches), 'launch', 'launches')}: {said.pop()}"


def _by_need(known: SoFar, on: Sequence[Case]) -> dict[str, Reason]:
    """Cases that have had the rounds that all have, and need no more, or may not have them."""
    measure = known.measure
    found = {case.id: reason for case in on if (reason := _failing(known, case.id))}
    for family in dict.fromkeys(case.variant.family for case in on):
        left = [case for case in on if case.variant.family == family and case.id not in found]
        if measure.goal is not None:
            of_family = [case for case in known.cases if case.variant.family == family]
            found |= _race(known, left, len(of_family))
            left = [case for case in left if case.id not in found]
        if measure.precision is not None and (measure.goal is None or len(left) == 1):
            found |= {case.id: reason for case in left if (reason := _precise(known, case.id, measure.precision))}
    left = [case for case in on if case.id not in found]
    if reason := _too_long(known, left):
        found |= {case.id: reason for case in left}
    return found


def _failing(known: SoFar, case: str) -> Reason | None:
    """A case that has failed for as many rounds running as every case has is not tried again."""
    since = known.rounds - known.measure.rounds
    if any(outcome.status == "ok" for outcome in known.launches[case] if outcome.round > since):
        return None
    return "failing", f"no launch went well in {formatting.counted(known.measure.rounds, 'round')}"


def _race(known: SoFar, runners: Sequence[Case], field_size: int) -> dict[str, Reason]:
    """Those of a family that cannot win, and the winner where only that is left and its time need not be precise."""
    found = {case.id: reason for case in runners if (reason := _unfit(known, case))}
    by = race_quantity(known.measure.best_by)
    better, what = ("faster", "time") if by == LATENCY_MS else ("better", by.case_column)
    numbers = {case.id: known.racing(case.id) for case in runners if case.id not in found}
    untold = [case for case, told in numbers.items() if not told and known.times(case)]
    found |= dict.fromkeys(untold, ("cannot win", f"no launch tells its {what}"))
    for loser, winner in beaten(numbers, field_size).items():
        worse = ratio_of(list(numbers[winner].values()), list(numbers[loser].values()))
        had = formatting.ratio(worse if by.better == "lower" else 1 / worse)
        than = f"{winner.partition('/')[2]}, at {had} its {what}"
        found[loser] = "cannot win", f"not more than {_ZONE} {better} than {than}"
    left = [case.id for case in runners if case.id not in found]
    if len(left) == 1 and known.measure.precision is None:
        found[left[0]] = "best", f"no other case may still be more than {_ZONE} {better}"
    return found


def _unfit(known: SoFar, case: Case) -> Reason | None:
    if why := known.unfit.get(case.id):
        return "cannot win", why
    outcomes = known.launches[case.id]
    counted = counted_launches(outcomes, known.disturbed)
    if not counted or any(outcome.trial in known.disturbed for outcome in counted):
        return None
    if stands(case.delegate.kind, common_verdict(outcomes), counted, known.disturbed):
        return None
    return "cannot win", f"ran on {ran(counted[0])}"


def _precise(known: SoFar, case: str, precision: float) -> Reason | None:
    times = list(known.times(case).values())
    half = half_width(times)
    if half is None or half > precision:
        return None
    return "precise", f"± {formatting.percent(half, 1)} after {formatting.counted(len(times), 'launch', 'launches')}"


def half_width(times: Sequence[float]) -> float | None:
    """Half the interval of a median as a share of it, for whoever stops by it; None below eight launches.

    The interval of order statistics is short by chance now and then. So the one by the standard deviation of the logs
    (Student's t; a median varies by sqrt(pi / 2) more than a mean) must be as short, and the longer one is returned.
    """
    interval = median_interval(times, by_need=True)
    if interval is None or len(times) < FEWEST_PRECISE:
        return None
    by_order = (interval.high - interval.low) / 2 / median(times)
    return max(by_order, student_half_width(stdev(map(math.log, times)), len(times)))


def student_half_width(deviation: float, launches: int) -> float:
    """Half the interval of a median by the standard deviation of the logs of so many launches."""
    quantile = float(special.stdtrit(launches - 1, (1 + CONFIDENCE_BY_NEED) / 2))
    return quantile * deviation * math.sqrt(math.pi / 2 / launches)


def _too_long(known: SoFar, left: Sequence[Case]) -> Reason | None:
    """Why none of the cases has another round: there have been as many as there may be, or no time is left for one."""
    measure = known.measure
    if known.rounds >= measure.most_rounds:
        return "max_rounds", f"{known.rounds} rounds are the most"
    if measure.budget_minutes is None:
        return None
    spent_s = sum(outcome.device_s for launches in known.launches.values() for outcome in launches)
    next_s = sum(
        fmean(outcome.device_s for outcome in known.launches[case.id]) for case in left if known.launches[case.id]
    )
    if spent_s + next_s <= 60 * measure.budget_minutes:
        return None
    return "budget_minutes", f"another round would not end within {measure.budget_minutes:g} minutes"
