"""What stands on the page can be told apart, and is said once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from benchbench.analysis.formatting import against
from benchbench.analysis.frames import load
from benchbench.analysis.rows import Row, rows_of
from benchbench.analysis.tally import tally
from benchbench.cli.tables import show_cases, show_models
from benchbench.execution.progress import outcome_line
from benchbench.report.figures import figures_of
from benchbench.report.markdown import report_markdown
from benchbench.report.page import render
from benchbench.report.results import Results
from benchbench.report.sections.base import shared_doubts
from benchbench.report.tables import tables_of
from benchbench.runtimes.models import inspect
from benchbench.values.outcome import Memory, Outcome
from tests.accuracy.conftest import FAMILY
from tests.conftest import InProcess
from tests.report.believable import op_profile
from tests.report.builder import conditions, launches, measurement, outcome, skip, variant, write_run


def cases_of(results: Results) -> list[Row]:
    return tables_of(results)["cases"]


def test_two_families_have_rows_columns_and_charts_of_their_own(tmp_path: Path) -> None:
    models = [variant("face"), variant("iris")]
    found = [o for m in models for o in launches([1, 1.01, 0.99], model=m)]
    profiled = measurement(1000, profile=op_profile("xnnpack", 1.0))
    found += [
        outcome(model=m).model_copy(
            update={"purpose": "profile", "measurement": profiled, "trial": f"{m.family}/profile", "round": 0}
        )
        for m in models
    ]
    results = Results((load(write_run(tmp_path, found, variants=models)),))
    tables = tables_of(results)
    assert [row["family"] for row in tables["cases"]] == ["face", "iris"]
    assert list(dict.fromkeys(row["family"] for row in tables["operations"])) == ["face", "iris"]
    assert all(
        figure.each == ("family",) or "family" in figure.each
        for figure in figures_of(results)
        if figure.table not in {"conditions", "during"}
    )


def test_several_runs_are_told_apart_by_name_and_date_and_are_not_devices(tmp_path: Path) -> None:
    runs = [
        load(write_run(tmp_path / "a", launches([1, 1.01, 0.99]), id="aaaa1111", created="2026-11-22T03:00:00+00:00")),
        load(write_run(tmp_path / "b", launches([1, 1.01, 0.99]), id="bbbb2222", created="2026-11-23T04:30:00+00:00")),
    ]
    results = Results(tuple(runs))
    assert results.places == [
        "pixel8 (mobilenet schemes, 2026-11-22 03:00)",
        "pixel8 (mobilenet schemes, 2026-11-23 04:30)",
    ]
    page = render(results)
    top = page[page.index('<p class="meta">') : page.index("<nav")]
    assert "1 device<" in top
    assert "2 runs" in top
    assert "aaaa1111" not in top
    assert not any("aaaa1111" in str(value) for row in cases_of(results) for value in dict(row).values())


def test_runs_of_one_name_and_minute_are_told_apart_by_their_folders(tmp_path: Path) -> None:
    runs = [load(write_run(tmp_path / name, launches([1, 1.01, 0.99]), id=name)) for name in ("first", "second")]
    labels = list(Results(tuple(runs)).labels.values())
    assert len(set(labels)) == 2
    assert all("2026-11-22" in label for label in labels)


def test_memory_says_what_the_model_adds_to_the_bare_process(tmp_path: Path) -> None:
    assert Memory(rss_start_mb=61.0, rss_peak_mb=83.5).added_mb == 22.5
    assert Memory(init_delta_mb=7.0, overall_delta_mb=8.5, peak_polled_mb=30.0).added_mb == 8.5
    assert Memory(pss_end_mb=3.0).added_mb is None
    results = Results((load(write_run(tmp_path, launches([1, 1.01, 0.99]))),))
    assert results.cases["added_mb"].iloc[0] == 22.0
    page = render(results)
    assert "Model adds, MB" in page
    assert "what the model adds" in page


def test_a_doubt_that_holds_for_every_row_is_said_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    models = [variant(scheme="float32"), variant(scheme="int8")]
    busy = [conditions(None, load=load) for load in (20.0, 21.0)]
    found = [
        o
        for n, m in enumerate(models)
        for o in launches([1, 1.01, 0.99, 1, 1], model=m, before=busy[n], after=conditions(None))
    ]
    results = Results((load(write_run(tmp_path, found, variants=models)),))
    assert {"busy", "no sensor"} <= {doubt.kind for doubt in shared_doubts(results)["pixel8"]}
    assert {"busy", "no sensor"} <= {kind for choice in results.choices for kind in choice.shared}
    show_cases(results.cases)
    told = capsys.readouterr().out
    assert told.count("busy") == 1
    assert "busy (every case)" in told


def test_a_case_that_failed_does_not_make_the_doubts_of_the_others_be_repeated(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    models = [variant(scheme=scheme) for scheme in ("float32", "int8", "int16x8")]
    same: dict[str, Any] = {"before": conditions(None, load=20.0), "after": conditions(None)}
    found = [o for m in models[:2] for o in launches([1, 1.01, 0.99, 1, 1], model=m, **same)]
    found += launches([1.0] * 5, model=models[2], status="failed", error="it failed to prepare.")
    show_cases(load(write_run(tmp_path, found, variants=models)).cases)
    told = capsys.readouterr().out
    assert told.count("busy") == 1
    assert "busy (every measured case)" in told
    assert ".." not in told


def test_what_is_small_is_not_shown_as_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    show_models([inspect(FAMILY / "fashion_mnist_int8.tflite").model_copy(update={"macs": 27_000})])
    assert "0.0270 M MACs" in capsys.readouterr().out


@pytest.mark.parametrize(("int8_ms", "cell"), [([4.0, 4.1], "≈ 2.96×"), ([10.0, 14.0], "cannot tell 1.01×")])
def test_a_speed_up_by_few_launches_is_claimed_alike_in_table_and_answer(
    tmp_path: Path, int8_ms: list[float], cell: str
) -> None:
    models = [variant(scheme="float32"), variant(scheme="int8")]
    found = [o for m, times in zip(models, ([12.0, 12.0], int8_ms), strict=True) for o in launches(times, model=m)]
    results = Results((load(write_run(tmp_path, found, variants=models)),))
    row = cases_of(results)[1]
    assert row["speedup_text"] == cell
    claim = against(rows_of(results.tradeoffs)[1], "speedup", "float32")
    assert ("not to be told apart" in claim) == ("cannot tell" in cell)
    assert ("2.96× faster" in claim) == ("2.96×" in cell)


MISSING = "load: Failed to initialize WebGPU environment: No adapters found"


def lost(**more: Any) -> list[Outcome]:
    """Two launches whose delegate could not be had, so that nothing was measured."""
    why = {"verdict": "unavailable", "status": "failed", "error": MISSING, "delegate": "gpu", "ms": None}
    return [outcome(round=n, **(why | more)) for n in range(2)]


def test_a_delegate_that_cannot_be_had_has_one_word_everywhere(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    models = [variant(scheme="float32"), variant(scheme="int8")]
    folder = write_run(tmp_path, [*launches([1.0] * 5), *lost(), *lost(model=models[1])], variants=models)
    results = Results((load(folder),))
    show_cases(results.cases)
    in_terminal = capsys.readouterr().out
    in_markdown = report_markdown(results)
    counts = tally(results.runs[0])
    assert counts.counts == {"measured": 1, "unavailable": 2}
    for told in (in_terminal, in_markdown, *counts.lines):
        assert "failed" not in told.replace(MISSING, "").replace("Failed", "")
        assert f"unavailable: {MISSING}"[:60] in told or "2 unavailable" in told
    row = cases_of(results)[1]
    assert (row["badge"], row["became"], row["cell"], row["why"]) == ("unavailable",) * 4
    assert results.cases["status"].tolist() == ["ok", "failed", "failed"]  # for programs, and for exit codes


def test_report_md_says_why_a_case_has_no_number(tmp_path: Path) -> None:
    failed = outcome(delegate="gpu", ms=None, status="failed", error="boom")
    folder = write_run(tmp_path, [outcome(), failed], skips=[skip("pixel8", variant(), "npu", "no NPU here")])
    rows = [line for line in report_markdown(Results((load(folder),))).splitlines() if line.startswith("| pixel8/")]
    assert [row.split(" | ")[1] for row in rows] == ["xnnpack", "failed: boom", "skipped: no NPU here"]


def test_an_endless_reason_is_shortened_in_the_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    endless = "Cannot load library: " + "no such file; " * 60
    run = load(write_run(tmp_path, [*launches([1.0] * 5), *lost(error=endless)]))
    show_cases(run.cases)
    told = capsys.readouterr().out
    launch = outcome_line(run.outcomes[-1])
    assert max(map(len, (*told.splitlines(), *tally(run).lines, launch))) < 400
    assert "UNAVAILABLE: Cannot load library" in launch
    assert "Cannot load library" in told


def test_each_recommendation_of_several_runs_names_its_own(tmp_path: Path, in_process: InProcess) -> None:
    folders = [
        write_run(tmp_path / name, launches([1.0] * 5), id=name, created=f"2026-11-2{n}T03:00:00+00:00")
        for n, name in enumerate("ab", 1)
    ]
    told = in_process("report", *map(str, folders), "--out", str(tmp_path / "both")).stderr
    assert "pixel8 (mobilenet schemes, 2026-11-21 03:00)" in told
    assert "pixel8 (mobilenet schemes, 2026-11-22 03:00)" in told


def test_a_figure_that_differs_from_case_to_case_is_an_example(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    models = [variant(scheme="float32"), variant(scheme="int8")]
    found = [
        o
        for m, load_before in zip(models, (20.0, 21.0), strict=True)
        for o in launches([1.0] * 3, model=m, before=conditions(None, load=load_before))
    ]
    show_cases(load(write_run(tmp_path, found, variants=models)).cases)
    lines = {
        line.partition(" (")[0]: line for line in capsys.readouterr().out.splitlines() if " (every case): " in line
    }
    assert "every case): e.g. load up to 20.0" in lines["busy"]
    assert "e.g." not in lines["few launches"]
