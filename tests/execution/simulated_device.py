"""A device that makes what is due, with times that are stated: for what a run does next."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from benchbench.execution.passes import passes
from benchbench.plan import Plan
from benchbench.values.case import Trial
from benchbench.values.measurement_settings import MeasurementSettings
from benchbench.values.outcome import Delegation, Measurement, Outcome, Timings
from benchbench.values.stop import Stop
from tests.plans import matrix, planned

CASES = tuple(f"host/net.{scheme}/{kind}/t1" for scheme in ("float32", "int8") for kind in ("cpu", "xnnpack"))
Time = Callable[[Trial], float | None]  # of a launch, in milliseconds; None = it fails


def asked(**measure: Any) -> Plan:
    return planned(matrix(threads=(1,), measure=MeasurementSettings(**measure)))


def noisy(levels: dict[str, float], cv: float | dict[str, float], seed: int = 1) -> Time:
    """Each case about a level of its own; the same trial always takes the same time."""

    def time(trial: Trial) -> float:
        width = cv if isinstance(cv, float) else cv.get(trial.case.id, 0.0)
        return levels.get(trial.case.id, 10.0) * (1 + width * random.Random(f"{seed}/{trial.id}").gauss(0, 1))

    return time


def outcome_of(trial: Trial, ms: float | None, why: str | None = None, init_ms: float | None = None) -> Outcome:
    """`why` its delegate cannot be had."""
    kind = trial.case.delegate.kind
    took = Delegation(asked=kind, verdict="none" if kind == "cpu" else "full", fallback="cpu")
    if why is not None:
        took = Delegation(asked=kind, verdict="unavailable", evidence=why)
    init = None if init_ms is None else 1000 * init_ms
    timings = Timings() if ms is None else Timings(median=1000 * ms, mean=1000 * ms, init=init)
    return Outcome(
        trial=trial.id,
        case=trial.case.id,
        device="host",
        variant=trial.case.variant.id,
        round=trial.round,
        position=trial.position,
        purpose=trial.purpose,
        status="failed" if ms is None else "ok",
        measurement=Measurement(timings=timings),
        delegation=took,
        wall_s=2.0,
    )


@dataclass
class Device:
    """Makes what is due; all that it keeps is what a journal would."""

    plan: Plan
    time: Time
    unfit: dict[str, str] = field(default_factory=dict)
    unavailable: Callable[[Trial], str | None] = lambda _: None
    init: Time = lambda _: None
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    stops: dict[str, Stop] = field(default_factory=dict)

    def go_on(self, at_most: int = 10**6) -> list[str]:
        """The trials made, in order."""
        made: list[str] = []
        done = set(self.outcomes)
        for due in passes(self.plan.of("host"), self.plan.measure, self.outcomes, done, self.unfit):
            self.stops |= {stop.case: stop for stop in due.stops}
            for trial in due.trials:
                if len(made) == at_most:
                    return made
                told = self.time(trial), self.unavailable(trial), self.init(trial)
                self.outcomes[trial.id] = outcome_of(trial, *told)
                done.add(trial.id)
                made.append(trial.id)
        return made

    @property
    def kinds(self) -> dict[str, str]:
        return {case: stop.kind for case, stop in self.stops.items()}

    @property
    def launches(self) -> Counter[str]:
        return Counter(outcome.case for outcome in self.outcomes.values() if outcome.timed)
