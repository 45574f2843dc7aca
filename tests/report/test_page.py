"""The page in a real browser: it draws, it sorts, it escapes, it asks nobody for anything."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest

from benchbench.analysis.frames import load
from benchbench.report import write_report
from benchbench.values.errors import InputError, NothingToDo
from tests.report.builder import SPEED, full_matrix, launches, outcome, variant, write_run
from tests.report.vega import BUNDLE, bundle

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
HOSTILE = "<script>alert(1)</script>"
LONG = "n" * 200
QUIET = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--disable-extensions", "--window-size=1300,2000"),
    *("--virtual-time-budget=60000", "--enable-logging=stderr"),
]

needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here: install chromium")


@dataclass(frozen=True)
class Opened:
    """A page after its scripts ran: its DOM as text, and what the browser's console said."""

    dom: str
    said: list[str]


def opened(page: Path, profile: Path, *more: str) -> Opened:
    command = [str(CHROMIUM), *QUIET, f"--user-data-dir={profile}", *more, "--dump-dom", page.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=True)
    return Opened(done.stdout, [line for line in done.stderr.splitlines() if "CONSOLE" in line])


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report on a matrix with a good and a bad day, and names that want to break out."""
    folder = tmp_path_factory.mktemp("run")
    hostile = [variant(scheme="int8", name=name) for name in (HOSTILE, LONG, "int8_$x$ </script><!-- 量化")]
    full_matrix(folder, devices=("pixel8", "rpi5"), extra=hostile, rounds=5)
    write_report([load(folder)], folder)
    return folder


@pytest.fixture(scope="module")
def page(report: Path, tmp_path_factory: pytest.TempPathFactory) -> Opened:
    if CHROMIUM is None:
        pytest.skip("there is no Chromium here: install chromium")
    return opened(report / "index.html", tmp_path_factory.mktemp("profile"))


def test_every_chart_is_drawn_and_the_console_is_silent(page: Opened) -> None:
    charts = re.findall(r'<div class="chart(?: [^"]*)?"[^>]*>', page.dom)
    assert len(charts) > 10
    assert all('data-drawn="yes"' in chart and 'aria-label="' in chart for chart in charts)
    assert page.dom.count("<svg") >= len(charts)
    assert page.said == []


def test_names_are_text_and_never_markup(report: Path, page: Opened) -> None:
    source = (report / "index.html").read_text(encoding="utf-8")
    assert HOSTILE not in source
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page.dom
    assert not re.search(r"<script>\s*alert", page.dom)


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


@needs_browser
def test_the_browser_asks_nobody_for_anything(report: Path, tmp_path: Path) -> None:
    log = tmp_path / "net.json"
    opened(report / "index.html", tmp_path / "profile", f"--log-net-log={log}")
    asked = set(re.findall(r'"url":"(https?://[^"]+)"', log.read_text(encoding="utf-8", errors="replace")))
    # What Chromium itself says to its maker on starting is not the page's doing.
    assert {url for url in asked if not re.match(r"https?://[^/]*(google|gvt1|googleapis)[^/]*/", url)} == set()
    assert not any("vega" in url for url in asked)


def test_what_fell_back_is_shown_as_what_ran(page: Opened) -> None:
    rows = [row for row in re.findall(r"<tr data-headline.*?</tr>", page.dom, re.DOTALL) if "unavailable</span>" in row]
    assert rows
    assert all("xnnpack (gpu unavailable)" in row and 'data-headline="0"' in row for row in rows)
    assert "not on gpu: xnnpack (gpu unavailable)" in page.dom  # in the chart, in the place of a bar


def test_the_table_has_headers_and_its_columns_can_be_sorted(report: Path, tmp_path: Path) -> None:
    if CHROMIUM is None:
        pytest.skip("there is no Chromium here: install chromium")
    clicks = "document.querySelectorAll('#case-table th button')[7].click();"
    filters = (
        "const f=document.getElementById('filter'); f.value='rpi5 xnnpack int8'; f.dispatchEvent(new Event('input'));"
    )
    sorted_page = tmp_path / "index.html"
    source = (report / "index.html").read_text(encoding="utf-8")
    sorted_page.write_text(source.replace("</body>", f"<script>{clicks}{filters}</script></body>"), encoding="utf-8")
    dom = opened(sorted_page, tmp_path / "profile").dom
    assert dom.count('scope="col"') > 10
    assert 'aria-sort="ascending"' in dom
    body = dom[dom.index('id="case-table"') :]
    body = body[: body.index("</table>")]
    rows = re.findall(r"<tr data-headline[^>]*>.*?</tr>", body, re.DOTALL)
    medians = [float(cell) for row in rows if (cell := re.findall(r'data-v="([^"]*)"', row)[1])]
    assert medians == sorted(medians)
    shown = [row for row in rows if 'hidden=""' not in row.split(">")[0]]
    assert 0 < len(shown) < len(rows)
    assert all("rpi5" in row and "xnnpack" in row and "int8" in row for row in shown)


def test_failures_are_listed_with_reason_and_remedy(page: Opened) -> None:
    assert "Node number 12 (CONV_2D) failed to prepare." in page.dom
    assert "use another scheme" in page.dom


def test_skips_of_one_reason_are_one_line_at_the_top_and_each_a_row_of_the_table(report: Path) -> None:
    text = (report / "index.html").read_text(encoding="utf-8")
    reason = "not compiled for the Edge TPU: run edgetpu_compiler"
    head, main = text.split("<main")
    assert f"{len(SPEED)} skipped ({len(SPEED)} variants with edgetpu on pixel8: {reason})" in head
    rows = [row for row in re.findall(r"<tr data-headline.*?</tr>", main, re.DOTALL) if f'title="{reason}"' in row]
    assert len(rows) == len(SPEED)
    assert all("skipped</span>" in row for row in rows)


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


@needs_browser
def test_a_run_in_which_nothing_ran_as_asked_has_charts_without_bars(tmp_path: Path) -> None:
    run = load(write_run(tmp_path, launches([10.0] * 3, delegate="gpu", verdict="none")))
    found = opened(write_report([run], tmp_path), tmp_path / "profile")
    assert "not on gpu: xnnpack (gpu took nothing)" in found.dom
    assert found.said == []


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
    """The markup of one section, without the data of its charts."""
    whole = text[text.index(f'<section id="{name}"') :]
    return re.sub(r"<script.*?</script>", "", whole[: whole.index("</section>")], flags=re.DOTALL)


def test_each_device_has_its_table_of_gains_and_costs_with_their_intervals(report: Path) -> None:
    table = section((report / "index.html").read_text(encoding="utf-8"), "accuracy")
    assert table.count("<table") == 2
    for words in ("× float32, same delegate", "× best float of the device", "Agreement", "SQNR, dB", "Memory, MB"):
        assert table.count(words) == 2
    assert "Top-1 accuracy over 2,000 samples; changes are against float32 on cpu, 4 threads." in table
    assert "what the model adds" in table
    row = re.search(r'<th scope="row">int8 .*?</tr>', table, re.DOTALL)
    assert row is not None
    assert re.search(r"\d\.\d\d× <small>\[\d\.\d\d, \d\.\d\d\]", row[0])
    assert re.search(r"9\d\.\d % <small>\[8\d\.\d, 9\d\.\d\]", row[0])
    assert re.search(r"−0\.\d <small>\[−\d\.\d, [−+]0\.\d\]", row[0])
    assert "98.7%" in row[0]


def test_recall_and_confusions_need_no_script_and_say_what_they_are(report: Path) -> None:
    text = section((report / "index.html").read_text(encoding="utf-8"), "classes")
    assert "<canvas" not in text
    assert text.count("confusions") == 2  # a device each
    assert text.count('<table class="grid matrix">') == 6  # the base, the recommended, the one that loses most
    assert text.count('scope="col"') > 20
    assert text.count('role="region"') == text.count('tabindex="0"') == text.count("aria-label=") == 2 + 6
    for role in ("baseline", "recommended", "loses most"):
        assert f'<span class="muted">{role}</span>' in text
    assert "&lt;script&gt;alert(2)&lt;/script&gt;" in text
    assert "alert(2)</script>" not in text


def test_the_provenance_says_which_data_was_fed_and_how(tmp_path: Path) -> None:
    fed = {"scale": 1.0, "mean": [127.5], "std": [128.0]}
    record = {"family": "mobilenet_v2", "dataset": "data/photos.npz", "samples": 200, "sha256": "cd" * 32}
    folder = write_run(tmp_path, launches([10.0, 10.1]), datasets=[record | {"preprocessing": fed}, record])
    text = section(write_report([load(folder)], folder).read_text(encoding="utf-8"), "provenance")
    assert "dataset of mobilenet_v2: 200 samples, fed as (x × 1 − 127.5) / 128" in text
    assert "dataset of mobilenet_v2: 200 samples, fed as they are" in text
    spoilt = write_run(tmp_path / "spoilt", launches([10.0]), datasets=[record | {"preprocessing": {"mean": "x"}}])
    with pytest.raises(InputError, match=r"run\.json: datasets\.0\.preprocessing\.mean"):
        load(spoilt)


def test_a_row_of_recall_names_what_ran_and_not_what_was_asked_for(report: Path) -> None:
    text = section((report / "index.html").read_text(encoding="utf-8"), "classes")
    assert "int16x8 <small>xnnpack (gpu took nothing)</small>" in text
    assert "int16x8 <small>gpu</small>" not in text


def test_classes_lie_beside_the_page(report: Path) -> None:
    classes, confusion = pd.read_csv(report / "classes.csv"), pd.read_csv(report / "confusion.csv")
    assert {"device", "variant", "class", "name", "support", "recall", "recall_low"} <= set(classes.columns)
    assert confusion["count"].sum() == classes["support"].sum()
    assert "classes.csv" in (report / "index.html").read_text(encoding="utf-8")


def test_a_thousand_classes_leave_a_small_page_with_the_worst_and_the_most_changed(tmp_path: Path) -> None:
    names = [f"class name {n}" for n in range(1000)]
    full_matrix(tmp_path, devices=("pixel8",), rounds=1, classes=names)
    text = write_report([load(tmp_path)], tmp_path).read_text(encoding="utf-8")
    shown = section(text, "classes")
    assert "Of 1000 classes those in which a case differs most, and the worst" in shown
    assert len(set(re.findall(r"class name \d+", shown))) < 80
    assert "matrix" not in shown
    assert shown.count("Commonest mistakes") == 3
    assert len(text) < 1_500_000


def broken_run(folder: Path) -> Path:
    """int8 is fast and wrong; nothing has labels."""
    scored = []
    for scheme, times, scores in (
        ("float32", [10.0, 10.1, 9.9, 10.05, 9.95], {"broken": 0, "flags": "", "agreement": 1.0}),
        ("float16", [9.0, 9.1, 9.2, 9.05, 9.15], {"broken": 0, "flags": "output 'y': 12.0% of the values are cut off"}),
        (
            "int8",
            [2.0, 2.1, 1.9, 2.05, 1.95],
            {"broken": 1, "flags": "output 'y': every value is zero", "agreement": 0.1},
        ),
    ):
        found = launches(times, model=variant(scheme=scheme))
        trial = {"purpose": "accuracy", "trial": f"{found[0].case}/accuracy"}
        scored += [*found, found[0].model_copy(update=trial | {"accuracy": {"n": 32, "agreement": 0.99} | scores})]
    models = [variant(scheme=scheme) for scheme in ("float32", "float16", "int8")]
    return write_run(folder, scored, variants=models)


def test_a_broken_output_is_unmistakable_wherever_its_time_stands(tmp_path: Path) -> None:
    text = write_report([load(broken_run(tmp_path))], tmp_path).read_text(encoding="utf-8")
    summary, cases, gains = (section(text, name) for name in ("summary", "cases", "accuracy"))
    assert '<p class="choice">float16 on xnnpack, 1 thread</p>' in summary
    assert "int8 on xnnpack, 1 thread is faster (2.00 ms) but breaks an output" in summary
    assert cases.count("✕ output broken") == gains.count("✕ output broken") == 1
    assert "every value is zero" in gains
    assert "broken output" in cases
    for name in ("latency", "phases", "memory"):
        assert "Pale: an output is broken" in section(text, name)
    assert "OUTPUT BROKEN" in text  # at its bar


def test_an_odd_output_is_a_doubt_where_the_case_is_recommended_and_listed(tmp_path: Path) -> None:
    text = write_report([load(broken_run(tmp_path))], tmp_path).read_text(encoding="utf-8")
    for name in ("summary", "cases", "accuracy"):
        assert "12.0% of the values are cut off" in section(text, name)


@needs_browser
def test_a_page_with_broken_outputs_draws_all_its_charts_in_silence(tmp_path: Path) -> None:
    found = opened(write_report([load(broken_run(tmp_path))], tmp_path), tmp_path / "profile")
    assert found.said == []
    assert "✕ output broken: int8" in found.dom  # in the chart of accuracy


def test_gains_are_shown_without_accuracy_too(tmp_path: Path) -> None:
    found = [o for scheme in ("float32", "int8") for o in launches([9.0, 9.1, 9.2], model=variant(scheme=scheme))]
    models = [variant(scheme=scheme) for scheme in ("float32", "int8")]
    text = write_report([load(write_run(tmp_path, found, variants=models))], tmp_path).read_text(encoding="utf-8")
    table = section(text, "accuracy")
    assert "No outputs were compared: give the model a dataset in the matrix." in table
    assert "3.59× smaller" in table
    assert "Change, points" not in table


def test_a_spoilt_class_table_is_named_before_anything_is_written(tmp_path: Path) -> None:
    full_matrix(tmp_path, devices=("pixel8",), rounds=1)
    spoilt = next((tmp_path / "outputs").glob("*/confusion.csv"))
    spoilt.write_text("label,answer,count\n0,0,zero\n")
    with pytest.raises(InputError, match=r"confusion\.csv: is no table of classes"):
        write_report([load(tmp_path)], tmp_path / "out")
    assert not list((tmp_path / "out").glob("*.html"))


def test_the_scripts_behind_the_charts_are_those_of_the_version_that_altair_writes() -> None:
    assert BUNDLE.read_text(encoding="utf-8") == bundle(), "run `make vega`"
