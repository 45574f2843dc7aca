"""Whether a device was as fast in one run as in the other: told by its canaries, in a comparison's doubts and line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from benchbench.analysis.compare import compare, nothing_judged
from benchbench.analysis.comparison_text import as_json, as_markdown, in_short
from benchbench.analysis.disturbances import Canaries
from benchbench.analysis.frames import Run, load
from benchbench.analysis.same_speed import speeds
from tests.analysis.test_disturbances import canary
from tests.analysis.test_disturbances import run as disturbed_run
from tests.report.builder import launches, write_run


def run(folder: Path, canary_ms: float, ms: float = 10.0) -> Run:
    times = [ms, ms * 1.01, ms * 0.99, ms, ms * 1.005]
    found = [o.model_copy(update={"device": "pixel8"}) for o in launches(times)]
    canaries = [canary(number, canary_ms * (1 + 0.001 * number)) for number in range(6)]
    return load(write_run(folder, [*found, *canaries]))


@pytest.mark.parametrize(
    ("canary_ms", "told"), [(1.02, "as fast as in the base"), (1.3, "30 % slower than in the base")]
)
def test_a_comparison_says_whether_the_device_was_as_fast(tmp_path: Path, canary_ms: float, told: str) -> None:
    frame = compare(run(tmp_path / "a", 1.0), run(tmp_path / "b", canary_ms, 10 * canary_ms))
    assert list(frame["device"]) == ["pixel8"]
    assert frame.attrs["canaries"]["pixel8"]["ratio"] == pytest.approx(canary_ms, rel=0.01)
    assert f"pixel8 was {told}, by its canary" in in_short(frame, (), {})
    kinds = [doubt.kind for doubt in frame["doubts"].iloc[0]]
    assert ("other speed" in kinds) == ("slower" in told)
    assert as_json(frame, [], {})["canaries"] == frame.attrs["canaries"]


def beside(folder: Path, canaries_ms: Sequence[float]) -> Run:
    """Six launches of a case, a canary before the first and after each."""
    return load(write_run(folder, disturbed_run(canaries_ms), id=folder.name))


def test_a_case_of_disturbed_launches_alone_says_what_disturbed_them(tmp_path: Path) -> None:
    """No sensor said anything: nothing was throttled or hot. That the median canary was as fast excuses nothing."""
    frame = compare(beside(tmp_path / "a", [1.0] * 7), beside(tmp_path / "b", [1.0, 1.3, 1.0, 1.3, 1.0, 1.3, 1.0]))
    assert frame["verdict"].tolist() == ["cannot tell"]
    assert "beside a canary 30 % slower" in frame["why"].iloc[0]
    assert frame["left_out"].tolist() == [6]
    assert frame.attrs["canaries"]["pixel8"]["off"] == pytest.approx(3 / 7)
    assert nothing_judged(frame)
    assert "6 disturbed launches" in in_short(frame, (), {})


def test_how_many_launches_do_not_count_stands_beside_the_verdict(tmp_path: Path) -> None:
    base, new = beside(tmp_path / "a", [1.0] * 7), beside(tmp_path / "b", [1.0] * 6 + [1.3])
    frame = compare(base, new)
    assert (frame["left_out"].tolist(), as_json(frame, [], {})["cases"][0]["left_out"]) == ([1], 1)
    (row,) = (line for line in as_markdown(frame, [], {}).splitlines() if line.startswith("| pixel8"))
    assert row.endswith("without 1 disturbed launch |")


def test_another_canary_or_none_tells_nothing() -> None:
    mine, other = Canaries({"d/canary.a/t1/canary": 9.0}), Canaries({"d/canary.b/t1/canary": 9.0})
    assert speeds({"d": mine}, {"d": other, "e": mine}) == {}
    assert speeds({}, {"d": mine}) == {}
