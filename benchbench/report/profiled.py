"""What an op profile tells of a graph that a delegate took a part of: its share of the time, and the ops it left."""

from __future__ import annotations

from typing import Any

from benchbench.analysis.frames import Run
from benchbench.values.formatting import tallied
from benchbench.values.outcome import Outcome, Profile


def shares_of_time(run: Run) -> dict[str, dict[str, Any]]:
    """By case: `time_share`, that of the delegate, and `ops_left` in words; of its first profiled launch."""
    found: dict[str, dict[str, Any]] = {}
    for outcome in run.outcomes:
        profile = outcome.measurement.profile
        if profile is not None and outcome.delegation.verdict == "partial" and outcome.case not in found:
            found |= {outcome.case: told} if (told := _told(outcome, profile)) else {}
    return found


def _told(outcome: Outcome, profile: Profile) -> dict[str, Any]:
    """Nothing where no row of the profile is the delegate's."""
    own = [op for op in profile.by_type if op.executor == outcome.delegation.asked]
    left = {op.type: round(op.calls) for op in profile.by_type if op.executor != outcome.delegation.asked}
    return {"time_share": sum(op.percent for op in own) / 100, "ops_left": tallied(left)} if own and left else {}
