"""The page in a real browser: what it draws, chooses and selects; it escapes, and asks nobody for anything."""

from __future__ import annotations

import csv
import io
import json
import re
import time
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from benchbench.analysis.frames import Run, load
from benchbench.report import write_report
from benchbench.report.classes import class_tables
from benchbench.report.page import render
from benchbench.report.results import Results
from benchbench.report.tables import tables_of
from benchbench.values import formatting
from benchbench.values.errors import InputError, NothingToDo
from benchbench.values.outcome import OpTime, Profile
from tests.beds.browser import CHROMIUM, Page, browser
from tests.report.believable import SPEED, full_matrix
from tests.report.builder import launches, outcome, variant, write_run
from tests.report.vega import BUNDLE, bundle

HOSTILE = "<script>alert(1)</script>"
LONG = "n" * 200

needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here: install chromium")


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report on a matrix with a good and a bad day, and names that want to break out."""
    folder = tmp_path_factory.mktemp("run")
    hostile = [variant(scheme="int8", name=name) for name in (HOSTILE, LONG, "int8_$x$ </script><!-- 量化")]
    full_matrix(folder, devices=("pixel8", "rpi5"), extra=hostile, rounds=5)
    write_report([load(folder)], folder)
    return folder


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    if CHROMIUM is None:
        pytest.skip("there is no Chromium here: install chromium")
    with browser(tmp_path_factory.mktemp("profile")) as page:
        yield page


@pytest.fixture
def page(report: Path, chromium: Page) -> Page:
    """The report, with nothing selected."""
    chromium.said.clear()
    if chromium.run("location.pathname") != str(report / "index.html") or chromium.run("innerWidth") != 1300:
        chromium.open(report / "index.html")
    chromium.run("location.hash = '#'")
    chromium.run("new Promise(done => setTimeout(done, 50))")
    chromium.drawn()
    return chromium


def write_text(page: Page, words: str) -> None:
    page.run(
        f"(f => {{ f.value = {json.dumps(words)}; f.dispatchEvent(new Event('input')); }})"
        "(document.getElementById('filter'))"
    )
    page.drawn()


def rows(page: Page) -> list[dict[str, str]]:
    """The table of cases as it is shown."""
    page.run("(b => b.hidden || b.click())(document.getElementById('more-cases'))")
    found: list[dict[str, str]] = page.run(
        "(t => { const heads = [...t.tHead.rows[0].cells].map(c => c.textContent);"
        " return [...t.querySelectorAll('tr[data-case]')].map("
        "r => Object.fromEntries([...r.cells].map((c, n) => [heads[n], c.textContent]))); })"
        "(document.getElementById('case-table'))"
    )
    return found


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


def test_every_number_in_the_table_is_the_frames(report: Path, page: Page) -> None:
    cases = load(report).cases
    shown = rows(page)
    assert len(shown) == len(cases)
    for row, (_, case) in zip(shown, cases.iterrows(), strict=True):
        said = [case["device"], case["family"], str(case["launches"])]
        assert [row["Device"], row["Family"], row["Launches"].split(" of ")[0]] == said
        assert row["Median"].split(" ✕")[0].strip("()") == formatting.time(case["median_ms"])
        assert row["95 % interval" if "95 % interval" in row else "Interval"] == formatting.interval(
            case["low_ms"], case["high_ms"]
        )
        assert row["Peak RSS, MB"] == ("–" if pd.isna(case["rss_peak_mb"]) else formatting.number(case["rss_peak_mb"]))
        assert row["Median"].startswith("(") == (not case["headline"] and not pd.isna(case["median_ms"]))


def test_what_fell_back_is_shown_as_what_ran(page: Page) -> None:
    fallen = [row for row in rows(page) if "unavailable" in row["Delegation"]]
    assert fallen
    assert all(row["Ran on"] == "xnnpack (gpu unavailable)" and row["Median"].startswith("(") for row in fallen)
    words = page.run("document.querySelector('#latency').textContent")
    assert "not on gpu: xnnpack (gpu unavailable)" in words  # in the place of a bar


def test_one_selection_is_followed_by_every_figure_and_table_and_kept_in_links(page: Page) -> None:
    page.run("location.hash = '#latency?device=rpi5&delegate=xnnpack'")
    page.drawn()
    assert {(row["Device"], row["Asked for"]) for row in rows(page)} == {("rpi5", "xnnpack")}
    assert page.run("[...document.querySelectorAll('#answers .card h3')].map(h => h.firstChild.data.trim())") == [
        "rpi5"
    ]
    captions = page.run("[...document.querySelectorAll('figcaption')].map(c => c.textContent)")
    assert captions
    assert not any("pixel8" in caption for caption in captions)
    assert "Nothing of this is in the selection." in page.run("document.getElementById('overview').innerText")
    assert page.run("document.querySelectorAll('#latency svg .mark-rect.role-mark path').length") == len(SPEED) + 3
    links = page.run("[...document.querySelectorAll('nav a')].map(a => a.getAttribute('href'))")
    assert all(link.endswith("?device=rpi5&delegate=xnnpack") for link in links)
    assert page.run("document.querySelectorAll('.facet summary.chosen').length") == 2
    page.run("document.getElementById('reset').click()")
    page.drawn()
    assert {row["Device"] for row in rows(page)} == {"pixel8", "rpi5"}
    assert "?" not in page.run("document.querySelector('nav a').getAttribute('href')")


@pytest.mark.parametrize("words", ["rpi5 xnnpack int8", "partial gpu", "t4 cpu"])
def test_the_text_finds_cases_by_all_of_its_words(page: Page, words: str) -> None:
    everything = len(rows(page))
    write_text(page, words)
    found = rows(page)
    assert 0 < len(found) < everything
    for row in found:
        told = " ".join([*row.values(), f"t{row['Threads']}"]).lower()
        assert all(word in told for word in words.split())


@needs_browser
@pytest.mark.parametrize(("asked", "found"), [("int8 cpu", 0), ("int8 xnnpack", 1), ("partial", 1)])
def test_the_text_does_not_find_who_ran_the_rest(tmp_path: Path, chromium: Page, asked: str, found: int) -> None:
    model = variant(scheme="int8")
    partly = launches([1, 1.01, 0.99], model=model, delegate="xnnpack", verdict="partial")
    chromium.open(write_report([load(write_run(tmp_path, partly, variants=[model]))], tmp_path))
    assert [row["Ran on"] for row in rows(chromium)] == ["xnnpack, rest on cpu"]
    write_text(chromium, asked)
    assert len(rows(chromium)) == found


def test_columns_are_sorted_by_their_numbers(report: Path, page: Page) -> None:
    page.run("[...document.querySelectorAll('#case-table th button')].find(b => b.textContent === 'Median').click()")
    shown = [row["Median"].split(" ✕")[0].strip("()") for row in rows(page)]
    known = [formatting.time(ms) for ms in sorted(load(report).cases["median_ms"].dropna())]
    assert shown[: len(known)] == known
    assert set(shown[len(known) :]) == {"–"}
    assert page.run("document.querySelector('#case-table [aria-sort]').ariaSort") == "ascending"


def test_the_answers_are_those_of_the_frames_and_follow_the_limits(report: Path, page: Page) -> None:
    run = load(report)
    for most in (1, 0, 10):
        page.run(f"location.hash = '#?limit.loss={most}'")
        page.drawn()
        shown = page.run("[...document.querySelectorAll('#answers .card')].map(c => c.dataset.pick)")
        assert shown == recommended(run, most / 100)
    page.run("location.hash = '#?limit.median_ms=0.001'")
    page.drawn()
    assert "No case is within these limits." in page.run("document.getElementById('answers').innerText")


def recommended(run: Run, most: float) -> list[str | None]:
    from benchbench.analysis.recommend import recommend

    return [found.case for found in recommend(run.cases, loses_at_most=most)]


def test_a_row_opens_its_evidence_its_log_and_how_to_do_it_again(report: Path, page: Page) -> None:
    write_text(page, "int16x8 gpu pixel8 t1")
    page.run("document.querySelector('#case-table .open button').click()")
    told = page.run("document.querySelector('#case-table .details').innerText")
    assert "the model graph will not be executed by it" in told
    assert "benchbench run --again" in told
    assert "--only pixel8/mobilenet_v2.int16x8/gpu/t1" in told


def test_the_csv_holds_the_selected_cases(report: Path, page: Page, tmp_path: Path) -> None:
    write_text(page, "rpi5 int4 t2")
    page.call("Page.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path))
    page.run("document.getElementById('csv').click()")
    until = time.monotonic() + 60
    while not (saved := tmp_path / "cases.csv").is_file() and time.monotonic() < until:
        time.sleep(0.05)
    text = saved.read_text(encoding="utf-8-sig")
    found = list(csv.DictReader(io.StringIO(text)))
    cases = load(report).cases
    mine = cases[(cases["device"] == "rpi5") & (cases["variant"] == "int4") & (cases["threads"] == 2)]
    assert {row["case"]: float(row["median_ms"]) for row in found if row["median_ms"]} == pytest.approx(
        dict(zip(mine["case"], mine["median_ms"].dropna(), strict=False)), rel=1e-5
    )


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


@needs_browser
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


@needs_browser
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


def test_each_device_has_its_table_of_gains_and_costs_with_their_intervals(page: Page) -> None:
    tables = page.run("[...document.querySelectorAll('#tradeoffs table')].map(t => t.innerText)")
    assert len(tables) == 2
    for words in ("× float32, same delegate", "× best float of the device", "Agreement", "SQNR, dB", "Model adds, MB"):
        assert all(words in table for table in tables)
    about = page.run("document.getElementById('tradeoffs').innerText")
    assert "Top-1 accuracy over 2,000 samples. Changes are against float32 on cpu, 4 threads." in about
    assert "what the model adds" in about
    row = page.run(
        "[...document.querySelectorAll('#tradeoffs tbody tr')]"
        ".find(r => r.cells[0].innerText.startsWith('int8\\n')).innerText"
    )
    assert re.search(r"\d\.\d\d×\s+\[\d\.\d\d, \d\.\d\d\]", row)
    assert re.search(r"9\d\.\d %\s+\[8\d\.\d, 9\d\.\d\]", row)
    assert re.search(r"−0\.\d\s+\[−\d\.\d, [−+]0\.\d\]", row)
    assert "98.7%" in row


def test_recall_and_confusions_say_what_they_are(page: Page) -> None:
    found = page.run(
        "(s => [s.querySelectorAll('.confusions').length, s.querySelectorAll('.matrix').length, s.textContent])"
        "(document.getElementById('classes'))"
    )
    assert found[:2] == [2, 6]  # a device each, with the base, the recommended, the one that loses most
    for role in ("baseline", "recommended", "loses most"):
        assert page.run(f"[...document.querySelectorAll('#classes .muted')].some(e => e.textContent === {role!r})")
    assert "<script>alert(2)</script>" in found[2]  # the name of a class


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


def test_a_row_of_recall_names_what_ran_and_not_what_was_asked_for(page: Page) -> None:
    heads = page.run("[...document.querySelectorAll('#classes .grid:not(.matrix) tbody th')].map(h => h.textContent)")
    assert "int16x8 xnnpack (gpu took nothing)" in heads
    assert not any(head.startswith("int16x8 gpu") for head in heads)


def test_classes_lie_beside_the_page(report: Path) -> None:
    classes, confusion = pd.read_csv(report / "classes.csv"), pd.read_csv(report / "confusion.csv")
    assert {"device", "variant", "class", "name", "support", "recall", "recall_low"} <= set(classes.columns)
    assert confusion["count"].sum() == classes["support"].sum()
    assert "classes.csv" in (report / "index.html").read_text(encoding="utf-8")


def test_a_thousand_classes_leave_a_small_page_with_the_worst_and_the_most_changed(tmp_path: Path) -> None:
    names = [f"class name {n}" for n in range(1000)]
    full_matrix(tmp_path, devices=("pixel8",), rounds=1, classes=names)
    results = Results((load(tmp_path),))
    tables = class_tables(results)
    (panel,) = tables.panels
    assert panel["total"] == 1000
    assert 0 < len(panel["classes"]) <= 12
    assert len(tables.names["mobilenet_v2"]) < 80
    assert [len(one["mistakes"]) for one in panel["confusions"]] == [12, 12, 12]
    assert all(one["cells"] is None for one in panel["confusions"])
    assert len(render(results)) < 1_500_000


def broken_run(folder: Path) -> Path:
    """int8 is fast and wrong; nothing has labels."""
    scored: list[Any] = []
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


@needs_browser
def test_a_broken_or_odd_output_is_unmistakable_wherever_its_time_stands(tmp_path: Path, chromium: Page) -> None:
    chromium.said.clear()
    chromium.open(write_report([load(broken_run(tmp_path))], tmp_path))
    said = {
        name: chromium.run(f"document.getElementById('{name}').textContent")
        for name in ("summary", "cases", "accuracy")
    }
    assert chromium.run("document.querySelector('.choice').textContent") == "float16 on xnnpack, 1 thread"
    assert "int8 on xnnpack, 1 thread is faster (2.00 ms) but breaks an output: " in said["summary"]
    assert said["cases"].count("✕ output broken") == 1
    assert chromium.run("document.getElementById('tradeoffs').textContent").count("✕ output broken") == 1
    assert "every value is zero" in said["accuracy"]
    assert "broken output" in said["cases"]
    assert "12.0% of the values are cut off" in said["summary"]
    assert "odd output" in said["cases"]
    for name in ("latency", "phases", "memory"):
        assert "Pale: an output is broken" in chromium.run(f"document.getElementById('{name}').textContent")
    assert "OUTPUT BROKEN" in chromium.run("document.querySelector('#latency svg').textContent")  # at its bar
    assert "✕ output broken: int8" in chromium.run("document.querySelector('#accuracy svg').textContent")
    assert chromium.said == []


@needs_browser
def test_gains_are_shown_without_accuracy_too(tmp_path: Path, chromium: Page) -> None:
    found = [
        *launches([9.0, 9.1, 9.2], model=variant(scheme="float32")),
        *launches([3.0, 3.1, 3.2], model=variant(scheme="int8")),
    ]
    models = [variant(scheme=scheme) for scheme in ("float32", "int8")]
    chromium.open(write_report([load(write_run(tmp_path, found, variants=models))], tmp_path))
    table = chromium.run("document.getElementById('accuracy').textContent")
    assert "No outputs were compared: give the model a dataset in the matrix." in table
    assert "3.59× smaller" in table
    assert "Change, points" not in table
    answer = chromium.run("document.querySelector('#answers .card').textContent")
    assert "The fastest case is int8 on xnnpack, 1 thread (3.10 ms)." in answer


def test_a_spoilt_class_table_is_named_before_anything_is_written(tmp_path: Path) -> None:
    full_matrix(tmp_path, devices=("pixel8",), rounds=1)
    spoilt = next((tmp_path / "outputs").glob("*/confusion.csv"))
    spoilt.write_text("label,answer,count\n0,0,zero\n")
    with pytest.raises(InputError, match=r"confusion\.csv: is no table of classes"):
        write_report([load(tmp_path)], tmp_path / "out")
    assert not list((tmp_path / "out").glob("*.html"))


def test_the_scripts_behind_the_figures_are_those_of_the_version_that_compiles_them() -> None:
    assert BUNDLE.read_text(encoding="utf-8") == bundle(), "run `make vega`"
