"""Latency: one timed launch of every case in each round."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchbench.config.matrix import Matrix
from benchbench.modes.base import Attempt, Launches
from benchbench.modes.caches import launch_with_cache
from benchbench.modes.tail import bound
from benchbench.values import formatting
from benchbench.values.case import LATENCY, Case
from benchbench.values.device import RunnerKind
from benchbench.values.outcome import Outcome


@dataclass(frozen=True, slots=True)
class Latency:
    """The rounds: what every headline number is made from."""

    name: str = LATENCY
    among_rounds: bool = True

    def passes(self, matrix: Matrix) -> Sequence[int]:
        return range(1, matrix.measure.most_rounds + 1)

    def cases(self, cases: Sequence[Case], matrix: Matrix) -> Sequence[Case]:
        return cases

    def launches(self, case: Case, matrix: Matrix, runner: RunnerKind) -> Launches | None:
        return None

    def perform(self, attempt: Attempt) -> Outcome:
        return with_tail(launch_with_cache(attempt))

    def headline(self, outcome: Outcome) -> str:
        typical = outcome.measurement.timings.typical
        return formatting.time(typical and typical / 1000)


TAIL = {"p90_ms": 0.9, "p99_ms": 0.99}


def with_tail(outcome: Outcome) -> Outcome:
    """The outcome, with bounds of percentiles where its tool told each inference and there are enough of them."""
    times = np.array(outcome.measurement.timings.samples)
    bounds = {name: bound(times, percentile) for name, percentile in TAIL.items()}
    known = {name: us / 1000 for name, us in bounds.items() if us is not None}
    return outcome.model_copy(update={"quantities": {**outcome.quantities, **known}})
