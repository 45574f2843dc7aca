"""Nothing vanishes: every selected cell is a row, and what became of all of them is told reason by reason."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchbench.analysis.frames import Run, load
from benchbench.analysis.recommend import recommend
from benchbench.analysis.tally import tally
from tests.report.builder import launches, outcome, skip, variant, write_run

INT8 = variant(scheme="int8")
NO_VULKAN = "no Vulkan driver"


def run(folder: Path, *more: dict[str, Any], **manifest: Any) -> Run:
    """Two variants on two delegates: both measured on xnnpack, one failed on gpu, and the skips that are given."""
    found = [*launches([10.0] * 3), *launches([5.0] * 3, model=INT8)]
    found += [outcome(model=INT8, delegate="gpu", ms=None, status="failed", error="boom")]
    return load(write_run(folder, found, variants=[INT8], skips=list(more), **manifest))


def test_skipped_cells_are_rows_with_their_reason_and_no_number(tmp_path: Path) -> None:
    one = run(tmp_path, skip("pixel8", variant(), "gpu", NO_VULKAN, threads=4))
    row = one.cases.iloc[-1]
    assert sorted(one.cases["status"]) == ["failed", "ok", "ok", "skipped"]
    assert (row["case"], row["error"]) == ("pixel8/mobilenet_v2.float32/gpu/t4", NO_VULKAN)
    assert (row["scheme"], row["kind"], row["threads"], row["launches_all"]) == ("float32", "gpu", 4, 0)
    assert not row["headline"]
    assert row["doubts"] == ()
    assert len(one.trials) == 7


def test_a_planned_case_that_was_never_launched_is_a_row_too(tmp_path: Path) -> None:
    folder = write_run(tmp_path, [*launches([10.0] * 3), outcome(model=INT8)], variants=[INT8])
    journal = folder / "outcomes.jsonl"
    journal.write_text("".join(line for line in journal.read_text().splitlines(keepends=True) if "int8" not in line))
    interrupted = load(folder)
    assert set(interrupted.cases["status"]) == {"ok", "pending"}
    assert tally(interrupted).counts == {"measured": 1, "not run": 1}


def test_a_skip_of_an_older_folder_has_its_case_alone_and_is_a_row_all_the_same(tmp_path: Path) -> None:
    row = run(tmp_path, {"case": "rpi5/mobilenet_v2.int8/gpu/t1", "reason": NO_VULKAN}).cases.iloc[-1]
    assert (row["device"], row["variant"], row["delegate"], row["error"]) == ("rpi5", "int8", "gpu", NO_VULKAN)


def test_the_counts_are_one_line_with_the_reason_where_there_is_but_one(tmp_path: Path) -> None:
    skips = [skip("host", model, "gpu", NO_VULKAN) for model in (variant(), INT8)]
    done = [outcome(device="host", model=model) for model in (variant(), INT8)]
    told = tally(load(write_run(tmp_path, done, variants=[INT8], skips=skips)))
    assert told.counts == {"measured": 2, "skipped": 2}
    assert told.lines == ("4 cases: 2 measured, 2 skipped (gpu on host: no Vulkan driver)",)


def test_several_reasons_have_a_line_each_which_names_what_their_cases_share(tmp_path: Path) -> None:
    skips = [skip("pixel8", variant(), "gpu", NO_VULKAN), skip("pixel8", INT8, "npu", NO_VULKAN)]
    skips += [skip("board", model, delegate, "in use") for model in (variant(), INT8) for delegate in ("gpu", "npu")]
    skips += [skip("board", INT8, "xnnpack", "not now", deliberate=True)]
    found = tally(run(tmp_path, *skips))
    assert found.counts == {"measured": 2, "skipped": 7, "failed": 1}
    assert {(reason.count, reason.where, reason.text) for reason in found.reasons} == {
        (1, "int8 with gpu on pixel8", "boom"),
        (2, "gpu, npu on pixel8", NO_VULKAN),
        (4, "gpu, npu on board", "in use"),
        (1, "int8 with xnnpack on board", "not now"),
    }
    assert len(found.lines) == 4


def test_of_several_families_a_reason_names_its_own(tmp_path: Path) -> None:
    other = variant(family="melspectrogram")
    found = [*launches([10.0] * 3), outcome(model=other, ms=None, status="failed", error="boom")]
    told = tally(load(write_run(tmp_path, found, variants=[other])))
    assert [reason.where for reason in told.reasons] == ["melspectrogram on pixel8"]


def test_one_reason_of_many_variants_is_one_line_that_names_no_device_twice(tmp_path: Path) -> None:
    others = [variant(scheme=scheme) for scheme in ("float16", "int8", "int16x8", "dynamic-int8")]
    skips = [skip(name, one, "gpu", f"{name}: {NO_VULKAN}") for name in ("pixel8", "rpi5") for one in others]
    melody = variant(family="melspectrogram")
    found = [outcome(device=name, model=one) for name in ("pixel8", "rpi5") for one in (variant(), melody)]
    told = tally(load(write_run(tmp_path, found, variants=[*others, melody], skips=skips)))
    (reason,) = told.reasons
    assert (reason.count, reason.where) == (8, "4 variants of mobilenet_v2 with gpu on pixel8, rpi5")
    assert reason.text == NO_VULKAN


def test_a_selection_says_of_how_many(tmp_path: Path) -> None:
    found = tally(run(tmp_path, selection={"only": ["pixel8/*"], "skip": [], "of": 400}))
    assert (found.cases, found.cells) == (3, 400)
    assert found.lines[0].startswith("3 of 400 selected: 2 measured, ")


def test_what_was_skipped_is_no_trap_of_a_delegate(tmp_path: Path) -> None:
    found = [*launches([10.0] * 3, delegate="gpu"), *launches([12.0] * 3)]
    left_out = skip("pixel8", INT8, "gpu", "left out by the matrix", deliberate=True)
    (recommended,) = recommend(load(write_run(tmp_path, found, variants=[INT8], skips=[left_out])).cases)
    assert recommended.pitfalls == ()


def test_threads_are_named_where_others_were_measured(tmp_path: Path) -> None:
    skips = [skip("host", model, "cpu", "scales badly", threads=2) for model in (variant(), INT8)]
    done = [outcome(device="host", model=model, delegate="cpu") for model in (variant(), INT8)]
    told = tally(load(write_run(tmp_path, done, variants=[INT8], skips=skips)))
    assert told.lines == ("4 cases: 2 measured, 2 skipped (cpu, 2 threads on host: scales badly)",)
