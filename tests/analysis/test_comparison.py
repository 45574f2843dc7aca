"""Two runs: what is told, what is not, and what fails a build."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from benchbench.analysis.compare import compare, counts, regressions
from benchbench.analysis.compare_quantities import compare_quantities
from benchbench.analysis.familywise import LEVEL, LEVEL_BY_NEED
from benchbench.analysis.frames import Run, load
from benchbench.values.errors import NothingToDo
from benchbench.values.outcome import Outcome
from benchbench.values.stop import Stop
from tests.report.builder import conditions, launches, outcome, write_run

TIMES = [10.0, 10.1, 9.9, 10.05, 10.0]


def compared(tmp_path: Path, base: list[Outcome], new: list[Outcome]) -> pd.DataFrame:
    return compare(load(write_run(tmp_path / "base", base)), load(write_run(tmp_path / "new", new)))


def gpu(factor: float = 1.0, **more: object) -> list[Outcome]:
    return launches([factor * time for time in TIMES], delegate="gpu", **more)


@pytest.mark.parametrize(
    ("factor", "verdict", "fails"), [(1.0, "same", False), (1.4, "slower", True), (0.6, "faster", False)]
)
def test_only_what_got_slower_fails_a_build(tmp_path: Path, factor: float, verdict: str, fails: bool) -> None:
    frame = compared(tmp_path, gpu(), gpu(factor))
    assert frame["verdict"].tolist() == [verdict]
    assert bool(len(regressions(frame))) is fails
    assert frame["ratio"].iloc[0] == pytest.approx(factor)
    assert frame["ratio_low"].iloc[0] <= factor <= frame["ratio_high"].iloc[0]


def test_launches_whose_number_went_by_need_are_judged_more_strictly(tmp_path: Path) -> None:
    """What stops when its spread happens to be small is trusted less."""
    base, new = [10.0, 10.1, 9.9, 10.05, 10.0], [10.02, 10.2, 10.15, 10.1, 10.15]
    enough = Stop(case=gpu()[0].case, kind="precise", rounds=5, text="± 1.0 % after 5 launches")
    found, init = {}, {}
    for name, stops in {"plan": [], "need": [enough.model_dump()]}.items():
        runs = [launches(base, delegate="gpu"), launches(new, delegate="gpu")]
        of = [write_run(tmp_path / name / side, run, stops=stops) for side, run in zip(("a", "b"), runs, strict=True)]
        found[name] = compare(*of, same_within=0)
        changes = compare_quantities([load(of[0])], load(of[1]), same_within=0)
        (init[name],) = (one.p for one in changes if one.quantity.name == "init_ms")
    assert init["need"] == pytest.approx((init["plan"] or 0) * LEVEL / LEVEL_BY_NEED)
    assert found["need"]["p"].item() == pytest.approx(found["plan"]["p"].item() * LEVEL / LEVEL_BY_NEED)
    assert [found[name]["verdict"].item() for name in ("plan", "need")] == ["slower", "cannot tell"]


def test_a_gpu_that_is_lost_fails_a_build_even_when_the_cpu_is_as_fast(tmp_path: Path) -> None:
    frame = compared(tmp_path, gpu(), gpu(verdict="none"))
    assert frame["verdict"].tolist() == ["lost"]
    assert frame["why"].iloc[0] == "delegation was full, is none: ran on xnnpack (gpu took nothing)"
    assert pd.isna(frame["ratio"].iloc[0])
    assert len(regressions(frame)) == 1


def test_a_gpu_that_is_won_is_not_compared_with_the_cpu_s_time(tmp_path: Path) -> None:
    frame = compared(tmp_path, gpu(verdict="none"), gpu(0.2))
    assert frame["verdict"].tolist() == ["cannot tell"]
    assert regressions(frame).empty


def test_a_case_that_fails_now_is_a_regression_with_its_error(tmp_path: Path) -> None:
    frame = compared(tmp_path, gpu(), [outcome(delegate="gpu", status="failed", ms=None, error="driver crashed")])
    assert frame["why"].iloc[0] == "fails now: driver crashed"
    assert len(regressions(frame)) == 1


CPU = launches(TIMES, delegate="xnnpack")
CASE = "pixel8/mobilenet_v2.float32/gpu/t1"


def without_gpu(tmp_path: Path, **manifest: Any) -> pd.Series:
    """The row of the GPU's case, that the base has and the new run has not."""
    base = load(write_run(tmp_path / "base", [*CPU, *gpu()]))
    frame = compare(base, load(write_run(tmp_path / "new", CPU, **manifest)))
    assert dict(zip(frame["case"].str.contains("gpu"), frame["verdict"], strict=True))[False] == "same"
    (row,) = (row for _, row in frame.iterrows() if row["case"] == CASE)
    assert bool(len(regressions(frame))) is row["regressed"]
    return row


