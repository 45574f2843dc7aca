"""Recorded outputs as JSON objects and as outcomes; the logs that people recorded, where they are at hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchbench.importing.logs import Recorded, as_json, outcomes, read_logs
from tests.logs_check import check, main
from tests.runtimes.tflite.benchmark_model import recorded, run_of

LOGS = Path(__file__).parents[3] / "shared" / "logs"
KEYS = {
    "source", "index", "status", "delegate", "verdict", "evidence", "nodes_delegated", "nodes_total", "partitions",
    "kernels", "timings_us", "runs", "model_mb", "memory_mb", "threads", "graph", "error", "profile",
}  # fmt: skip


def imported(*names: str) -> list[Recorded]:
    return read_logs([(f"{name}.txt", run_of(name).text) for name in names])


def test_a_launch_is_one_object_with_every_key_and_null_where_the_text_does_not_say() -> None:
    one = imported("49")[0]
    found = as_json(one.launch, one.source, one.index)
    assert found.keys() >= KEYS
    assert (found["source"], found["index"], found["status"]) == ("49.txt", 0, "ok")
    assert (found["delegate"], found["verdict"]) == ("external", "none")
    assert found["evidence"].startswith("INFO: Though EXTERNAL delegate")
    times = found["timings_us"]
    assert list(times) == ["init", "first", "warmup_mean", "mean", "min", "max", "std", "p5", "median", "p95"]
    assert all(value is not None for value in times.values())
    assert found["memory_mb"]["peak"] is None
    assert found["error"] is None
    assert found["profile"] == {"by_op": [], "by_type": []}


@pytest.mark.parametrize("name", recorded())
def test_every_recorded_run_is_one_line_of_json(name: str) -> None:
    for one in read_logs([(name, recorded()[name].text)]):
        line = json.dumps(as_json(one.launch, one.source, one.index), allow_nan=False)
        assert "\n" not in line


def test_sources_are_numbered_each_from_nought_and_texts_without_launch_skipped() -> None:
    both = run_of("05").stdout + run_of("50").stdout
    found = read_logs([("a", both), ("empty", ""), ("b", run_of("06").stdout.encode())])
    assert [(one.source, one.index) for one in found] == [("a", 0), ("a", 1), ("b", 0)]


def test_launches_become_the_rounds_of_their_cases() -> None:
    found = outcomes([*imported("07", "07", "09"), *imported("46")], device="phone")
    assert [outcome.trial for outcome in found] == [
        "phone/mnv2_f32.tflite/xnnpack/t1/r0",
        "phone/mnv2_f32.tflite/xnnpack/t1/r1",
        "phone/mnv2_f32.tflite/xnnpack/t4/r0",
        "phone/mnv2_f32.tflite/external/t?/r0",
    ]
    assert [outcome.position for outcome in found] == [0, 1, 2, 3]
    assert found[3].delegation.executor == "xnnpack (external unavailable)"


def test_a_failed_and_an_incomplete_launch_say_why() -> None:
    cut = run_of("05").stdout[:700]
    failed, incomplete = outcomes(read_logs([("x/a.txt", run_of("96").text), ("x/b.txt", cut)]))
    assert (failed.status, failed.error) == ("failed", "ERROR: Could not open '/nonexistent/model.tflite'.")
    assert (incomplete.status, incomplete.error) == ("incomplete", "the text stops before its result")
    assert (failed.device, incomplete.device) == ("a", "b")


@pytest.mark.parametrize("graph", ["../../etc/passwd", "C:\\models\\net.tflite", "/d/a b;rm -rf.tflite", "..", ""])
def test_a_hostile_name_stays_a_name(graph: str) -> None:
    text = f"STARTING!\nGraph: [{graph}]\n{run_of('05').stdout[60:]}"
    found = outcomes(read_logs([("../../evil/..", text)]))[0]
    parts = found.trial.split("/")
    assert len(parts) == 5
    assert not {"..", "."} & set(parts)
    assert all(part and not set(part) & set("\\ ;") for part in parts)


@pytest.mark.skipif(not LOGS.is_dir(), reason="the logs that people recorded are not beside this repository")
@pytest.mark.parametrize("folder", sorted(LOGS.glob("*/")) if LOGS.is_dir() else [], ids=lambda path: path.name)
def test_a_log_is_read_as_by_hand(folder: Path) -> None:
    assert check(folder) == []


def test_the_check_of_logs_counts_and_shows_what_differs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "log").mkdir()
    (tmp_path / "log" / "log.txt").write_text(run_of("05").text)
    expected = {"status": "ok", "init_us": 8721, "first_inference_us": 812, "inference_avg_us": 1.0, "runs": 322}
    (tmp_path / "log" / "expected.json").write_text(json.dumps(expected))
    assert main([str(tmp_path)]) == 1
    assert "inference_avg_us: 1.0 by hand, 3079.32 read" in capsys.readouterr().out
    assert main([str(tmp_path / "nowhere")]) == 2
