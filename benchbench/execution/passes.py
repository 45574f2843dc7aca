"""What a device does next: the passes of its plan, less the cases that need no further round by what is known then."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from itertools import groupby

from benchbench.plan import Plan
from benchbench.values.case import Trial
from benchbench.values.measurement_settings import MeasurementSettings
from benchbench.values.outcome import Outcome
from benchbench.values.stop import Stop


@dataclass(frozen=True, slots=True)
class Pass:
    """The trials of a pass that are to be made, in their order; and the cases that were stopped before it."""

    trials: tuple[Trial, ...]
    stops: tuple[Stop, ...] = ()


def passes(
    trials: Sequence[Trial],
    measure: MeasurementSettings,
    outcomes: Mapping[str, Outcome],
    done: AbstractSet[str],
    unfit: Mapping[str, str],
) -> Iterator[Pass]:
    """The passes of one device's planned trials, each made out when it is asked for.

    `outcomes` has the last one of every trial, `done` the trials not to be made (again): both may grow from pass to
    pass, and nothing but them decides. `unfit` are cases that cannot win, and why. What comes last has stops alone.
    """
    # scipy: slow to import, and no trial is under way now
    from benchbench.analysis.stopping import SoFar, stops_after, unavailable_after

    cases = {trial.case.id: trial.case for trial in trials if trial.timed}
    stopped: dict[str, Stop] = {}
    last, held = 0, {0}  # rounds with any trial: a canary follows those alone

    def known_after(rounds: int) -> SoFar:
        return SoFar(tuple(cases.values()), tuple(outcomes.values()), rounds, measure, unfit)

    for (number, timed), of_pass in groupby(trials, lambda trial: (trial.round, trial.timed)):
        own, found = tuple(of_pass), {}
        if not timed:
            left = dict.fromkeys(t.case.id for t in own if t.case.id in cases and t.case.id not in stopped)
            found = unavailable_after(known_after(last), left)
        elif number > last:
            found, last = stops_after(known_after(number - 1), stopped), number
        stopped |= found
        stops = tuple(found.values())
        planned = [t for t in own if t.case.id not in stopped or not stopped[t.case.id].ends(number, timed=timed)]
        due = [t for t in planned if t.id not in done and (timed or t.of_matrix or number in held)]
        if timed and (due or any(trial.id in done for trial in planned)):
            held.add(number)
        yield Pass(tuple(due), stops)
    if last == measure.most_rounds:
        yield Pass((), tuple(stops_after(known_after(last), stopped).values()))


def due_trials(plan: Plan, outcomes: Mapping[str, Outcome], unfit: Mapping[str, str]) -> tuple[Trial, ...]:
    """The trials of a plan that are to be made by what is known now; there may be fewer when more is."""
    found: list[Trial] = []
    for device in plan.devices:
        known = {trial: outcome for trial, outcome in outcomes.items() if outcome.device == device}
        done = {trial for trial, outcome in known.items() if not outcome.transient}
        for due in passes(plan.of(device), plan.measure, known, done, unfit):
            found += due.trials
    return tuple(found)


def around_the_race(plan: Plan) -> tuple[Plan, Plan]:
    """The part of a plan that tells which cases may win, the rounds that all have and their outputs; and the rest."""
    first = [trial.round <= plan.measure.rounds for trial in plan.trials]
    before = tuple(trial for trial, early in zip(plan.trials, first, strict=True) if early)
    rest = tuple(trial for trial, early in zip(plan.trials, first, strict=True) if not early)
    return replace(plan, trials=before), replace(plan, trials=rest)