def skip(reason: str, *, deliberate: bool) -> dict[str, object]:
    cell = {"device": "pixel8", "variant": "mobilenet_v2.float32", "delegate": "gpu", "threads": 1}
    return {"case": CASE, "reason": reason, "deliberate": deliberate} | cell


def test_a_case_that_is_not_there_any_more_is_gone_and_fails_a_build(tmp_path: Path) -> None:
    row = without_gpu(tmp_path)
    assert (row["verdict"], row["regressed"]) == ("gone", True)
    assert row["why"]
    assert row["base_ms"] == pytest.approx(10.0)


def test_a_case_that_the_new_run_skips_because_it_cannot_run_is_gone_with_the_reason(tmp_path: Path) -> None:
    row = without_gpu(tmp_path, skips=[skip("no Vulkan driver", deliberate=False)])
    assert (row["verdict"], row["regressed"]) == ("gone", True)
    assert "no Vulkan driver" in row["why"]


def test_a_case_that_was_planned_and_not_reached_is_gone(tmp_path: Path) -> None:
    base = write_run(tmp_path / "base", [*CPU, *gpu()])
    new = write_run(tmp_path / "new", [*CPU, *gpu()])
    (new / "outcomes.jsonl").write_text("".join(o.model_dump_json() + "\n" for o in CPU))
    frame = compare(load(base), load(new)).set_index("case")
    assert frame.loc[CASE, "verdict"] == "gone"
    assert "no launch" in str(frame.loc[CASE, "why"])


def test_a_case_whose_device_was_not_used_is_gone_with_the_reason(tmp_path: Path) -> None:
    outcomes = [*CPU, *launches(TIMES, device="rpi5")]
    devices = [
        {"name": "pixel8", "reached": "adb", "error": None},
        {"name": "rpi5", "reached": "ssh", "error": "in use by somebody"},
    ]
    new = load(write_run(tmp_path / "new", CPU, devices=devices))
    frame = compare(load(write_run(tmp_path / "base", outcomes)), new).set_index("device")
    assert frame.loc["rpi5", "verdict"] == "gone"
    assert "in use by somebody" in str(frame.loc["rpi5", "why"])


@pytest.mark.parametrize(
    "manifest",
    [
        {"skips": [skip("we do not ship it", deliberate=True)]},
        {"selection": {"only": ["*/xnnpack/*"], "skip": []}},
        {"selection": {"only": [], "skip": ["*/gpu/*"]}},
    ],
    ids=["[[skip]]", "--only", "--skip"],
)
def test_a_case_that_is_left_out_on_purpose_fails_nothing(tmp_path: Path, manifest: dict[str, object]) -> None:
    row = without_gpu(tmp_path, **manifest)
    assert (row["verdict"], row["regressed"]) == ("left out", False)
    assert row["why"]


def test_a_selection_that_takes_a_case_does_not_excuse_its_absence(tmp_path: Path) -> None:
    row = without_gpu(tmp_path, selection={"only": ["pixel8/*"], "skip": []})
    assert row["verdict"] == "gone"


def test_a_case_of_the_new_run_only_is_listed_and_fails_nothing(tmp_path: Path) -> None:
    frame = compared(tmp_path, CPU, [*CPU, *gpu()])
    assert sorted(frame["verdict"]) == ["only in new", "same"]
    assert regressions(frame).empty


def test_a_case_that_neither_run_measured_fails_nothing_and_is_counted(tmp_path: Path) -> None:
    runs = [load(write_run(tmp_path / name, CPU, skips=[skip("no driver", deliberate=False)])) for name in "ab"]
    frame = compare(*runs)
    assert counts(frame) == {"same": 1, "not measured": 1}
    assert regressions(frame).empty


