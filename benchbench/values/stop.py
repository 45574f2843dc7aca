"""Why a case has no further rounds."""

from __future__ import annotations

from typing import Literal

from benchbench.values.device import Frozen

StopKind = Literal["unavailable", "precise", "best", "cannot win", "failing", "max_rounds", "budget_minutes"]


class Stop(Frozen):
    """The end of a case's rounds before the last of them: after how many, and why, in words."""

    case: str
    kind: StopKind
    rounds: int
    text: str
