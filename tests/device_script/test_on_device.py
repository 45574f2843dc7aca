"""The script that travels, run as it is on a device: a process of its own, a request, an answer."""

from __future__ import annotations

import ast
import json
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchbench.runtimes.tflite.script.runner import script_path
from tests.beds import models

REQUEST: dict[str, Any] = {
    "asked": "xnnpack",
    "delegate": {"way": "interpreter", "xnnpack": True},
    "threads": 1,
    "runs": 5,
    "min_seconds": 0,
    "max_seconds": 20,
    "warmup_runs": 2,
    "warmup_min_seconds": 0,
    "input_seed": 0,
}
CPU = {"way": "interpreter", "xnnpack": False}

Ask = Callable[..., dict[str, Any]]


@pytest.fixture
def ask(tmp_path: Path) -> Ask:
    """Runs the script on a model's bytes with a changed request; the answer."""

    def run(model_bytes: bytes, **changes: Any) -> dict[str, Any]:
        (tmp_path / "model.tflite").write_bytes(model_bytes)
        request = REQUEST | {"model": str(tmp_path / "model.tflite")} | changes
        (tmp_path / "request.json").write_text(json.dumps(request))
        command = [sys.executable, "-W", "error", str(script_path()), "request.json", "answer.json"]
        subprocess.run(command, cwd=tmp_path, capture_output=True, check=False, timeout=120)
        answer: dict[str, Any] = json.loads((tmp_path / "answer.json").read_text())
        return answer

    return run