@pytest.mark.parametrize("skips", [[], [skip("no driver", deliberate=False)]])
def test_runs_without_a_common_case_cannot_be_compared(tmp_path: Path, skips: list[dict[str, object]]) -> None:
    base, new = load(write_run(tmp_path / "base", gpu())), load(write_run(tmp_path / "new", CPU, skips=skips))
    with pytest.raises(NothingToDo, match="no case in common"):
        compare(base, new)


def test_every_cannot_tell_says_why(tmp_path: Path) -> None:
    failed = [outcome(delegate="gpu", status="failed", ms=None, error="driver crashed")]
    hot = [o.model_copy(update={"after": conditions(95.0)}) for o in gpu()]
    sides = [(gpu(), failed), (failed, gpu()), (gpu(), gpu(verdict="none")), (gpu()[:2], gpu(2)[:2]), (gpu(), hot)]
    sides += [(launches([9, 10, 11, 12, 8], delegate="gpu"), launches([9, 10.5, 11.5, 12, 8], delegate="gpu"))]
    whys = []
    for n, (base, new) in enumerate(sides):
        frame = compared(tmp_path / str(n), base, new)
        assert set(frame["verdict"]) <= {"cannot tell", "lost"}
        whys += frame["why"].tolist()
    assert all(whys)
    assert len(set(whys)) == len(sides)


def test_too_few_launches_say_how_many_are_needed(tmp_path: Path) -> None:
    frame = compared(tmp_path, gpu()[:2], gpu(3.0)[:2])
    assert frame["verdict"].tolist() == ["cannot tell"]
    assert "four a side" in frame["why"].iloc[0]


def by_tool(factor: float = 1.0, tool: str = "benchmark_model (tflite)") -> list[Outcome]:
    return [o.model_copy(update={"measurement": o.measurement.model_copy(update={"tool": tool})}) for o in gpu(factor)]


def device(sha256: str | None, version: str | None = "tflite given") -> list[dict[str, object]]:
    return [{"name": "pixel8", "reached": "adb", "error": None, "tool_sha256": sha256, "tool_version": version}]


@pytest.mark.parametrize("factor", [1.4, 0.6])
@pytest.mark.parametrize(
    ("new", "tool"),
    [
        (device("b" * 64), "benchmark_model (tflite)"),
        (device("a" * 64, "tflite 2.2.0"), "benchmark_model (tflite)"),
        (device("a" * 64), "ai-edge-litert 2.3.0"),
    ],
    ids=["binary", "version", "name"],
)
def test_another_tool_is_a_doubt_with_a_remedy_and_never_slower_or_faster(
    tmp_path: Path, new: list[dict[str, object]], tool: str, factor: float
) -> None:
    base = load(write_run(tmp_path / "base", by_tool(), devices=device("a" * 64)))
    frame = compare(base, load(write_run(tmp_path / "new", by_tool(factor, tool), devices=new)))
    (row,) = (row for _, row in frame.iterrows())
    assert (row["verdict"], row["regressed"]) == ("cannot tell", False)
    assert row["why"].startswith("other tool: ")
    assert row["ratio"] == pytest.approx(factor)
    assert row["doubts"][0].kind == "other tool"
    assert row["doubts"][0].remedy


def test_as_fast_with_another_tool_is_the_same_with_a_doubt(tmp_path: Path) -> None:
    base = load(write_run(tmp_path / "base", by_tool(), devices=device("a" * 64)))
    frame = compare(base, load(write_run(tmp_path / "new", by_tool(), devices=device("b" * 64))))
    assert frame["verdict"].tolist() == ["same"]
    assert frame["doubts"].iloc[0][0].kind == "other tool"


@pytest.mark.parametrize("known", ["a" * 64, None])
def test_the_same_tool_or_one_that_nobody_names_is_no_doubt(tmp_path: Path, known: str | None) -> None:
    base = load(write_run(tmp_path / "base", by_tool(), devices=device("a" * 64)))
    frame = compare(base, load(write_run(tmp_path / "new", by_tool(1.4), devices=device(known, None))))
    assert frame["verdict"].tolist() == ["slower"]
    assert "other tool" not in {doubt.kind for doubt in frame["doubts"].iloc[0]}


