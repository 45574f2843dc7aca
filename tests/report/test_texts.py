"""report.md and report.json: what the page says, for a pull request and for programs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from benchbench.analysis.columns import CASES, COMPARISON, SCORED
from benchbench.analysis.comparison_text import MOST_ROWS
from benchbench.analysis.frames import load
from benchbench.report import write_report
from benchbench.report.markdown import report_markdown
from benchbench.report.record import report_schema
from benchbench.report.results import Results
from benchbench.values.errors import InputError
from tests.report.believable import full_matrix
from tests.report.builder import launches, outcome, skip, variant, write_run

BASE, SLOWER = [10.0, 10.1, 9.9, 10.05, 10.0], [12.0, 12.1, 11.9, 12.05, 12.0]
CASE = "pixel8/mobilenet_v2.float32/xnnpack/t1"
TUESDAY: dict[str, Any] = {"id": "tuesday", "created": "2026-11-23T03:00:00+00:00"}


def two_runs(folder: Path) -> Results:
    gpu = launches([5.0] * 5, delegate="gpu")
    return Results(
        (
            load(write_run(folder / "a", [*launches(BASE), *gpu], id="monday")),
            load(write_run(folder / "b", [*launches(SLOWER), *gpu], **TUESDAY)),
        )
    )


def record(folder: Path) -> Any:
    return json.loads((folder / "report.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def matrix(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    full_matrix(folder, devices=("pixel8", "rpi5"), rounds=5)
    write_report([load(folder)], folder)
    return folder


def test_the_record_has_the_cases_of_the_frame_and_no_column_without_a_meaning(matrix: Path) -> None:
    found = record(matrix)
    Draft202012Validator(report_schema()).validate(found)
    frame = load(matrix).cases
    assert [row["case"] for row in found["cases"]] == list(frame["case"])
    for row, (_, of_frame) in zip(found["cases"], frame.iterrows(), strict=True):
        assert row.keys() <= CASES.keys() | SCORED.keys()
        assert row["median_ms"] == (None if of_frame.isna()["median_ms"] else of_frame["median_ms"])
        assert row["samples_ms"] == list(of_frame["samples_ms"])
        assert [doubt["kind"] for doubt in row["doubts"]] == [doubt.kind for doubt in of_frame["doubts"]]
    (run,) = found["runs"]
    assert run["label"] == "mobilenet schemes, 2026-11-22 03:00"
    assert sum(run["counts"].values()) == len(frame)
    assert {one["device"] for one in found["recommendations"]} == {"pixel8", "rpi5"}
    assert found["comparison"] is None


def test_of_two_runs_the_record_says_what_changed_and_whose_the_sides_are(tmp_path: Path) -> None:
    results = two_runs(tmp_path)
    write_report(results.runs, tmp_path / "out")
    found = record(tmp_path / "out")
    Draft202012Validator(report_schema()).validate(found)
    compared = found["comparison"]
    assert (compared["base_runs"], compared["new_run"]) == (["monday"], "tuesday")
    assert compared["verdict"] == "regression"
    assert list(compared["failing"]) == [CASE]
    rows = {row["case"]: row for row in compared["cases"]}
    assert all(row.keys() == COMPARISON.keys() for row in rows.values())
    assert rows[CASE]["verdict"] == "slower"
    assert rows[CASE]["ratio"] == pytest.approx(1.2, abs=0.01)
    assert {one["quantity"] for one in compared["quantities"]} >= {"init_ms", "added_mb"}


def test_the_text_names_runs_by_name_and_date_and_never_by_their_ids(tmp_path: Path) -> None:
    text = report_markdown(two_runs(tmp_path))
    assert "mobilenet schemes, 2026-11-23 03:00 against mobilenet schemes, 2026-11-22 03:00" in text
    assert "1 device, 2 runs" in text
    assert not {"monday", "tuesday"} & set(text.split())
    row = next(line for line in text.splitlines() if line.startswith(f"| {CASE}") and "slower" in line)
    assert "12.0 ms" in row


def test_the_text_says_what_to_ship_and_folds_the_cases(matrix: Path) -> None:
    text = (matrix / "report.md").read_text(encoding="utf-8")
    shipped, folded = text.split("<details>", 1)
    for found in record(matrix)["recommendations"]:
        assert f"- **{found['device']} · {found['family']}**: " in shipped
        assert found["choice"] in shipped
    cases = [line for line in folded.splitlines() if line.startswith("| pixel8/") or line.startswith("| rpi5/")]
    assert len(cases) == min(MOST_ROWS, len(record(matrix)["cases"]))
    assert text.index("1 device" if len(load(matrix).manifest.devices) == 1 else "2 devices") < text.index("<details>")


def test_a_text_of_two_thousand_cases_fits_a_comment(tmp_path: Path) -> None:
    models = [variant(name=f"variant_with_a_long_name_{n}", scheme="int8") for n in range(2000)]
    skips = [skip("pixel8", model, "gpu", "not this one") for model in models]
    folder = write_run(tmp_path, launches(BASE), variants=models, skips=skips)
    run = load(folder)
    text = report_markdown(Results((run,)))
    assert len(text) < 65_536
    assert f"{2001 - MOST_ROWS} more: see" in text


def test_a_text_of_many_changes_on_many_devices_fits_a_comment(tmp_path: Path) -> None:
    names = [f"phone_{n}_with_a_name" for n in range(150)]
    runs = [
        load(write_run(tmp_path / day, [o for name in names for o in launches(times, device=name)], id=day))
        for day, times in (("monday", BASE), ("tuesday", SLOWER))
    ]
    text = report_markdown(Results(tuple(runs)))
    assert len(text) < 65_536
    assert f"{150 - MOST_ROWS} more: see" in text
    assert "- and 130 more in `report.json`" in text


def test_no_name_and_no_line_of_a_tool_is_markup_or_reaches_a_terminal(tmp_path: Path) -> None:
    said = "boom | <script>\x1b[31m\u202e\n# head"
    named = variant(name="`a`|[x](y)", scheme="int8")
    failed = outcome(model=named, ms=None, status="failed", error=said)
    write_report([load(write_run(tmp_path, [*launches(BASE), failed], variants=[named]))], tmp_path)
    for name in ("report.md", "report.json"):
        text = (tmp_path / name).read_text(encoding="utf-8")
        assert not {"\x1b", "\u202e"} & set(text)
    assert said in {row["error"] for row in record(tmp_path)["cases"]}
    text = (tmp_path / "report.md").read_text(encoding="utf-8")
    assert r"boom \| \<script>" in text
    assert "\n# head" not in text
    assert r"\`a\`\|\[x](y)" in text


def test_a_run_and_its_copy_are_no_two_runs(tmp_path: Path) -> None:
    copies = [load(write_run(tmp_path / name / "night", launches(BASE))) for name in ("a", "b")]
    with pytest.raises(InputError, match="are the same run") as error:
        write_report(copies, tmp_path / "out")
    assert all(str(run.folder) in error.value.message for run in copies)
    assert not (tmp_path / "out").exists()
