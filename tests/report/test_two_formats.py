"""One network in both formats, side by side on the page."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchbench.analysis.frames import Run, load
from benchbench.analysis.intervals import ratio_of
from benchbench.analysis.rows import rows_of
from benchbench.analysis.two_formats import pairs_of
from benchbench.report import write_report
from benchbench.report.results import Results
from benchbench.report.sections import two_formats
from benchbench.values import formatting
from benchbench.values.case import Variant
from benchbench.values.outcome import Delegation, Outcome
from tests.beds.browser import CHROMIUM, Page, browser
from tests.report.builder import launches, variant, write_run

MLAS = Delegation(asked="ort-cpu", verdict="full", evidence="CPUExecutionProvider: 5 nodes")
FAST, SLOW = [10.0, 10.1, 9.9, 10.05, 10.02, 9.97], [13.0, 13.1, 12.9, 13.05, 13.02, 12.97]


def onnx(scheme: str = "float32") -> Variant:
    return variant(scheme=scheme, name=f"{scheme}.onnx").model_copy(update={"format": "onnx", "size_mb": 14.2})


def run_of(folder: Path, *outcomes: list[Outcome], extra: tuple[Variant, ...] = ()) -> Run:
    return load(write_run(folder, [one for group in outcomes for one in group], variants=(onnx(), *extra)))


def shown(page: Page) -> list[list[str]]:
    """The cells of the table's rows that can be seen, its heading first."""
    script = (
        "[...document.querySelectorAll('#formats-table tr')].filter(row => row.offsetParent !== null)"
        ".map(row => [...row.cells].map(cell => cell.textContent))"
    )
    rows: list[list[str]] = page.run(script)
    return rows


@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here: install chromium")
def test_the_page_shows_both_best_cpu_paths_with_the_numbers_of_the_frame(tmp_path: Path) -> None:
    plain = [time * 4 for time in FAST]
    run = run_of(
        tmp_path,
        launches(plain, delegate="cpu"),
        launches(FAST, delegate="xnnpack"),
        launches([time / 3 for time in FAST], delegate="gpu"),
        launches(SLOW, delegate="ort-cpu", model=onnx(), delegation=MLAS),
    )
    results = Results([run])
    (pair,) = pairs_of(results.cases)
    assert (pair.base["delegate"], pair.new["delegate"]) == ("xnnpack", "ort-cpu")
    assert (pair.speed.value, pair.speed.verdict) == (ratio_of(FAST, SLOW), "slower")
    with browser(tmp_path / "profile") as page:
        page.open(write_report([run], tmp_path), width=390)
        box = "getBoundingClientRect()"
        beyond = page.run(
            f"document.querySelector('#formats-table .told').{box}.right"
            f" - document.querySelector('#formats .scroll').{box}.right"
        )
        heads, told, *sides = shown(page)
        page.run("location.hash = '#?delegate=xnnpack'; new Promise(done => setTimeout(done, 100))")
        page.drawn()
        alone = shown(page)
    assert beyond < 0, "the answer is read without scrolling sideways"
    assert "ONNX Runtime is 1.30×" in told[0]
    assert told[0].endswith("slower than LiteRT")
    assert alone == [heads], "of a pair one side is not selected"
    frame = {row["case"]: row for row in rows_of(run.cases)}
    told_of = [dict(zip(heads, cells, strict=True)) for cells in sides]
    for cells, case in zip(told_of, (pair.base["case"], pair.new["case"]), strict=True):
        row = frame[case]
        assert cells["Median"] == formatting.time(row["median_ms"])
        assert cells["95 % interval"] == formatting.interval(row["low_ms"], row["high_ms"])
        assert cells["Init"] == formatting.time(row["init_ms"])
        assert cells["File, MB"].startswith(formatting.number(row["size_mb"]))
        assert cells["Model adds, MB"].startswith(formatting.number(row["added_mb"]))
        assert (cells["Ran on"], cells["Delegation"]) == (row["executor"], "full")
    assert [cells["Runtime"] for cells in told_of] == ["LiteRT", "ONNX Runtime"]


def test_the_doubts_of_either_side_stand_with_the_ratio(tmp_path: Path) -> None:
    slow, alike = [time * 8 for time in FAST], [time * 1.015 for time in FAST]
    run = run_of(
        tmp_path,
        launches(FAST, threads=1),
        launches(slow, threads=2),
        *(launches(alike, delegate="ort-cpu", model=onnx(), delegation=MLAS, threads=n) for n in (1, 2)),
    )
    made = two_formats.section(Results([run]))
    assert made is not None
    told = {pair["title"].rpartition(" · ")[2]: pair for pair in made.content["pairs"]}
    assert told["1 thread"]["doubts"] == []
    assert "within 3 %" in told["1 thread"]["told"]
    (doubt,) = told["2 threads"]["doubts"]
    assert doubt.startswith("LiteRT: slow threads: ")


def test_few_launches_tell_nothing_and_say_so(tmp_path: Path) -> None:
    run = run_of(tmp_path, launches(FAST[:2]), launches(SLOW[:2], delegate="ort-cpu", model=onnx(), delegation=MLAS))
    made = two_formats.section(Results([run]))
    assert made is not None
    assert "too few launches" in made.content["pairs"][0]["told"]


@pytest.mark.parametrize(
    "other",
    [
        launches(SLOW, delegate="ort-cpu", model=onnx(), delegation=MLAS, threads=2),
        launches(SLOW, delegate="ort-cpu", model=onnx("int8"), delegation=MLAS),
        launches(SLOW, delegate="ort-cpu", model=onnx(), delegation=MLAS, device="rpi5"),
        launches(SLOW, delegate="ort-openvino", model=onnx(), verdict="none"),
        launches(SLOW),
    ],
    ids=["threads", "scheme", "device", "provider", "format"],
)
def test_what_is_not_equal_in_both_is_not_held_against_each_other(tmp_path: Path, other: list[Outcome]) -> None:
    run = run_of(tmp_path, launches(FAST, delegate="cpu"), other, extra=(onnx("int8"),))
    assert two_formats.section(Results([run])) is None


def test_another_network_or_one_that_was_trained_again_is_left_out(tmp_path: Path) -> None:
    for kin in (
        {"network": "float32.onnx", "because": "others"},
        {"relation": "retrained", "because": "other weights"},
    ):
        alien = onnx().model_dump() | {"kin": kin}
        other = launches(SLOW, delegate="ort-cpu", model=onnx(), delegation=MLAS)
        folder = tmp_path / str(len(kin["because"]))
        run = run_of(folder, launches(FAST), other, extra=(Variant.model_validate(alien),))
        assert two_formats.section(Results([run])) is None
