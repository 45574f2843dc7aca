"""Why a case has no further rounds."""

from __future__ import annotations

from typing import Literal

from benchbench.values.device import Frozen

StopKind = Literal["unavailable", "precise", "best", "cannot win", "failing", "max_rounds", "budget_minutes"]


class Stop(Frozen):
    """The end of a case's rounds: after how many, and why, in words."""

    case: str
    kind: StopKind
    rounds: int
    text: str

    def ends(self, number: int, *, timed: bool) -> bool:
        """Whether a trial of its case is not made: one of a later round, or any other where its delegate is missing."""
        return number > self.rounds if timed else self.kind == "unavailable"
