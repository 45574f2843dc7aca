"""What a mode is: which trials it plans, how one of them is made, and what is said of it in a line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from benchbench.accuracy.collect.launch_sequence import Progress
from benchbench.accuracy.shards import Shards
from benchbench.config.matrix import Matrix
from benchbench.device.session import Session
from benchbench.instruments import INSTRUMENTS
from benchbench.instruments.base import Instrument
from benchbench.run_folder.journal import Journal
from benchbench.runtimes.tool import LaunchSpec, Runner
from benchbench.values.case import Case, Trial
from benchbench.values.device import RunnerKind
from benchbench.values.measurement_settings import MeasurementSettings
from benchbench.values.outcome import Outcome


@dataclass(frozen=True, slots=True)
class RunContext:
    """What all trials of a run share; `samples` are the inputs to take outputs for, by variant.

    Through benchmark_model not more than `native_samples` of them are taken.
    """

    measure: MeasurementSettings
    journal: Journal
    samples: Mapping[str, Shards]
    native_samples: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt at a trial: the open session, the tool, and the launch that the case itself asks for.

    `progress` hears of samples evaluated.
    """

    trial: Trial
    context: RunContext
    session: Session
    runner: Runner
    spec: LaunchSpec
    progress: Progress
    instruments: Sequence[Instrument] = INSTRUMENTS


@dataclass(frozen=True, slots=True)
class Launches:
    """How many launches a trial takes that is not one timed launch."""

    least: int
    most: int


class Mode(Protocol):
    """One file each; `name` is what trials and outcomes record as their purpose."""

    @property
    def name(self) -> str: ...

    @property
    def among_rounds(self) -> bool:
        """Whether its passes come in turn with the rounds, by their numbers; the others come after all of them."""

    def passes(self, matrix: Matrix) -> Sequence[int]:
        """The numbers of its passes over the cases of a device; 0 for launches that belong to no round."""

    def cases(self, cases: Sequence[Case], matrix: Matrix) -> Sequence[Case]:
        """Which of these, all cases of one device that run, it has a trial of in each pass, or others for them."""

    def launches(self, case: Case, matrix: Matrix, runner: RunnerKind) -> Launches | None:
        """How many launches a trial of the case takes with such a runner; None = one, timed like any other."""

    def perform(self, attempt: Attempt) -> Outcome:
        """Make the trial. Raises Unsupported, which is a skip, where the tool cannot, and as a session does."""

    def headline(self, outcome: Outcome) -> str:
        """What came out of a trial that went well, in few words."""
