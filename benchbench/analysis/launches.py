"""The launches of one case, as its row and its doubts are made of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from benchbench.analysis.disturbances import Disturbance
from benchbench.values.outcome import Outcome, Statistic


@dataclass(frozen=True, slots=True)
class LaunchSequence:
    """The launches of one case, with what the plan says about it; `counted` are those behind its number."""

    outcomes: Sequence[Outcome]
    counted: Sequence[Outcome]
    kind: str | None = None  # of the delegate
    threads: int | None = None
    cores: int | None = None
    disturbed: Mapping[str, Disturbance] = field(default_factory=dict)  # by trial
    statistic: Statistic = "median"
    open_inputs: tuple[str, ...] = ()  # of the model, where nobody gave their sizes
    local: bool = False  # whether they ran on the host of benchbench itself

    @property
    def times(self) -> list[float]:
        """The latency of each counted launch, in microseconds."""
        return [time for o in self.counted if (time := o.measurement.timings.by(self.statistic)) is not None]