def test_the_script_is_python_3_7_and_needs_numpy_alone() -> None:
    source = script_path().read_text()
    tree = ast.parse(source, feature_version=(3, 7))
    imported = {
        name.name.split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names
    }
    imported |= {(node.module or "").split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert imported - set(sys.stdlib_module_names) == {"numpy"}


def test_every_phase_of_a_launch_is_told_apart(ask: Ask) -> None:
    answer = ask(models.conv_model())
    assert answer["status"] == "ok"
    assert set(answer["phases_ns"]) == {"import", "load", "allocate"}
    assert answer["warmup_ns"][0] == answer["first_ns"]
    assert (len(answer["warmup_ns"]), len(answer["steady_ns"])) == (2, 5)
    assert all(ns > 0 for ns in answer["steady_ns"])
    assert (answer["timed"], answer["stopped_by"]) == ("invoke", "runs and min_seconds")
    memory = answer["memory"]
    assert 0 < memory["rss_start_mb"] < memory["rss_loaded_mb"] <= memory["rss_peak_mb"]
    assert answer["ops"] == {"CONV_2D": 3, "MEAN": 1, "FULLY_CONNECTED": 1, "SOFTMAX": 1}


def test_inferences_go_on_until_both_the_runs_and_the_seconds_are_reached(ask: Ask) -> None:
    answer = ask(models.add_model(), runs=3, min_seconds=2, warmup_runs=1, warmup_min_seconds=0.5)
    assert len(answer["steady_ns"]) > 3
    assert sum(answer["steady_ns"][:-1]) < 2e9  # the last one may begin just before
    assert len(answer["warmup_ns"]) > 1


def test_max_seconds_stops_a_launch_and_says_so(ask: Ask) -> None:
    answer = ask(models.conv_model(size=64, channels=32), runs=1_000_000, max_seconds=0.2)
    assert answer["status"] == "ok"
    assert answer["stopped_by"] == "max_seconds"
    assert 1 <= len(answer["steady_ns"]) < 1_000_000


def test_xnnpack_off_leaves_every_node_to_the_interpreter(ask: Ask) -> None:
    answer = ask(models.conv_model(), asked="cpu", delegate=CPU)
    took = answer["delegation"]
    assert (took["verdict"], took["nodes_delegated"], took["nodes_total"], took["shares"]) == ("full", 0, 6, [])
    assert took["left"] == [0, 1, 2, 3, 4, 5]


def test_what_xnnpack_took_is_counted_node_by_node(ask: Ask) -> None:
    chain = models.chain_model(3, ops=(models.OPS.RELU, models.OPS.LOG_SOFTMAX, models.OPS.LOGISTIC))
    took = ask(chain)["delegation"]
    assert (took["verdict"], took["nodes_delegated"], took["nodes_total"], took["partitions"]) == ("partial", 2, 3, 2)
    assert [share["nodes"] for share in took["shares"]] == [[0], [2]]
    assert took["left"] == [1]
    assert took["remainder"] == "cpu"


def in_script(program: str) -> Any:
    """What a few lines with the script imported print as JSON, in a process of their own."""
    before = f"import sys, json; sys.path.insert(0, {str(script_path().parent)!r}); import on_device\n"
    command = [sys.executable, "-c", before + textwrap.dedent(program)]
    return json.loads(subprocess.run(command, capture_output=True, check=True).stdout)


def test_a_runtimes_error_names_a_node_and_costs_no_more_than_its_length() -> None:
    *found, cpu_s = in_script("""
        import time
        found = [on_device.failed_node(text) for text in (
            "delegate.cc: no.Node number 3 (TfLite (x)) failed to prepare.",
            "Node number 31 (A) failed to prepare.\\nNode number 4 (B) failed to prepare.",
            "Node number (A) failed to prepare.",
            "Encountered an error",
        )]
        began = time.process_time()
        for pumped in ("Node number 1 (", "9", "Node number 9", ") failed to prepare"):
            on_device.failed_node(pumped * (2000000 // len(pumped)))
        print(json.dumps(found + [time.process_time() - began]))
    """)
    assert found == [3, 31, None, None]
    assert cpu_s < 60  # backtracking takes hours


def test_a_seed_stands_for_the_same_inputs_everywhere() -> None:
    """RandomState's stream is frozen by numpy's policy; these are its first values on any machine."""
    first, again, other, integers = in_script("""
        floats = [{"name": "x", "shape": [2], "dtype": on_device.np.dtype("float32")}]
        bytes_ = [{"name": "x", "shape": [1000], "dtype": on_device.np.dtype("int8")}]
        made = [on_device.random_inputs(floats, seed)[0].tolist() for seed in (0, 0, 1)]
        x = on_device.random_inputs(bytes_, 0)[0]
        print(json.dumps(made + [[int(x.min()), int(x.max())]]))
    """)
    assert first == again == pytest.approx([0.0488135, 0.2151894])
    assert other != first
    assert integers == [-127, 127]


def test_the_data_flow_agrees_with_the_execution_plan_on_feed_forward_graphs(tmp_path: Path) -> None:
    model = tmp_path / "chain.tflite"
    model.write_bytes(models.chain_model(6, ops=(models.OPS.RELU, models.OPS.LOG_SOFTMAX, models.OPS.LOGISTIC)))
    flow, plan, same_left, same_total = in_script(f"""
        interpreter = on_device.Runtime().plain({str(model)!r})
        interpreter.allocate_tensors()
        flow, plan = on_device.data_flow_coverage(interpreter), on_device.exact_coverage(interpreter)
        nodes = lambda coverage: sorted(nodes for _, nodes in coverage["partitions"])
        print(json.dumps([nodes(flow), nodes(plan), flow["left"] == plan["left"], flow["total"] == plan["total"]]))
        interpreter.invoke()  # looking must leave it able to work
    """)
    assert flow == plan == [[0], [2, 3], [5]]
    assert same_left
    assert same_total


@pytest.mark.parametrize("broken", [models.truncated_model(), models.corrupt_model(), b"", b"no model at all" * 100])
def test_a_broken_model_leaves_an_answer_with_the_stage_and_the_reason(ask: Ask, broken: bytes) -> None:
    answer = ask(broken)
    assert answer["status"] == "failed"
    assert answer["error"]["stage"] == "load"
    assert answer["error"]["message"]
    assert answer["delegation"]["verdict"] == "unknown"
    assert "steady_ns" not in answer


def test_a_missing_model_names_the_file(ask: Ask) -> None:
    answer = ask(b"", model="nowhere.tflite")
    assert answer["error"]["stage"] == "load"
    assert "nowhere.tflite" in answer["error"]["message"]


def test_a_custom_op_that_nobody_knows_is_named(ask: Ask) -> None:
    answer = ask(models.edgetpu_model())
    assert answer["error"]["stage"] == "allocate"
    assert "edgetpu-custom-op" in answer["error"]["message"]


@pytest.mark.parametrize("fault", ["os.kill(os.getpid(), signal.SIGSEGV)", "raise ValueError('no such struct')"])
def test_a_measurement_that_is_done_is_kept_whatever_happens_while_the_graph_is_read(
    tmp_path: Path, fault: str
) -> None:
    """In a runtime that crashes, or does not know what it is asked."""
    (tmp_path / "sitecustomize.py").write_text(
        textwrap.dedent(f"""
        import os, signal
        from ai_edge_litert.interpreter import Interpreter

        def faulty(self):
            {fault}

        Interpreter._get_ops_details = faulty
        """)
    )
    (tmp_path / "model.tflite").write_bytes(models.add_model())
    (tmp_path / "request.json").write_text(json.dumps(REQUEST | {"model": "model.tflite"}))
    command = [sys.executable, str(script_path()), "request.json", "answer.json"]
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    run = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, check=False)
    assert run.returncode == (-signal.SIGSEGV if "SIGSEGV" in fault else 0), run.stderr
    answer = json.loads((tmp_path / "answer.json").read_text())
    assert (answer["status"], len(answer["steady_ns"]), "error" in answer) == ("ok", 5, False)
    assert answer["delegation"]["evidence"]


