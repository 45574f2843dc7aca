"""Whether a device was as fast in one run as in the other: told by its canaries, in a comparison's doubts and line."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchbench.analysis.compare import compare
from benchbench.analysis.comparison_text import as_json, in_short
from benchbench.analysis.disturbances import Canaries
from benchbench.analysis.frames import Run, load
from benchbench.analysis.same_speed import speeds
from tests.analysis.test_disturbances import canary
from tests.report.builder import launches, write_run


def run(folder: Path, canary_ms: float, ms: float = 10.0) -> Run:
    times = [ms, ms * 1.01, ms * 0.99, ms, ms * 1.005]
    found = [o.model_copy(update={"device": "pixel8"}) for o in launches(times)]
    canaries = [canary(number, canary_ms * (1 + 0.001 * number)) for number in range(6)]
    return load(write_run(folder, [*found, *canaries]))


@pytest.mark.parametrize(
    ("canary_ms", "told"), [(1.02, "as fast as in the base"), (1.3, "30% slower than in the base")]
)
def test_a_comparison_says_whether_the_device_was_as_fast(tmp_path: Path, canary_ms: float, told: str) -> None:
    frame = compare(run(tmp_path / "a", 1.0), run(tmp_path / "b", canary_ms, 10 * canary_ms))
    assert list(frame["device"]) == ["pixel8"]
    assert frame.attrs["canaries"]["pixel8"]["ratio"] == pytest.approx(canary_ms, rel=0.01)
    assert f"pixel8 was {told}, by its canary" in in_short(frame, {})
    kinds = [doubt.kind for doubt in frame["doubts"].iloc[0]]
    assert ("other speed" in kinds) == ("slower" in told)
    assert as_json(frame, [], {})["canaries"] == frame.attrs["canaries"]


def test_another_canary_or_none_tells_nothing() -> None:
    mine, other = Canaries({"d/canary.a/t1/canary": 9.0}), Canaries({"d/canary.b/t1/canary": 9.0})
    assert speeds({"d": mine}, {"d": other, "e": mine}) == {}
    assert speeds({}, {"d": mine}) == {}
