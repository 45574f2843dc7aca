"""One selection for all of a page in a real browser: charts, tables, answers and links follow it."""

from __future__ import annotations

import csv
import io
import time
from pathlib import Path

import pandas as pd
import pytest

from benchbench.analysis.frames import Run, load
from benchbench.report import write_report
from benchbench.values import formatting
from benchbench.values.quantities import QUANTITIES
from tests.beds.browser import Page
from tests.report.believable import SPEED
from tests.report.builder import launches, variant, write_run
from tests.report.case_table import rows, write_text

EMPTY = pd.Series(dtype=float)


def test_every_number_in_the_table_is_the_frames(report: Path, page: Page) -> None:
    cases = load(report).cases
    shown = rows(page)
    assert len(shown) == len(cases)
    told = [one for one in QUANTITIES if one.heading and one.case and cases.get(one.case_column, EMPTY).notna().any()]
    assert {one.column_title for one in told} <= set(shown[0])
    for row, (_, case) in zip(shown, cases.iterrows(), strict=True):
        said = [case["device"], case["family"], str(case["launches"])]
        assert [row["Device"], row["Family"], row["Launches"].split(" of ")[0]] == said
        assert row["Median"].split(" ✕")[0].strip("()") == formatting.time(case["median_ms"])
        assert row["95 % interval" if "95 % interval" in row else "Interval"] == formatting.interval(
            case["low_ms"], case["high_ms"]
        )
        assert row["CV"] == ("–" if pd.isna(case["between_cv"]) else f"{case['between_cv']:.1%}".replace("%", " %"))
        assert row["Threads"].split(" @")[0] == str(case["threads"])
        assert {one.column_title: row[one.column_title] for one in told} == {
            one.column_title: one.cell(case[one.case_column]) for one in told
        }
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


def test_many_devices_are_answered_in_a_line_a_family(tmp_path: Path, chromium: Page) -> None:
    outcomes = []
    for n in range(7):
        int8_ms = 12.0 if n == 6 else 3.0  # one device on which int8 is the slower one
        for model, ms in ((variant(), 9.0 + n / 10), (variant(scheme="int8"), int8_ms + n / 10)):
            measured = launches([ms * (1 + k / 500) for k in range(6)], model=model, device=f"phone{n}")
            scores = {"n": 2000, "dataset": "ab", "top1": 0.9}
            scored = {"purpose": "accuracy", "trial": f"{measured[0].case}/accuracy", "accuracy": scores}
            outcomes += [*measured, measured[0].model_copy(update=scored)]
    models = [variant(), variant(scheme="int8")]
    chromium.open(write_report([load(write_run(tmp_path, outcomes, variants=models))], tmp_path))
    tally = "document.getElementById('answers-tally').innerText"
    assert chromium.run(tally) == (
        "mobilenet_v2: int8 on xnnpack, 1 thread on 6 of 7 devices; float32 on xnnpack, 1 thread on 1 of 7 devices"
    )
    chromium.run("location.hash = '#?limit.median_ms=3.15'")
    chromium.drawn()
    assert "int8 on xnnpack, 1 thread on 2 of 7 devices" in chromium.run(tally)
    assert "no case is within these limits on 5 of 7 devices" in chromium.run(tally)
    chromium.run("location.hash = '#?device=phone6'")
    chromium.drawn()
    assert chromium.run("document.getElementById('answers-tally').hidden")  # a card says it
