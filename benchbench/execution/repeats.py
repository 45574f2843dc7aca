"""Disturbed launches of a device are measured again, once it has cooled and its canary is as usual."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from benchbench.analysis.disturbances import Disturbance, canaries_of, disturbances
from benchbench.execution.worker import Worker
from benchbench.values.case import Trial
from benchbench.values.errors import BenchbenchError
from benchbench.values.measurement_settings import Cooldown, MeasurementSettings
from benchbench.values.outcome import Outcome

WAITED_FOR = Cooldown(above_idle_c=5, at_most_seconds=60)  # where the matrix says nothing of heat
LOOKS = 5  # at the canary, spread over the time that a cool-down may take


@dataclass(frozen=True, slots=True)
class Again:
    """A trial that comes after the rounds: a further canary, or one that was disturbed before, as `repeated` says."""

    trial: Trial
    repeated: tuple[str, ...] = ()


def repeats(
    worker: Worker, trials: Sequence[Trial], known: Mapping[str, Outcome], measure: MeasurementSettings
) -> Iterator[Again]:
    """What is to be measured again of a device's trials; `known` are its outcomes so far, in the order of their ends.

    The outcome of each must be known before the next is asked for. A device that stays warm, or that its canary calls
    slow, is not measured again.
    """
    gate = measure.cooldown or WAITED_FOR
    for _ in range(measure.repeat_disturbed):
        wanted = _within_budget(_disturbed(trials, known, measure), known, measure)
        if not wanted or not _has_cooled(worker, gate):
            return
        canaries = {trial.case.id: trial for trial in trials if not trial.of_matrix}.values()
        number = max((outcome.round for outcome in known.values() if not outcome.of_matrix), default=0) + 1
        if canaries:
            for look in range(LOOKS):
                once_more = [canary.model_copy(update={"round": number + look}) for canary in canaries]
                yield from map(Again, once_more)
                if all(usual(trial.id, known) for trial in once_more):
                    break
                if worker.session.cancelled.wait(gate.at_most_seconds / LOOKS):
                    return
            else:
                return
            number += LOOKS
        for trial, why in wanted:
            yield Again(trial, (*known[trial.id].repeated, why.text))
        for canary in canaries:
            yield Again(canary.model_copy(update={"round": number}))


def _disturbed(
    trials: Sequence[Trial], known: Mapping[str, Outcome], measure: MeasurementSettings
) -> list[tuple[Trial, Disturbance]]:
    found = disturbances(tuple(known.values()), measure.cooldown)
    return [(trial, found[trial.id]) for trial in trials if trial.id in found and known[trial.id].status == "ok"]


def _within_budget(
    wanted: list[tuple[Trial, Disturbance]], known: Mapping[str, Outcome], measure: MeasurementSettings
) -> list[tuple[Trial, Disturbance]]:
    """As many of them, from the first, as end within `budget_minutes` if each takes as long as before."""
    if measure.budget_minutes is None:
        return wanted
    spent_s = sum(outcome.device_s for outcome in known.values() if outcome.timed)
    ends_s = accumulate((known[trial.id].device_s for trial, _ in wanted), initial=spent_s)
    return [one for one, end_s in zip(wanted, list(ends_s)[1:], strict=True) if end_s <= 60 * measure.budget_minutes]


def _has_cooled(worker: Worker, gate: Cooldown) -> bool:
    """A device that cannot be asked is not measured again either."""
    try:
        return worker.cooled(gate)
    except BenchbenchError:
        return False


def usual(canary: str, known: Mapping[str, Outcome]) -> bool:
    """Whether a canary is as far from its device's median as others may be; one that failed tells nothing."""
    if canary not in known or known[canary].status != "ok":
        return True
    every = canaries_of(tuple(known.values())).values()
    return all(canary not in canaries.off for of_device in every for canaries in of_device)
