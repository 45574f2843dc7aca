"""What an opened row says of the slowest inferences within a launch, and where it offers to be done again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchbench.analysis.frames import Run, load
from benchbench.analysis.rows import rows_of
from benchbench.modes.latency import with_tail
from benchbench.report import write_report
from benchbench.report.results import Results
from benchbench.report.tails import tails_of
from benchbench.runtimes.script_runner import PERCENTILES
from benchbench.values.outcome import Outcome
from benchbench.values.quantities import case_quantity
from tests.beds.browser import Page
from tests.report.builder import outcome, skip, variant, write_run

CASE = "pixel8/mobilenet_v2.{}/xnnpack/t1"
NO_SERIES = "its tool tells no series of inferences"


def launched(scheme: str, inferences: int, *, each: bool) -> Outcome:
    """A launch of so many inferences, each told by its tool or not."""
    made = outcome(model=variant(scheme=scheme))
    times = made.measurement.timings
    if each:
        samples = tuple(1000.0 + 3 * n for n in range(inferences))
        times = times.model_copy(update={"samples": samples, "percentile_method": PERCENTILES})
    told = made.measurement.model_copy(update={"timings": times, "runs": inferences})
    return with_tail(made.model_copy(update={"measurement": told}))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    long, short = launched("float32", 700, each=True), launched("int8", 63, each=True)
    outcomes = [long, short, launched("float16", 100, each=True), launched("int4", 900, each=False)]
    variants = [variant(scheme=scheme) for scheme in ("float32", "int8", "float16", "int4")]
    skips = [skip("pixel8", variants[0], "edgetpu", "it is not compiled")]
    return load(write_run(tmp_path_factory.mktemp("run"), outcomes, variants=variants, skips=skips))


def test_a_bound_is_the_frames_and_where_there_is_none_it_is_said_why(run: Run) -> None:
    said = {case.split(".")[1].split("/")[0]: lines for (_, case), lines in tails_of(Results((run,))).items()}
    frame = {row["case"]: row for row in rows_of(run.cases)}

    def bound(scheme: str, column: str) -> str:
        quantity = case_quantity(column)
        return f"{quantity.label} {quantity.text(frame[CASE.format(scheme)][column])}"

    assert said["float32"] == [bound("float32", "p90_ms"), bound("float32", "p99_ms")]
    assert said["float16"][0] == bound("float16", "p90_ms")
    ends = [line.rpartition(" unknown: ")[2] for line in (said["float16"][1], *said["int8"], *said["int4"])]
    needs = [f"needs {n} inferences a launch" for n in (662, 64, 662)]
    assert ends == [*needs, NO_SERIES, NO_SERIES]


def test_a_run_of_before_the_bounds_does_not_ask_for_more_inferences(tmp_path: Path) -> None:
    before = launched("float32", 700, each=True).model_copy(update={"quantities": {}})
    (lines,) = tails_of(Results((load(write_run(tmp_path, [before])),))).values()
    assert all(" unknown: " in line and "needs" not in line and NO_SERIES not in line for line in lines)


def test_an_opened_row_tells_them_and_offers_again_what_was_planned(run: Run, chromium: Page, tmp_path: Path) -> None:
    chromium.open(write_report([run], tmp_path))
    chromium.run("document.querySelectorAll('#case-table .open button').forEach(one => one.click())")
    rows = "[...document.querySelectorAll('#case-table tr.details')]"
    shown = chromium.run(f"{rows}.map(r => [r.previousElementSibling.firstChild.firstChild.ariaLabel, r.innerText])")
    opened = {label.removeprefix("Evidence of "): text for label, text in shown}
    for (_, case), lines in tails_of(Results((run,))).items():
        assert "; ".join(lines) in opened.pop(case)
    (skipped,) = opened.values()
    assert "benchbench run --again" not in skipped
    assert all("benchbench run --again" in text for label, text in shown if text is not skipped)


def test_a_run_without_a_plan_offers_no_row_again(chromium: Page, tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run", [outcome()], trials=[])
    assert json.loads((folder / "run.json").read_text())["trials"] == []
    chromium.open(write_report([load(folder)], tmp_path))
    chromium.run("document.querySelector('#case-table .open button').click()")
    told = chromium.run("document.querySelector('#case-table .details').innerText")
    assert "Evidence" in told
    assert "--again" not in told
