"""From a run folder to rows: what counts, under which name, and what a damaged folder says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from benchbench.analysis.columns import INFERENCES, typed
from benchbench.analysis.compare import compare
from benchbench.analysis.frames import load
from benchbench.report import write_report
from benchbench.run_folder.series import series_of, write_series
from benchbench.values.errors import InputError
from benchbench.values.outcome import Measurement, Outcome
from tests.report.believable import class_tables
from tests.report.builder import conditions, launches, outcome, write_run

FORMAT_1 = Path(__file__).parents[1] / "recorded" / "format-1"


def only_case(folder: Path, outcomes: list[Outcome]) -> pd.Series:
    cases = load(write_run(folder, outcomes)).cases
    assert len(cases) == 1
    return cases.iloc[0]


def test_a_case_is_the_median_of_its_launches_with_an_interval(tmp_path: Path) -> None:
    case = only_case(tmp_path, launches([10, 11, 12, 10.5, 30], delegate="gpu"))
    assert case["median_ms"] == 11
    assert (case["low_ms"], case["high_ms"]) == (10, 30)
    assert case["headline"]
    assert (case["verdict"], case["executor"], case["launches"]) == ("full", "gpu", 5)


def test_times_are_milliseconds_and_every_memory_kind_has_its_column(tmp_path: Path) -> None:
    trial = load(write_run(tmp_path, [outcome(ms=12.5)])).trials.iloc[0]
    assert trial["typical_ms"] == 12.5
    assert trial["init_ms"] == 25
    assert (trial["rss_start_mb"], trial["rss_peak_mb"], trial["pss_end_mb"]) == (61.0, 83.0, 70.2)
    assert pd.isna(trial["overall_delta_mb"])


@pytest.mark.parametrize(
    ("verdict", "ran"), [("none", "xnnpack (gpu took nothing)"), ("unavailable", "xnnpack (gpu unavailable)")]
)
def test_what_fell_back_is_no_headline_and_is_named_for_what_ran(tmp_path: Path, verdict: str, ran: str) -> None:
    case = only_case(tmp_path, launches([10.0] * 5, delegate="gpu", verdict=verdict))
    assert not case["headline"]
    assert (case["delegate"], case["executor"], case["verdict"]) == ("gpu", ran, verdict)
    assert case["median_ms"] == 10  # shown, but under what ran


def test_nobody_vouches_for_an_unknown_verdict(tmp_path: Path) -> None:
    assert not only_case(tmp_path, launches([10.0] * 5, delegate="gpu", verdict="unknown"))["headline"]


def test_the_reference_kernels_need_no_delegation_to_count(tmp_path: Path) -> None:
    case = only_case(tmp_path, launches([10.0] * 5, delegate="cpu", verdict="none"))
    assert case["headline"]
    assert case["executor"] == "cpu"


def test_launches_on_different_executors_are_never_pooled(tmp_path: Path) -> None:
    found = launches([5.0, 5.1, 5.2], delegate="gpu")
    found += [outcome(delegate="gpu", verdict="none", ms=40, round=n) for n in (3, 4)]
    case = only_case(tmp_path, found)
    assert (case["verdict"], case["headline"], case["launches"]) == ("mixed", False, 3)
    assert case["median_ms"] == 5.1


def test_throttled_launches_are_kept_but_left_out_of_the_number(tmp_path: Path) -> None:
    hot = outcome(delegate="gpu", round=4, ms=50, after=conditions(70, throttled=["throttled"]))
    run = load(write_run(tmp_path, [*launches([10, 10, 10, 10], delegate="gpu"), hot]))
    case = run.cases.iloc[0]
    assert (case["median_ms"], case["launches"], case["launches_all"], case["headline"]) == (10, 4, 5, True)
    assert "throttled" in {doubt.kind for doubt in case["doubts"]}
    assert run.trials["throttled"].tolist()[-1] == "throttled"


def test_a_case_that_only_ran_throttled_has_a_number_but_no_headline(tmp_path: Path) -> None:
    flagged = conditions(70, throttled=["frequency capped"])
    case = only_case(tmp_path, [outcome(delegate="gpu", round=n, before=flagged) for n in range(3)])
    assert case["median_ms"] == 10
    assert not case["headline"]


def test_profiling_and_scoring_launches_are_no_source_of_latency(tmp_path: Path) -> None:
    found = launches([10.0] * 3, delegate="gpu")
    extra = {"purpose": "profile", "trial": found[0].case + "/profile"}
    scored = {"purpose": "accuracy", "trial": found[0].case + "/accuracy", "accuracy": {"top1": 0.9, "n": 100}}
    slow = outcome(delegate="gpu", ms=99)
    case = only_case(tmp_path, [*found, slow.model_copy(update=extra), slow.model_copy(update=scored)])
    assert (case["median_ms"], case["launches_all"], case["accuracy_top1"]) == (10, 3, 0.9)


def test_accuracy_holds_for_every_number_of_threads_but_not_for_another_executor(tmp_path: Path) -> None:
    scored = outcome(delegate="gpu", threads=1).model_copy(update={"accuracy": {"top1": 0.9, "n": 100}})
    fell = [outcome(delegate="gpu", threads=4, verdict="none")]
    cases = load(write_run(tmp_path, [scored, outcome(delegate="gpu", threads=2), *fell])).cases.set_index("threads")
    assert cases["accuracy_top1"].dropna().unique().tolist() == [0.9]
    assert cases["accuracy_top1"].isna().tolist() == [False, False, True]


def test_failed_launches_make_a_row_without_a_number(tmp_path: Path) -> None:
    case = only_case(tmp_path, [outcome(status="failed", ms=None, error="no such op") for _ in range(1)])
    assert (case["status"], case["executor"], case["headline"], case["error"]) == ("failed", "", False, "no such op")
    assert pd.isna(case["median_ms"])


def test_two_launches_have_no_interval_and_say_so(tmp_path: Path) -> None:
    case = only_case(tmp_path, launches([10, 11], delegate="gpu"))
    assert pd.isna(case["low_ms"])
    assert "few launches" in {doubt.kind for doubt in case["doubts"]}


def test_a_resumed_trial_supersedes_its_failed_attempt(tmp_path: Path) -> None:
    failed = outcome(status="failed", ms=None, error="link lost")
    run = load(write_run(tmp_path, [failed, outcome(ms=7)]))
    assert len(run.trials) == 1
    assert run.trials.iloc[0]["typical_ms"] == 7


def test_a_torn_last_line_is_left_out(tmp_path: Path) -> None:
    write_run(tmp_path, launches([10, 11, 12]))
    lines = tmp_path / "outcomes.jsonl"
    lines.write_bytes(lines.read_bytes()[:-40])
    assert len(load(tmp_path).outcomes) == 2


def test_a_damaged_line_is_named_with_its_file_and_the_others_are_read(tmp_path: Path) -> None:
    write_run(tmp_path, launches([10, 11]))
    lines = tmp_path / "outcomes.jsonl"
    lines.write_text("{}\n" + lines.read_text())
    run = load(tmp_path)
    assert len(run.outcomes) == 2
    assert [remark for remark in run.remarks if "outcomes.jsonl:1" in remark]


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"devices": 5}, "devices"),
        ({"devices": [{"name": "a", "traits": "fast"}]}, r"devices\.0\.traits"),
        ({"cases": [{"id": 3}]}, r"cases\.0\.id"),
        ({"measure": {"cooldown": {"below_c": "cold"}}}, r"measure\.cooldown\.below_c"),
    ],
)
def test_a_stranger_s_manifest_is_refused_by_its_key(tmp_path: Path, change: dict[str, Any], key: str) -> None:
    write_run(tmp_path, [outcome()], **change)
    with pytest.raises(InputError, match=rf"run\.json: {key}"):
        load(tmp_path)


def test_a_folder_that_is_no_run_says_so(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no run\.json"):
        load(tmp_path)


def test_a_run_without_outcomes_has_empty_frames_with_all_columns(tmp_path: Path) -> None:
    empty, full = load(write_run(tmp_path / "a", [])), load(write_run(tmp_path / "b", [outcome()]))
    assert list(empty.cases.columns) == list(full.cases.columns)
    assert list(empty.trials.columns) == list(full.trials.columns)
    assert empty.trials.dtypes.astype(str).to_dict() == full.trials.dtypes.astype(str).to_dict()


def test_an_outcome_that_no_plan_knows_is_read_all_the_same(tmp_path: Path) -> None:
    write_run(tmp_path, [outcome()])
    manifest = json.loads((tmp_path / "run.json").read_text())
    (tmp_path / "run.json").write_text(json.dumps(manifest | {"cases": [], "variants": []}))
    case = load(tmp_path).cases.iloc[0]
    assert (case["device"], case["family"], case["variant"]) == ("pixel8", "mobilenet_v2", "float32")


def test_classes_and_confusions_are_rows_of_the_case_that_was_scored(tmp_path: Path) -> None:
    scored = outcome(delegate="gpu").model_copy(update={"accuracy": {"top1": 0.75, "n": 4}})
    correct = np.array([True, True, True, False])
    outputs = class_tables(tmp_path, scored.trial, correct, ("cat", "dog"))
    run = load(write_run(tmp_path, [scored.model_copy(update={"outputs": outputs})]))
    assert run.classes[["device", "delegate", "name", "support", "found", "recall"]].values.tolist() == [
        ["pixel8", "gpu", "cat", 2, 2, 1.0],
        ["pixel8", "gpu", "dog", 2, 1, 0.5],
    ]
    assert run.confusion[["label_name", "answer_name", "count"]].values.tolist() == [
        ["cat", "cat", 2],
        ["dog", "cat", 1],
        ["dog", "dog", 1],
    ]


def test_a_run_without_class_tables_has_empty_frames_of_them(tmp_path: Path) -> None:
    scored = outcome().model_copy(update={"accuracy": {"top1": 0.75, "n": 4}, "outputs": "outputs/gone"})
    run = load(write_run(tmp_path, [scored]))
    assert len(run.classes) == len(run.confusion) == 0
    assert {"run", "case", "class", "name", "recall_low"} <= set(run.classes.columns)
    assert {"label_name", "answer_name", "count"} <= set(run.confusion.columns)


def test_class_tables_are_read_when_they_are_asked_for_and_not_from_outside_the_run(tmp_path: Path) -> None:
    scored = outcome().model_copy(update={"accuracy": {"top1": 0.75, "n": 4}, "outputs": "../elsewhere"})
    run = load(write_run(tmp_path / "run", [scored]))
    assert len(run.cases) == 1
    with pytest.raises(InputError, match="leads out of the run folder"):
        _ = run.classes


@pytest.mark.parametrize(
    ("scores", "kind"),
    [
        ({"broken": 1, "flags": "output 'y': every value is zero"}, "broken output"),
        ({"broken": 0, "flags": "output 'y': 12.0% of the values are cut off"}, "odd output"),
    ],
)
def test_what_fidelity_found_is_a_doubt_of_the_case(tmp_path: Path, scores: dict[str, Any], kind: str) -> None:
    scored = outcome(delegate="gpu").model_copy(
        update={"purpose": "accuracy", "trial": "a", "accuracy": {"n": 9} | scores}
    )
    case = only_case(tmp_path, [*launches([10.0] * 3, delegate="gpu"), scored])
    assert (case["doubts"][0].kind, case["doubts"][0].text) == (kind, scores["flags"])


def test_outputs_without_flags_are_not_doubted(tmp_path: Path) -> None:
    fine = outcome().model_copy(update={"accuracy": {"n": 9, "broken": 0, "flags": ""}})
    assert not {"odd output", "broken output"} & {doubt.kind for doubt in only_case(tmp_path, [fine])["doubts"]}


def with_times(us: tuple[float, ...], **more: Any) -> Outcome:
    """An outcome as folders of format 1 have it, with the time of every inference."""
    told = outcome(**more)
    timings = told.measurement.timings.model_copy(update={"samples": us})
    measured = told.measurement.model_copy(update={"timings": timings, "runs": len(us)})
    return told.model_copy(update={"measurement": measured})


def test_the_times_of_inferences_are_rows_of_their_trials(tmp_path: Path) -> None:
    told = with_times((), delegate="gpu").model_copy(update={"measurement": Measurement(runs=3)})
    write_series(write_run(tmp_path, [told]), series_of(told.trial, (1000.0, 2000.0, 1500.0)))
    rows = load(tmp_path).inferences
    assert rows[["delegate", "trial", "number", "time_ms"]].values.tolist() == [
        ["gpu", told.trial, 0, 1.0],
        ["gpu", told.trial, 1, 2.0],
        ["gpu", told.trial, 2, 1.5],
    ]
    assert rows.dtypes.to_dict() == typed([], INFERENCES).dtypes.to_dict()


def test_a_folder_of_format_1_has_the_times_of_inferences_in_its_lines(tmp_path: Path) -> None:
    told = with_times((1000.0, 2000.0))
    assert load(write_run(tmp_path, [told])).inferences["time_ms"].tolist() == [1.0, 2.0]


def test_a_folder_of_format_1_is_shown_and_compared(tmp_path: Path) -> None:
    run = load(FORMAT_1)
    assert run.cases[["case", "status"]].values.tolist() == [
        ["host/fashion_mnist.float32/xnnpack/t1", "ok"],
        ["host/fashion_mnist.float32/gpu/t1", "skipped"],
    ]
    told = [json.loads(line) for line in (FORMAT_1 / "outcomes.jsonl").read_text().splitlines()]
    assert [series.inferences for series in run.series.values()] == [o["measurement"]["runs"] for o in told]
    assert write_report([run], tmp_path).is_file()
    assert compare(run, run)["verdict"].tolist() == ["cannot tell", "not measured"]  # three launches


def test_times_of_an_attempt_that_does_not_count_are_left_out(tmp_path: Path) -> None:
    told = outcome(status="failed")
    write_series(write_run(tmp_path, [told]), series_of(told.trial, (1000.0, 2000.0)))
    run = load(tmp_path)
    assert run.series == {}
    assert list(run.inferences.columns)[-3:] == ["trial", "number", "time_ms"]


def test_series_are_read_when_they_are_asked_for(tmp_path: Path) -> None:
    told = outcome()
    write_series(write_run(tmp_path, [told]), series_of(told.trial, (1000.0,)))
    (spoilt,) = (tmp_path / "series").iterdir()
    spoilt.write_bytes(b"x")
    run = load(tmp_path)
    assert len(run.cases) == len(run.trials) == 1
    with pytest.raises(InputError, match=spoilt.name):
        _ = run.inferences
