"""Several runs on one page: side by side, by name and date, with verdicts."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from benchbench.analysis.frames import Run, load
from benchbench.report import write_report
from benchbench.report.comparison import comparison_of
from benchbench.report.page import render
from benchbench.report.results import Results
from tests.beds.browser import CHROMIUM, browser
from tests.report.builder import launches, write_run

CASE = "pixel8/mobilenet_v2.float32/xnnpack/t1"


def run(folder: Path, day: int, factor: float = 1.0, device: str = "pixel8") -> Run:
    times = [factor * time for time in (10.0, 10.1, 9.9, 10.05, 10.0)]
    made: dict[str, Any] = {"id": f"{day:016x}", "created": f"2026-11-{day}T03:00:00+00:00"}
    return load(write_run(folder / f"{day}-{device}", launches(times, device=device), **made))


def page_of(*runs: Run) -> str:
    return render(Results(runs))


def section(page: str) -> str:
    found = re.search(r'<section id="comparison".*?</section>', page, re.DOTALL)
    return found[0] if found else ""


def test_two_runs_have_a_table_with_a_verdict_a_case_and_no_id_of_theirs(tmp_path: Path) -> None:
    page = page_of(run(tmp_path, 22), run(tmp_path, 23, 1.2))
    shown = section(page)
    assert "in mobilenet schemes, 2026-11-23 03:00; the base is mobilenet schemes, 2026-11-22 03:00" in shown
    row = re.search(rf'<th scope="row">{CASE}</th>.*?</tr>', shown, re.DOTALL)
    assert row is not None
    assert re.findall(r'<td class="n">([\d.]+ ms)', row[0]) == ["10.0 ms", "12.0 ms"]
    assert "1.200×" in row[0]
    assert "slower (regression)" in row[0]
    assert "0000000000000017" not in shown
    assert re.search(r"<span>2 runs</span>\s*<span>1 device</span>", page)


def test_one_run_and_runs_of_different_devices_have_no_such_section(tmp_path: Path) -> None:
    assert section(page_of(run(tmp_path, 22))) == ""
    assert section(page_of(run(tmp_path, 22), run(tmp_path, 23, device="rpi5"))) == ""


@pytest.mark.parametrize(("runs", "bases"), [(2, [22]), (3, [23]), (4, [22, 23, 24])])
def test_the_last_run_is_held_against_as_many_as_tell_something(tmp_path: Path, runs: int, bases: list[int]) -> None:
    found = comparison_of([run(tmp_path, 22 + n) for n in range(runs)])
    assert found is not None
    assert [one.folder.name for one in found.bases] == [f"{day}-pixel8" for day in bases]
    assert found.new.folder.name == f"{21 + runs}-pixel8"


def test_over_many_runs_a_step_is_told_by_the_name_and_date_of_the_run_it_came_with(tmp_path: Path) -> None:
    noise = (1.0, 1.004, 0.997, 1.002, 0.999, 1.003)
    runs = [run(tmp_path, 10 + n, factor * (1.15 if n >= 6 else 1)) for n, factor in enumerate(noise + noise)]
    (step,) = re.findall(rf"<li>({CASE}: .*?)</li>", section(page_of(*runs)))
    assert re.fullmatch(rf"{CASE}: 10\.\d ms → 11\.\d ms since mobilenet schemes, 2026-11-16 03:00", step)


@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here: install chromium")
def test_the_selection_of_the_page_holds_for_the_runs_that_are_compared(tmp_path: Path) -> None:
    both = []
    for day, factor in ((22, 1.0), (23, 1.2)):
        times = [factor * time for time in (10.0, 10.1, 9.9, 10.05, 10.0)]
        found = [*launches(times), *launches(times, device="rpi5")]
        made: dict[str, Any] = {"id": f"{day}", "created": f"2026-11-{day}T03:00:00+00:00"}
        both.append(load(write_run(tmp_path / f"{day}", found, **made)))
    page = write_report(both, tmp_path / "out")
    shown = "[...document.querySelectorAll('#comparison-table tbody tr')].filter((row) => !row.hidden)"
    rows = f"{shown}.map((row) => row.dataset.device)"
    charts = (
        "[...document.querySelectorAll('#comparison .chart')]"
        ".map((chart) => chart.dataset.drawn + chart.querySelector('[role=img]').getAttribute('aria-label'))"
    )
    with browser(tmp_path / "profile") as opened:
        opened.open(page)
        assert opened.run(rows) == ["pixel8", "rpi5"]
        assert len(opened.run(charts)) == 2
        opened.open(f"{page.as_uri()}#comparison?device=rpi5")
        assert opened.run(rows) == ["rpi5"]
        (drawn,) = opened.run(charts)
        assert drawn.startswith("yesLatency of mobilenet_v2 on rpi5 in the last run")
        assert opened.said == []