def test_another_model_file_is_a_doubt_with_a_remedy_and_never_slower(tmp_path: Path) -> None:
    base = write_run(tmp_path / "base", gpu())
    new = write_run(tmp_path / "new", gpu(1.4))
    manifest = json.loads((new / "run.json").read_text())
    manifest["variants"] = [entry | {"sha256": "99" * 32} for entry in manifest["variants"]]
    (new / "run.json").write_text(json.dumps(manifest))
    frame = compare(load(base), load(new))
    assert frame["verdict"].tolist() == ["cannot tell"]
    assert frame["why"].iloc[0].startswith("other model file: ")
    assert frame["doubts"].iloc[0][0].remedy


def run_compare(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchbench.cli.main", "compare", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_the_exit_codes_of_compare_and_its_last_line(tmp_path: Path) -> None:
    write_run(tmp_path / "base", [*CPU, *gpu()])
    write_run(tmp_path / "less", CPU)
    write_run(tmp_path / "other", launches(TIMES, device="rpi5"))
    write_run(tmp_path / "again", [*CPU, *gpu()])
    same = run_compare(tmp_path, "base", "again")
    assert same.returncode == 0
    assert same.stdout.splitlines()[-1].startswith("2 cases: 2 same; no regressions; a change of ")
    gone = run_compare(tmp_path, "base", "less")
    assert gone.returncode == 1
    assert gone.stdout.splitlines()[-1].startswith("2 cases: 1 gone, 1 same; 1 regression; a change of ")
    assert "the new run has no such case" in gone.stdout
    nothing = run_compare(tmp_path, "base", "other")
    assert (nothing.returncode, nothing.stdout) == (3, "")
    assert run_compare(tmp_path, "base", "nowhere").returncode == 2


def test_compare_as_json_has_the_verdict_and_the_reasons(tmp_path: Path) -> None:
    write_run(tmp_path / "base", [*CPU, *gpu()], devices=device("a" * 64))
    write_run(tmp_path / "new", [*launches([2 * t for t in TIMES], delegate="xnnpack")], devices=device("b" * 64))
    done = run_compare(tmp_path, "base", "new", "--json")
    told = json.loads(done.stdout)
    assert done.returncode == 1
    assert (told["verdict"], told["regressions"], told["counts"]) == ("regression", 1, {"gone": 1, "cannot tell": 1})
    by_verdict = {case["verdict"]: case for case in told["cases"]}
    assert by_verdict["gone"]["why"] == "the new run has no such case"
    assert by_verdict["gone"]["ratio"] is None
    assert by_verdict["cannot tell"]["why"].startswith("other tool")
    assert by_verdict["cannot tell"]["ratio"] == pytest.approx(2)
    assert by_verdict["cannot tell"]["doubts"][0]["remedy"]
    assert by_verdict["cannot tell"]["threads"] == 1


def test_a_whole_comparison_of_unchanged_cases_hardly_ever_fails_a_build(tmp_path: Path) -> None:
    """28 cases of 5 launches, six times: by each case alone about one of three comparisons would have failed."""
    rng = np.random.default_rng(4)

    def run(name: str) -> Run:
        cases = [launches(10 * np.exp(rng.normal(0, 0.03, 5)), device=f"board{case}") for case in range(28)]
        return load(write_run(tmp_path / name, [one for case in cases for one in case]))

    frames = [compare(run(f"base{n}"), run(f"new{n}"), same_within=0.0) for n in range(6)]
    assert sum(not regressions(frame).empty for frame in frames) <= 1
    assert all(0.04 < frame.attrs["detectable"] < 0.2 for frame in frames)


def test_a_change_too_small_for_so_few_launches_says_how_many_more_would_tell(tmp_path: Path) -> None:
    wide = [10.0, 10.9, 9.2, 10.4, 9.6]
    base, new = launches(wide, delegate="gpu"), launches([1.05 * time for time in wide], delegate="gpu")
    row = compared(tmp_path, base, new).iloc[0]
    assert row["verdict"] == "cannot tell"
    assert row["more_rounds"] >= 5
    assert f"about {row['more_rounds']:.0f} more rounds would tell" in row["why"]
