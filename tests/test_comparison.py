"""Two runs: what is told, what is not, and what fails a build."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from benchbench.comparison import compare, regressions
from benchbench.frames import load
from benchbench.outcome import Outcome
from tests.report.builder import launches, outcome, write_run

TIMES = [10.0, 10.1, 9.9, 10.05, 10.0]


def compared(tmp_path: Path, base: list[Outcome], new: list[Outcome]) -> pd.DataFrame:
    return compare(load(write_run(tmp_path / "base", base)), load(write_run(tmp_path / "new", new)))


def gpu(factor: float = 1.0, **more: object) -> list[Outcome]:
    return launches([factor * time for time in TIMES], delegate="gpu", **more)


@pytest.mark.parametrize(
    ("factor", "verdict", "fails"), [(1.0, "same", False), (1.4, "slower", True), (0.6, "faster", False)]
)
def test_only_what_got_slower_fails_a_build(tmp_path: Path, factor: float, verdict: str, fails: bool) -> None:
    frame = compared(tmp_path, gpu(), gpu(factor))
    assert frame["verdict"].tolist() == [verdict]
    assert bool(len(regressions(frame))) is fails
    assert frame["ratio"].iloc[0] == pytest.approx(factor)
    assert frame["ratio_low"].iloc[0] <= factor <= frame["ratio_high"].iloc[0]


def test_a_gpu_that_is_lost_fails_a_build_even_when_the_cpu_is_as_fast(tmp_path: Path) -> None:
    frame = compared(tmp_path, gpu(), gpu(verdict="none"))
    assert frame["verdict"].tolist() == ["cannot tell"]
    assert frame["why"].iloc[0] == "delegation was full, is none: ran on xnnpack (gpu took nothing)"
    assert pd.isna(frame["ratio"].iloc[0])
    assert len(regressions(frame)) == 1


def test_a_gpu_that_is_won_is_not_compared_with_the_cpu_s_time(tmp_path: Path) -> None:
    frame = compared(tmp_path, gpu(verdict="none"), gpu(0.2))
    assert frame["verdict"].tolist() == ["cannot tell"]
    assert regressions(frame).empty


def test_a_case_that_fails_now_is_a_regression_with_its_error(tmp_path: Path) -> None:
    frame = compared(tmp_path, gpu(), [outcome(delegate="gpu", status="failed", ms=None, error="driver crashed")])
    assert frame["why"].iloc[0] == "fails now: driver crashed"
    assert len(regressions(frame)) == 1


def test_cases_of_one_run_only_are_listed_and_fail_nothing(tmp_path: Path) -> None:
    frame = compared(tmp_path, gpu(), launches(TIMES, delegate="xnnpack"))
    assert sorted(frame["verdict"]) == ["only in base", "only in new"]
    assert regressions(frame).empty


def test_too_few_launches_say_how_many_are_needed(tmp_path: Path) -> None:
    frame = compared(tmp_path, gpu()[:2], gpu(3.0)[:2])
    assert frame["verdict"].tolist() == ["cannot tell"]
    assert "three a side" in frame["why"].iloc[0]


def test_another_tool_is_a_doubt(tmp_path: Path) -> None:
    other = [
        o.model_copy(update={"measurement": o.measurement.model_copy(update={"tool": "benchmark_model"})})
        for o in gpu()
    ]
    (said,) = compared(tmp_path, gpu(), other)["doubts"]
    assert said == ("measured by ai-edge-litert 2.3.0, then benchmark_model",)
