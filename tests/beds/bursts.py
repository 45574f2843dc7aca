"""A dummy mode: three launches of each case after the rounds, with a quantity of its own that latency does not have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchbench.config.matrix import Matrix
from benchbench.modes.base import Attempt, Launches
from benchbench.modes.launch import launch
from benchbench.values.case import Case
from benchbench.values.device import RunnerKind
from benchbench.values.outcome import Outcome


@dataclass(frozen=True, slots=True)
class Bursts:
    name: str = "bursts"
    among_rounds: bool = False

    def passes(self, matrix: Matrix) -> Sequence[int]:
        return (1, 2, 3)

    def cases(self, cases: Sequence[Case], matrix: Matrix) -> Sequence[Case]:
        return cases

    def launches(self, case: Case, matrix: Matrix, runner: RunnerKind) -> Launches | None:
        return None

    def perform(self, attempt: Attempt) -> Outcome:
        outcome = launch(attempt, attempt.spec)
        return outcome.model_copy(update={"quantities": outcome.quantities | {"burst_hz": 100.5 + attempt.trial.round}})

    def headline(self, outcome: Outcome) -> str:
        return f"{outcome.quantities['burst_hz']:g} bursts a second"
