"""Profile: where the time goes, op by op, in a launch of its own, since profiling slows what it looks at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from benchbench.config.matrix import Matrix
from benchbench.modes.base import Attempt, Launches
from benchbench.modes.caches import launch_with_cache
from benchbench.values.case import Case
from benchbench.values.device import RunnerKind
from benchbench.values.outcome import Outcome


@dataclass(frozen=True, slots=True)
class Profile:
    """One launch a case after all rounds; never a source of latency."""

    name: str = "profile"
    among_rounds: bool = False

    def passes(self, matrix: Matrix) -> Sequence[int]:
        return (0,) if matrix.measure.profile else ()

    def cases(self, cases: Sequence[Case], matrix: Matrix) -> Sequence[Case]:
        return cases

    def launches(self, case: Case, matrix: Matrix, runner: RunnerKind) -> Launches | None:
        return None

    def perform(self, attempt: Attempt) -> Outcome:
        return launch_with_cache(replace(attempt, spec=replace(attempt.spec, profile=True)))

    def headline(self, outcome: Outcome) -> str:
        return "profile"