def test_an_unreadable_request_still_leaves_an_answer(tmp_path: Path) -> None:
    (tmp_path / "request.json").write_text("{not json")
    command = [sys.executable, str(script_path()), "request.json", "answer.json"]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
    answer = json.loads((tmp_path / "answer.json").read_text())
    assert run.returncode == 1
    assert (answer["status"], answer["error"]["stage"]) == ("failed", "request")


def test_what_the_native_library_writes_stays_on_stderr_and_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "model.tflite").write_bytes(models.add_model())
    (tmp_path / "request.json").write_text(json.dumps(REQUEST | {"model": "model.tflite"}))
    command = [sys.executable, str(script_path()), "request.json", "answer.json"]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, check=True)
    assert b"XNNPACK delegate" in run.stderr
    assert (tmp_path / "native.log").read_bytes() == run.stderr
    assert (tmp_path / "stage.txt").read_text() == "delegation"


def test_inputs_can_be_given_and_must_fit(ask: Ask, tmp_path: Path) -> None:
    np.savez(tmp_path / "good.npz", a=np.ones(1, np.float32), b=np.ones(1, np.float32))
    np.savez(tmp_path / "bad.npz", a=np.ones(2, np.float32), b=np.ones(1, np.float32))
    assert ask(models.add_model(), inputs="good.npz")["status"] == "ok"
    refused = ask(models.add_model(), inputs="bad.npz")["error"]
    assert refused["message"] == "input 'a' wants float32 [1], given is float32 [2]"


def test_every_integer_type_can_be_fed_and_timed(ask: Ask) -> None:
    for kind in (models.INT8, models.UINT8, models.INT16, models.INT32, models.INT64, models.BOOL):
        assert ask(models.typed_model(kind), asked="cpu", delegate=CPU)["status"] == "ok"


def test_strings_are_fed_with_a_text(ask: Ask) -> None:
    answer = ask(models.typed_model(models.STRING), asked="cpu", delegate=CPU)
    assert (answer["status"], len(answer["steady_ns"])) == ("ok", 5)


def test_an_op_profile_names_the_executor_of_each_op(ask: Ask) -> None:
    chain = models.chain_model(3, (1, 64, 64, 8), (models.OPS.RELU, models.OPS.LOG_SOFTMAX, models.OPS.LOGISTIC))
    rows = ask(chain, profile=True)["profile"]
    assert [(row[1], row[4]) for row in rows] == [
        ("Clamp (NC)", "xnnpack"),
        ("LOG_SOFTMAX", None),
        ("Sigmoid (NC)", "xnnpack"),
    ]
    assert rows[1][2] > 0
    plain = ask(chain, profile=True, asked="cpu", delegate=CPU)["profile"]
    assert [(row[0], row[4]) for row in plain] == [("RELU:0", None), ("LOG_SOFTMAX:1", None), ("LOGISTIC:2", None)]


def test_the_probe_prints_one_line_with_evidence_for_every_yes_and_no() -> None:
    run = subprocess.run([sys.executable, str(script_path()), "--probe"], capture_output=True, check=True, text=True)
    (line,) = run.stdout.splitlines()
    said = json.loads(line)
    assert said["runtime"].startswith("ai-edge-litert ")
    assert said["python"].startswith(f"{sys.version_info.major}.{sys.version_info.minor}")
    assert set(said["evidence"]) == {"gpu", "npu", "edgetpu"}


def test_an_interpreter_without_a_runtime_is_no_crash_of_the_probe(tmp_path: Path) -> None:
    for package in ("ai_edge_litert", "tflite_runtime", "tensorflow"):
        (tmp_path / f"{package}.py").write_text("raise SystemError('built for another numpy')\n")
    env = {"PYTHONPATH": str(tmp_path), "PATH": ""}
    command = [sys.executable, str(script_path()), "--probe"]
    run = subprocess.run(command, capture_output=True, check=True, text=True, env=env)
    said = json.loads(run.stdout)
    assert said["runtime"] is None
    assert "built for another numpy" in said["evidence"]["runtime"]
