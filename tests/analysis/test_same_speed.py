"""Whether a device was as fast in one run as in the other: told by its canaries, in a comparison's doubts and line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pytest

from benchbench.analysis.compare import compare, nothing_judged
from benchbench.analysis.comparison_text import as_json, as_markdown, in_short
from benchbench.analysis.disturbances import Canaries, canaries_of
from benchbench.analysis.frames import Run, load
from benchbench.analysis.same_speed import Speed, other_speed, speeds
from tests.analysis.test_disturbances import canary
from tests.analysis.test_disturbances import run as disturbed_run
from tests.report.builder import launches, write_run


def run(folder: Path, canary_ms: float, ms: float = 10.0, several_ms: float | None = None) -> Run:
    """Six launches of a case with four threads, and canaries of one thread, and of four where their time is given."""
    times = [ms, ms * 1.01, ms * 0.99, ms, ms * 1.005, ms * 0.995]
    found = launches(times, threads=4)
    canaries = [canary(number, canary_ms * (1 + 0.001 * number)) for number in range(6)]
    several = [] if several_ms is None else [canary(number, several_ms, threads=4) for number in range(6)]
    return load(write_run(folder, [*found, *canaries, *several], id=folder.name))


def told(frame: pd.DataFrame) -> tuple[str, bool]:
    """The verdict on the one case, and whether it was put to a test."""
    (row,) = frame.to_dict("records")
    assert row["regressed"] == (row["verdict"] == "slower")
    return str(row["verdict"]), not nothing_judged(frame)


@pytest.mark.parametrize(
    ("canary_ms", "said"), [(1.02, "as fast as in the base"), (1.3, "30 % slower than in the base")]
)
def test_a_comparison_says_whether_the_device_was_as_fast(tmp_path: Path, canary_ms: float, said: str) -> None:
    frame = compare(run(tmp_path / "a", 1.0), run(tmp_path / "b", canary_ms, 10 * canary_ms))
    assert list(frame["device"]) == ["pixel8"]
    assert [one["ratio"] for one in frame.attrs["canaries"]["pixel8"]] == [pytest.approx(canary_ms, rel=0.01)]
    assert f"pixel8 was {said}, by its canary" in in_short(frame, (), {})
    kinds = [doubt.kind for doubt in frame["doubts"].iloc[0]]
    assert ("other speed" in kinds) == ("slower" in said)
    assert as_json(frame, [], {})["canaries"] == frame.attrs["canaries"]


@pytest.mark.parametrize(
    ("canary_ms", "several_ms", "ms", "verdict"),
    [
        (1.0, 0.4, 15.0, "slower"),  # the device was as fast with any threads: the case changed
        (1.0, 0.56, 15.0, "cannot tell"),  # 40 % slower with four threads: any case with several may have reacted
        (1.4, 0.4, 15.0, "cannot tell"),  # with one: so may any case,
        (1.0, 0.56, 100.0, "cannot tell"),  # by any factor,
        (1.0, 0.3, 15.0, "cannot tell"),  # and in any direction
        (1.0, 0.56, 10.0, "same"),
    ],
)
def test_on_a_device_that_was_slower_or_faster_itself_no_change_is_told(
    tmp_path: Path, canary_ms: float, several_ms: float, ms: float, verdict: str
) -> None:
    frame = compare(run(tmp_path / "a", 1.0, several_ms=0.4), run(tmp_path / "b", canary_ms, ms, several_ms))
    assert told(frame) == (verdict, verdict != "cannot tell")
    assert (frame["why"].iloc[0].startswith("other speed: pixel8 was")) == (verdict == "cannot tell")


def test_a_canary_of_several_threads_says_nothing_of_a_case_with_one(tmp_path: Path) -> None:
    speed = speeds(
        [{"d": canaries_of([canary(0, 1.0, "d"), canary(0, 0.4, "d", threads=4)])["d"]}],
        {"d": canaries_of([canary(0, 1.0, "d"), canary(0, 0.8, "d", threads=4)])["d"]},
    )["d"]
    assert [(one.threads, one.same) for one in speed] == [(1, True), (4, False)]
    doubts = [other_speed({"device": "d", "threads": threads}, {"d": speed}) for threads in (1, 2)]
    assert [doubt and doubt.text for doubt in doubts] == [
        None,
        "d was 100 % slower than in the base, by its canary of 4 threads",
    ]


def test_base_runs_that_differ_as_much_make_it_the_same_speed(tmp_path: Path) -> None:
    """Of several the middle is the base, and how far they are from it is allowed."""
    runs = [run(tmp_path / str(number), ms) for number, ms in enumerate([1.0, 1.2, 1.1])]
    frame = compare(runs, run(tmp_path / "new", 1.18))
    (speed,) = (Speed(**one) for one in frame.attrs["canaries"]["pixel8"])
    assert speed.ratio == pytest.approx(1.18 / (1.0 * 1.2 * 1.1) ** (1 / 3), rel=0.01)
    assert speed.same
    assert not speeds([{"pixel8": runs[0].canaries["pixel8"]}], load(tmp_path / "new").canaries)["pixel8"][0].same


def beside(folder: Path, canaries_ms: Sequence[float]) -> Run:
    """Six launches of a case, a canary before the first and after each."""
    return load(write_run(folder, disturbed_run(canaries_ms), id=folder.name))


def test_a_case_of_disturbed_launches_alone_says_what_disturbed_them(tmp_path: Path) -> None:
    """No sensor said anything: nothing was throttled or hot. That the median canary was as fast excuses nothing."""
    frame = compare(beside(tmp_path / "a", [1.0] * 7), beside(tmp_path / "b", [1.0, 1.3, 1.0, 1.3, 1.0, 1.3, 1.0]))
    assert frame["verdict"].tolist() == ["cannot tell"]
    assert "beside a canary 30 % slower" in frame["why"].iloc[0]
    assert frame["left_out"].tolist() == [6]
    assert [one["off"] for one in frame.attrs["canaries"]["pixel8"]] == [pytest.approx(3 / 7)]
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
    assert speeds([{"d": (mine,)}], {"d": (other,), "e": (mine,)}) == {}
    assert speeds([{}], {"d": (mine,)}) == {}
