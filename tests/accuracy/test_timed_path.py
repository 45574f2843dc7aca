"""Outputs count only where they come from the path that was timed."""

from __future__ import annotations

from benchbench.accuracy.scoring import off_the_timed_path
from benchbench.values.outcome import Delegation, Outcome, Verdict


def test_outputs_that_did_not_come_from_the_timed_path_are_not_scored() -> None:
    def outcome(purpose: str, verdict: Verdict) -> Outcome:
        delegation = Delegation(asked="gpu", verdict=verdict)
        names = {"trial": f"c/{purpose}", "case": "c", "device": "d", "variant": "v"}
        return Outcome(**names, round=1, position=1, purpose=purpose, status="ok", delegation=delegation)

    timed = outcome("latency", "full")
    assert off_the_timed_path(outcome("accuracy", "full"), [timed]) is None
    assert off_the_timed_path(outcome("accuracy", "none"), []) is None
    refused = off_the_timed_path(outcome("accuracy", "none"), [timed])
    assert refused is not None
    assert refused.status == "failed"
    assert refused.error == "outputs did not come from the path that was timed: their delegation is none, timed: full"
