"""A median is compared with a median and a mean with a mean, wherever numbers of two tools stand side by side."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from benchbench.analysis.compare import compare
from benchbench.analysis.frames import load
from benchbench.analysis.tradeoffs import tradeoffs
from benchbench.report.results import Results
from benchbench.values.outcome import Outcome, Timings, common_statistic
from tests.report.builder import launches, write_run

SKEWED = [10.0, 10.1, 9.9, 10.05, 10.0]  # medians; the means are 2.2 times as long


def timed(outcomes: list[Outcome], **timings: float | None) -> list[Outcome]:
    """The launches with other timings in microseconds."""
    changed = []
    for o in outcomes:
        times = o.measurement.timings.model_copy(update=timings)
        changed.append(o.model_copy(update={"measurement": o.measurement.model_copy(update={"timings": times})}))
    return changed


def skewed(**more: object) -> list[Outcome]:
    found = launches(SKEWED, **more)
    return [timed([o], mean=2.2 * (o.measurement.timings.median or 0))[0] for o in found]


def by_old_tool(**more: object) -> list[Outcome]:
    """The same launches by a tool that prints no median."""
    return timed(skewed(**more), median=None, p5=None, p95=None)


@pytest.mark.parametrize(
    ("launches", "statistic"),
    [
        ([Timings(mean=20.4, median=20.25)], "median"),
        ([Timings(mean=1000.4, median=1000)], "median"),
        ([Timings(mean=20.4, median=20)], "mean"),
        ([Timings(mean=20.4, median=20, min=19, max=30)], "mean"),
        ([Timings(mean=20.4, median=20, min=19.13, max=30.01)], "median"),
        ([Timings(mean=0.6, median=0)], "mean"),
        ([Timings(mean=1000.4, median=1000), Timings(mean=1000.4)], "mean"),
        ([Timings(mean=1000.4, median=1000), Timings(mean=30.2, median=30)], "mean"),
        ([Timings(median=20), Timings(mean=20.4, median=20)], "median"),
        ([], "median"),
    ],
)
def test_the_statistic_is_one_that_every_launch_has_and_that_is_fine_enough(
    launches: list[Timings], statistic: str
) -> None:
    assert common_statistic(launches) == statistic


@pytest.mark.parametrize("swapped", [False, True])
def test_the_same_library_is_not_slower_by_the_tool_s_age(tmp_path: Path, swapped: bool) -> None:
    runs = [load(write_run(tmp_path / "a", skewed())), load(write_run(tmp_path / "b", by_old_tool()))]
    frame = compare(*reversed(runs)) if swapped else compare(*runs)
    assert frame["ratio"].tolist() == [pytest.approx(1.0)]
    assert frame["statistic"].tolist() == ["mean"]
    assert frame["base_ms"].tolist() == frame["new_ms"].tolist() == [pytest.approx(22.0)]


def test_medians_are_compared_where_both_sides_have_them(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    frame = compare(load(write_run(tmp_path / "a", skewed())), load(write_run(tmp_path / "b", launches(SKEWED))))
    assert frame["statistic"].tolist() == ["median"]
    assert frame["ratio"].tolist() == [pytest.approx(1.0)]


def test_a_case_without_medians_does_not_decide_for_another_case_of_a_comparison(tmp_path: Path) -> None:
    outcomes = [*skewed(delegate="gpu"), *by_old_tool(device="old")]
    frame = compare(load(write_run(tmp_path / "a", outcomes)), load(write_run(tmp_path / "b", outcomes)))
    assert dict(zip(frame["case"].str.partition("/")[0], frame["statistic"], strict=True)) == {
        "pixel8": "median",
        "old": "mean",
    }


def test_one_table_with_rows_of_two_tools_has_one_statistic(tmp_path: Path) -> None:
    run = load(write_run(tmp_path / "a", [*skewed(delegate="gpu"), *by_old_tool(delegate="xnnpack")]))
    assert set(run.cases["statistic"]) == {"mean"}
    assert run.cases["median_ms"].tolist() == [pytest.approx(22.0)] * 2
    assert set(run.trials["statistic"]) == {"mean"}
    assert run.trials["typical_ms"].tolist() == pytest.approx([2.2 * ms for ms in SKEWED] * 2)
    assert set(tradeoffs(run.cases)["over_best_verdict"]) == {"same"}


def test_runs_of_two_tools_in_one_report_have_one_statistic(tmp_path: Path) -> None:
    new, old = load(write_run(tmp_path / "a", skewed())), load(write_run(tmp_path / "b", by_old_tool(), id="other"))
    assert set(new.cases["statistic"]) == {"median"}
    cases = Results((new, old)).cases
    assert cases["statistic"].tolist() == ["mean", "mean"]
    assert cases["median_ms"].tolist() == [pytest.approx(22.0)] * 2


def report(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchbench.cli.main", "report", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)


def test_page_charts_and_terminal_name_the_statistic_without_plot_warnings(
    tmp_path: Path,
) -> None:
    """A model of a microsecond, its names in a script that the plots' font lacks, and a time of 0."""
    tiny = timed(launches(SKEWED, delegate="gpu"), median=1.0, mean=1.23, min=0.0, first=0.0, init=0.0, std=0.2)
    none = timed(launches(SKEWED, delegate="nnapi"), median=0.0, mean=0.0, first=0.0, init=0.0)
    write_run(tmp_path / "run", [*tiny, *none], name="模型")
    done = report("run", folder=tmp_path)
    assert [line for line in done.stderr.splitlines() if line and "recommend" not in line] == []
    page = (tmp_path / "run" / "index.html").read_text()
    data = json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)[1])  # type: ignore[index]
    assert "mean" in data["statistic"].lower()
    assert "each launch&#39;s mean" in page
    assert "each launch&#39;s median" not in page
    assert "1.23 µs" in page
    assert "1.00 µs" not in page
    assert not re.search(r"(?<![\d.])0 ms", page)
