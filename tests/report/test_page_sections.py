"""The sections of a page in a real browser: surprises, delegation, classes, logs; and what axe-core finds on it."""

from __future__ import annotations

import json
import math
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pandas as pd
import pytest

from benchbench.accuracy.metrics import wilson
from benchbench.analysis.frames import Run
from benchbench.report import write_report
from benchbench.report.results import Results
from tests.beds.browser import Page
from tests.report.every_section import FAILED, MISSED, THREADS, every_section

SERIOUS = {"serious", "critical"}
TUESDAY = "mobilenet%20schemes,%202026-11-24%2003:00"


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[Run]:
    return every_section(tmp_path_factory.mktemp("runs"))


@pytest.fixture(scope="module")
def report(runs: list[Run], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_report(runs, tmp_path_factory.mktemp("report"))


@pytest.fixture
def page(report: Path, chromium: Page) -> Page:
    chromium.said.clear()
    if chromium.run("location.pathname") != str(report) or chromium.run("innerWidth") != 1300:
        chromium.open(report)
    choose(chromium, "")
    return chromium


def choose(page: Page, query: str) -> None:
    page.run("delete document.documentElement.dataset.took")
    page.run(
        f"history.replaceState(null, '', {json.dumps('#?' + query)}); dispatchEvent(new HashChangeEvent('hashchange'))"
    )
    page.wait_for("document.documentElement.dataset.took")
    page.drawn()


def whole(share: float) -> str:
    """A share in whole percent, halves rounded up as a browser does."""
    return str(math.floor(100 * share + 0.5))


def texts(page: Page, selector: str) -> list[str]:
    found: list[str] = page.run(f"[...document.querySelectorAll({selector!r})].map(one => one.innerText.trim())")
    return found


def table(page: Page, selector: str) -> list[dict[str, str]]:
    found: list[dict[str, str]] = page.run(
        "(t => { const heads = [...t.tHead.rows[0].cells].map(c => c.textContent);"
        " const cells = r => [...r.cells].map((c, n) => [heads[n], c.textContent]);"
        " return [...t.tBodies[0].rows].map(r => Object.fromEntries(cells(r)));"
        f" }})(document.querySelector({selector!r}))"
    )
    return found


def test_the_page_has_every_section_and_a_silent_console(page: Page) -> None:
    absent = page.run("document.querySelector('footer').innerText.includes('Not in this report')")
    assert not absent
    assert page.said == []


def test_the_biggest_surprises_are_the_frames_and_five_at_first(page: Page, runs: list[Run]) -> None:
    results = Results(tuple(runs))
    shown = texts(page, "#surprise-list li")
    assert len(shown) == 5
    assert page.run("[...document.querySelectorAll('section')].map(s => s.id)")[:3] == [
        "summary",
        "surprises",
        "problems",
    ]
    first = results.surprises[0]
    assert shown[0].startswith(f"{results.place(first.run, first.device)} {first}")
    told = {str(one) for one in results.surprises}
    assert all(any(one in line for one in told) for line in shown)
    page.run("document.getElementById('more-surprises').click()")
    everything = texts(page, "#surprise-list li")
    assert len(everything) == len({(one.family, one.what) for one in results.surprises})
    sizes = {(one.family, one.what): one.size for one in reversed(results.surprises)}
    assert list(sizes.values()) == sorted(sizes.values())


def test_surprises_follow_the_selection_and_lead_to_their_rows(page: Page, runs: list[Run]) -> None:
    choose(page, "device=pixel8&delegate=xnnpack")
    assert all("gpu" not in line and "pixel8" in line for line in texts(page, "#surprise-list li"))
    page.run("document.querySelector('#surprises button').click()")
    opened = texts(page, "#case-table .details")
    assert len(opened) == 1
    choose(page, "text=nothing-is-called-so")
    assert texts(page, "#surprise-list li") == []
    assert page.run("document.getElementById('no-surprises').hidden") is False


def test_delegation_is_that_of_the_frame(page: Page, runs: list[Run]) -> None:
    choose(page, "delegate=gpu&device=pixel8&scheme=dynamic-int8")
    (row,) = table(page, "#delegation-table")
    cases = pd.concat([run.cases for run in runs])
    case = cases[cases["verdict"].eq("partial") & cases["device"].eq("pixel8")].iloc[0]
    assert row["Ran on"] == case["executor"]
    assert (
        row["Nodes taken"]
        == f"{case['nodes_delegated']} of {case['nodes_total']} 62 % in {case['partitions']} partitions"
    )
    assert row["MACs taken"] == "88 %"
    assert case["macs_share"] == 0.875
    assert row["Ops left"] == case["ops_left"] == "SOFTMAX, 2 × RESIZE_BILINEAR"
    choose(page, "delegate=gpu")
    verdicts = [row["Delegation"] for row in table(page, "#delegation-table")]
    assert verdicts[0].endswith("unavailable")
    assert verdicts[-1].endswith("full")
    choose(page, "delegate=cpu")
    assert texts(page, "#delegation-said") == ["No delegate is in the selection."]


def test_a_row_tells_the_lines_that_prove_delegate_cache_and_threads(page: Page) -> None:
    choose(page, "text=pixel8 dynamic-int8 gpu t2")
    page.run("document.querySelector('#case-table .open button').click()")
    (told,) = texts(page, "#case-table .details")
    assert "2 asked for, 2 used by the tool's account" in told
    assert f"warm asked for; used: no. {MISSED}" in told
    assert THREADS.format(2) in told
    assert "SOFTMAX, 2 × RESIZE_BILINEAR" in told
    assert "secret" not in told  # the command line is told once, and not as a line of the log
    assert "Loaded model" not in told


def test_a_failure_tells_its_lines_where_the_page_is_alone(page: Page) -> None:
    page.run("document.querySelector('#problems details').open = true")
    told = texts(page, "#problems pre")
    assert all(line in told[0] for line in FAILED)
    assert "Num threads" not in told[0]


def test_the_raw_logs_of_a_failure_are_a_click_away(page: Page, report: Path) -> None:
    links = page.run("[...document.querySelectorAll('#problems td a')].map(a => [a.innerText, a.href])")
    assert links
    for words, link in links:
        log = Path(unquote(urlsplit(link).path))
        assert log.as_posix().endswith(words)
        assert all(line in log.read_text() for line in FAILED)


def test_recall_of_every_device_is_the_frames_and_follows_the_selection(page: Page, runs: list[Run]) -> None:
    choose(page, f"device=rpi5&delegate=cpu&run={TUESDAY}")
    shown = page.run(
        "[...document.querySelectorAll('#classes .grid:not(.matrix) tbody tr')]"
        ".map(r => [...r.cells].map(c => [c.textContent, c.title]))"
    )
    frame = runs[1].classes
    frame = frame[(frame["device"] == "rpi5") & (frame["delegate"] == "cpu")]
    assert len(shown) == frame["variant"].nunique()
    for row in shown:
        name = next(variant for variant in frame["variant"].unique() if row[0][0].startswith(f"{variant} "))
        mine = frame[frame["variant"] == name].sort_values("class")
        assert [text for text, _ in row[1:]] == [whole(recall) for recall in mine["recall"]]
        ends = [wilson(found, support) for found, support in zip(mine["found"], mine["support"], strict=True)]
        assert [title for _, title in row[1:]] == [
            f"{found} of {support} [{whole(low)}, {whole(high)}]"
            for found, support, (low, high) in zip(mine["found"], mine["support"], ends, strict=True)
        ]


def test_a_confusion_matrix_holds_the_counts_of_the_frame(page: Page, runs: list[Run]) -> None:
    choose(page, f"device=pixel8&delegate=cpu&run={TUESDAY}")
    counts = page.run(
        "[...document.querySelector('#classes .matrix').tBodies[0].rows]"
        ".map(r => [...r.cells].slice(1).map(c => Number(c.textContent)))"
    )
    title = page.run("document.querySelector('#classes .confusions h4').firstChild.data.trim()")
    variant_name, _, delegate = title.partition(" on ")
    frame = runs[1].confusion
    mine = frame[(frame["device"] == "pixel8") & (frame["variant"] == variant_name) & (frame["delegate"] == delegate)]
    expected = mine.pivot_table(index="label", columns="answer", values="count", fill_value=0)
    assert counts == expected.to_numpy().astype(int).tolist()


def test_what_is_told_of_a_device_follows_the_selection(page: Page) -> None:
    seen = "[...document.querySelectorAll('#canary [data-place], #devices [data-place]')].filter(e => e.offsetParent)"
    assert page.run(f"{seen}.length") == 6  # of two runs, one of them of one device
    choose(page, f"device=rpi5&run={TUESDAY}")
    canary, card = page.run(f"{seen}.map(e => e.innerText)")
    assert canary.startswith("rpi5")
    assert card.startswith("rpi5")
    choose(page, "text=nothing-is-called-so")
    assert page.run(f"{seen}.length") == 0
    assert texts(page, "#canary .unselected, #devices .unselected") == ["Nothing of this is in the selection."] * 2
    assert page.run("document.querySelectorAll('#canary .unselected[hidden]').length") == 0


def test_cells_that_the_selection_leaves_out_are_said_to_be_so(page: Page) -> None:
    choose(page, "delegate=xnnpack")
    cells = page.run(
        "[...document.querySelectorAll('#overview svg .mark-text.role-mark text')].map(t => t.textContent)"
    )
    assert "unselected" not in cells  # whole rows and columns are gone
    choose(page, "headlines=1")
    cells = page.run(
        "[...document.querySelectorAll('#overview svg .mark-text.role-mark text')].map(t => t.textContent)"
    )
    assert "unselected" in cells


def test_panels_that_make_a_page_too_large_are_told_to_be_in_a_file(
    runs: list[Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    from benchbench.report import classes

    monkeypatch.setattr(classes, "MOST_BYTES", 1)
    tables = classes.class_tables(Results(tuple(runs)))
    assert len(tables.panels) == 1
    assert tables.left == 2


def test_names_of_runs_leave_the_titles_of_the_next_row_of_the_history_alone(page: Page) -> None:
    boxes = (
        "[...document.querySelectorAll('#history svg {} text')].map(t => [t.textContent, t.getBoundingClientRect()])"
        ".filter(([words]) => words).map(([words, b]) => [b.left, b.top, b.right, b.bottom, words])"
    )
    titles = page.run(boxes.format(".role-title, #history svg .column_header"))
    labels = [box for box in page.run(boxes.format(".role-axis-label")) if "03:00" in box[4]]
    assert len({top for _, top, *_ in titles}) > 1  # rows of charts
    assert labels
    for left, top, right, bottom, words in titles:
        beneath = [b for b in labels if b[0] < right and left < b[2] and b[1] < bottom and top < b[3]]
        assert not beneath, (words, beneath)


def test_on_a_phone_the_column_that_stays_leaves_room_for_others(report: Path, chromium: Page) -> None:
    chromium.open(report, width=390)
    widths = chromium.run(
        "[...document.querySelectorAll('.scroll')].map(box => [box.ariaLabel, box.clientWidth,"
        " ...[...box.querySelectorAll('tbody th:not([colspan])')].map(head => head.offsetWidth)])"
    )
    staying = [(name, max(columns) / box) for name, box, *columns in widths if columns]
    assert len(staying) > 4
    assert [one for one in staying if one[1] > 0.5] == []


@pytest.mark.parametrize(("dark", "width"), [(False, 1200), (True, 390)])
def test_axe_finds_nothing_serious(report: Path, chromium: Page, dark: bool, width: int) -> None:
    chromium.open(report, dark=dark, width=width)
    for opened in ("#case-table .open button", "#limits summary"):
        chromium.run(f"document.querySelector({opened!r})?.click()")
    chromium.run("document.querySelectorAll('#main details, .facet').forEach(d => { d.open = true; })")
    chromium.run(files("axe_core_python").joinpath("axe.min.js").read_text(encoding="utf-8") + "; undefined")
    found: list[dict[str, Any]] = chromium.run(
        "axe.run(document, { resultTypes: ['violations'] }).then(r => r.violations.map(v =>"
        " ({ id: v.id, impact: v.impact, nodes: v.nodes.map(n => n.html.slice(0, 200) + ' ' + n.failureSummary) })))"
    )
    serious = [one for one in found if one["impact"] in SERIOUS]
    assert serious == [], json.dumps(serious, indent=1)
