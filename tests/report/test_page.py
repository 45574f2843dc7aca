"""The page in a real browser: what it draws and prints; it escapes, and asks nobody for anything."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest

from benchbench.analysis.frames import load
from benchbench.report import write_report
from benchbench.report.page import render
from benchbench.report.results import Results
from benchbench.report.tables import tables_of
from benchbench.values.errors import InputError, NothingToDo
from benchbench.values.outcome import OpTime, Profile
from tests.beds.browser import Page
from tests.report.believable import SPEED
from tests.report.builder import launches, outcome, write_run
from tests.report.case_table import rows
from tests.report.conftest import HOSTILE
from tests.report.vega import BUNDLE, bundle


def test_every_figure_is_drawn_and_the_console_is_silent(page: Page) -> None:
    charts = page.run(
        "[...document.querySelectorAll('.chart')]"
        ".map(c => [c.dataset.drawn, c.querySelector('svg[role=img]')?.ariaLabel, !!c.querySelector('svg')])"
    )
    assert len(charts) > 10
    assert all(drawn == "yes" and label and svg for drawn, label, svg in charts)
    assert page.said == []


def test_the_page_asks_nobody_for_anything(page: Page) -> None:
    assert {address for address in page.asked if not address.startswith(("file:", "data:", "about:"))} == set()


def test_names_are_text_and_never_markup(report: Path, page: Page) -> None:
    source = (report / "index.html").read_text(encoding="utf-8")
    assert HOSTILE not in source
    assert any(row["Variant"].startswith(HOSTILE) for row in rows(page))
    assert page.run("[...document.scripts].filter(s => /^\\s*alert/.test(s.textContent)).length") == 0
    assert "<script>alert" in page.run("document.querySelector('#threads svg').textContent")


def test_the_dark_page_draws_its_figures_in_its_colours(report: Path, chromium: Page) -> None:
    ink = "getComputedStyle(document.documentElement).getPropertyValue('--ink').trim()"
    seen = []
    for dark in (False, True):
        chromium.open(report / "index.html", dark=dark)
        seen.append(chromium.run(ink))
        assert seen[-1] in chromium.run("document.querySelector('#latency svg').outerHTML")
    assert seen[0] != seen[1]


@pytest.mark.parametrize("width", [390, 820])
def test_a_narrow_page_does_not_scroll_sideways(report: Path, chromium: Page, width: int) -> None:
    chromium.open(report / "index.html", width=width)
    assert chromium.run("document.documentElement.scrollWidth") <= width


def test_it_can_be_printed(page: Page) -> None:
    page.call("Emulation.setEmulatedMedia", media="print")
    assert page.run("getComputedStyle(document.querySelector('.selection')).display") == "none"
    assert page.printed().startswith(b"%PDF")
    page.run("document.body.style.width = '680px'")  # of paper: what was drawn for a window is not drawn again
    ends = "getBoundingClientRect().right"
    beyond = f"[...document.querySelectorAll('.chart svg')].filter(s => s.{ends} > s.closest('figure').{ends} + 1)"
    assert page.run(f"{beyond}.length") == 0
    page.run("document.body.style.width = ''")
    page.call("Emulation.setEmulatedMedia", media="")


def test_a_dark_page_is_printed_in_dark_ink(report: Path, chromium: Page) -> None:
    chromium.open(report / "index.html", dark=True)
    dark = [{"name": "prefers-color-scheme", "value": "dark"}]
    chromium.call("Emulation.setEmulatedMedia", media="print", features=dark)
    look = "getComputedStyle(document.querySelector('.chart svg .{}')).{}"
    inks = {
        chromium.run(look.format(*of)) for of in (("role-legend-label text", "fill"), ("role-axis-label text", "fill"))
    }
    line = chromium.run(look.format("role-axis-grid line", "stroke"))
    chromium.call("Emulation.setEmulatedMedia", media="")
    assert inks <= {"rgb(0, 0, 0)", "rgb(68, 68, 68)"}
    assert line == "rgb(204, 204, 204)"


def test_where_time_goes_is_seen_with_many_op_types_and_numbers_of_threads(tmp_path: Path, chromium: Page) -> None:
    """Twelve types with long names in each of two cases: their legend leaves room, and a row is one case."""
    outcomes = []
    for threads in (1, 2):
        names = [f"Fully Connected (NC, QS8, QC8W) GEMM {threads} {n}" for n in range(12)]
        ops = tuple(OpTime(name=name, type=name, mean_us=10.0, percent=100 / 12) for name in names)
        (timed,) = launches([1.0], threads=threads)
        measured = timed.measurement.model_copy(update={"profile": Profile(by_op=ops, by_type=ops)})
        profiled = {"purpose": "profile", "trial": f"{timed.case}/profile", "measurement": measured}
        outcomes += [timed, timed.model_copy(update=profiled)]
    run = load(write_run(tmp_path, outcomes))
    shares: dict[str, float] = {}
    for row in tables_of(Results((run,)))["operations"]:
        shares[row["what"]] = shares.get(row["what"], 0) + row["percent"]
    assert shares == pytest.approx(
        {f"float32 · xnnpack · {words}": 100 for words in ("1 thread", "2 threads")}, abs=0.1
    )
    chromium.open(write_report([run], tmp_path))
    bars = "[...document.querySelectorAll('#profile .mark-rect.role-mark path')]"
    assert chromium.run(f"{bars}.reduce((sum, bar) => sum + bar.getBBox().width, 0)") > 2 * 300
    assert chromium.run("document.querySelectorAll('#profile .role-legend-label text').length") <= 10


def test_no_control_character_of_a_tool_or_a_name_reaches_the_page(tmp_path: Path) -> None:
    said = "boom\x1b]0;owned\x07\u202e\x9b\u2066"
    failed = outcome(delegate="gpu", ms=None, status="failed", error=said)
    page = write_report([load(write_run(tmp_path, [*launches([10.0] * 3), failed]))], tmp_path)
    shown = page.read_text(encoding="utf-8")
    assert r"boom\u001b]0;owned\u0007\u202e\u009b\u2066" in shown
    assert not set(said.removeprefix("boom]0;owned")) & set(shown) - set(said.encode("ascii", "ignore").decode())


def test_the_page_has_nothing_to_load(report: Path) -> None:
    found: list[str] = []

    class Links(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            found.extend(str(value) for name, value in attrs if name in {"src", "href", "srcset", "action"})

    Links().feed((report / "index.html").read_text(encoding="utf-8"))
    assert all(link.startswith("#") or link == "data:," for link in found)
    assert (report / "index.html").stat().st_size < 2_000_000


def test_failures_and_skips_are_listed_by_reason_near_the_top(report: Path) -> None:
    text = section((report / "index.html").read_text(encoding="utf-8"), "problems")
    assert "Node number 12 (CONV_2D) failed to prepare." in text
    assert "use another scheme" in text
    assert text.count("not compiled for the Edge TPU: run edgetpu_compiler") == 1
    assert f"{len(SPEED)} skipped" in text
    order = re.findall(r'<section id="(\w+)"', (report / "index.html").read_text(encoding="utf-8"))
    assert order[:3] == ["summary", "surprises", "problems"]


def test_frames_lie_beside_the_page(report: Path) -> None:
    trials, cases = pd.read_parquet(report / "results.parquet"), pd.read_csv(report / "cases.csv")
    assert len(trials) == len(pd.read_csv(report / "results.csv"))
    assert {"executor", "verdict", "typical_ms", "rss_peak_mb"} <= set(trials.columns)
    assert {"doubts", "samples_ms", "headline"} <= set(cases.columns)


def test_an_empty_run_still_makes_a_page_that_says_why(tmp_path: Path) -> None:
    page = write_report([load(write_run(tmp_path, []))], tmp_path)
    text = page.read_text(encoding="utf-8")
    assert "Nothing was measured: no trial has an outcome yet." in text
    assert not list((tmp_path / "figures").glob("*.png"))


def test_a_run_of_one_launch_and_no_memory_makes_a_page(tmp_path: Path) -> None:
    bare = outcome(status="failed", ms=None, error="boom")
    page = write_report([load(write_run(tmp_path, [bare]))], tmp_path)
    assert "boom" in page.read_text(encoding="utf-8")


def test_a_run_in_which_nothing_ran_as_asked_has_figures_without_bars(tmp_path: Path, chromium: Page) -> None:
    run = load(write_run(tmp_path, launches([10.0] * 3, delegate="gpu", verdict="none")))
    chromium.said.clear()
    chromium.open(write_report([run], tmp_path))
    assert "not on gpu: xnnpack (gpu took nothing)" in chromium.run(
        "document.querySelector('#latency svg').textContent"
    )
    assert chromium.said == []


def test_two_runs_stand_side_by_side(tmp_path: Path) -> None:
    one = load(write_run(tmp_path / "a", launches([10.0] * 3), id="monday"))
    two = load(write_run(tmp_path / "b", launches([9.0] * 3), id="tuesday", created="2026-11-23T03:00:00+00:00"))
    text = write_report([one, two], tmp_path / "out").read_text(encoding="utf-8")
    for day in ("22", "23"):
        assert f"pixel8 (mobilenet schemes, 2026-11-{day} 03:00)" in text


def test_no_run_and_no_place_to_write_are_said_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(NothingToDo, match="no run"):
        write_report([], tmp_path)
    (tmp_path / "file").write_text("")
    run = load(write_run(tmp_path / "run", [outcome()]))
    with pytest.raises(InputError, match="cannot be written"):
        write_report([run], tmp_path / "file")


def section(text: str, name: str) -> str:
    """The markup of one section."""
    whole = text[text.index(f'<section id="{name}"') :]
    return whole[: whole.index("</section>")]


def test_the_provenance_says_which_data_was_fed_and_how(tmp_path: Path) -> None:
    fed = {"scale": 1.0, "mean": [127.5], "std": [128.0]}
    record = {"family": "mobilenet_v2", "dataset": "data/photos.npz", "samples": 200, "sha256": "cd" * 32}
    folder = write_run(tmp_path, launches([10.0, 10.1]), datasets=[record | {"preprocessing": fed}, record])
    text = section(render(Results((load(folder),))), "provenance")
    assert "dataset of mobilenet_v2: 200 samples, fed as (x × 1 − 127.5) / 128" in text
    assert "dataset of mobilenet_v2: 200 samples, fed as they are" in text
    spoilt = write_run(tmp_path / "spoilt", launches([10.0]), datasets=[record | {"preprocessing": {"mean": "x"}}])
    with pytest.raises(InputError, match=r"run\.json: datasets\.0\.preprocessing\.mean"):
        load(spoilt)


def test_the_scripts_behind_the_figures_are_those_of_the_version_that_compiles_them() -> None:
    assert BUNDLE.read_text(encoding="utf-8") == bundle(), "run `make vega`"
