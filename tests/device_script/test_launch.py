"""One launch of the script, whatever the model, the request or the runtime."""

from __future__ import annotations

import os
import signal
import subprocess
import textwrap
from pathlib import Path

import numpy as np
import pytest

from benchbench.device_script.protocol import ANSWER, NATIVE_LOG, REQUEST, STAGE
from benchbench.device_script.tflite.delegates import CompiledModelDelegate
from benchbench.runtimes.device_script import read_answer
from tests.beds import models
from tests.device_script.conftest import CPU, Ask, command, request_for


def test_every_phase_of_a_launch_is_told_apart(ask: Ask) -> None:
    answer = ask(models.conv_model())
    assert answer.status == "ok"
    assert answer.phases_ns is not None
    assert set(answer.phases_ns) == {"import", "load", "allocate"}
    assert answer.warmup_ns[0] == answer.first_ns
    assert (len(answer.warmup_ns), len(answer.steady_ns)) == (2, 5)
    assert all(ns > 0 for ns in answer.steady_ns)
    assert (answer.timed, answer.stopped_by) == ("invoke", "runs and min_seconds")
    memory = answer.memory
    assert memory is not None
    assert 0 < (memory.rss_start_mb or 0) < (memory.rss_loaded_mb or 0) <= (memory.rss_peak_mb or 0)
    assert answer.ops == {"CONV_2D": 3, "MEAN": 1, "FULLY_CONNECTED": 1, "SOFTMAX": 1}


def test_inferences_go_on_until_both_the_runs_and_the_seconds_are_reached(ask: Ask) -> None:
    answer = ask(models.add_model(), runs=3, min_seconds=2, warmup_runs=1, warmup_min_seconds=0.5)
    assert len(answer.steady_ns) > 3
    assert sum(answer.steady_ns[:-1]) < 2e9  # the last one may begin just before
    assert len(answer.warmup_ns) > 1


def test_max_seconds_stops_a_launch_and_says_so(ask: Ask) -> None:
    answer = ask(models.conv_model(size=64, channels=32), runs=1_000_000, max_seconds=0.2)
    assert answer.status == "ok"
    assert answer.stopped_by == "max_seconds"
    assert 1 <= len(answer.steady_ns) < 1_000_000


@pytest.mark.parametrize("broken", [models.truncated_model(), models.corrupt_model(), b"", b"no model at all" * 100])
def test_a_broken_model_leaves_an_answer_with_the_stage_and_the_reason(ask: Ask, broken: bytes) -> None:
    answer = ask(broken)
    assert answer.status == "failed"
    assert answer.error is not None
    assert answer.error.stage == "load"
    assert answer.error.message
    assert answer.delegation.verdict == "unknown"
    assert answer.steady_ns == ()


def test_a_missing_model_names_the_file(ask: Ask) -> None:
    error = ask(b"", model="nowhere.tflite").error
    assert error is not None
    assert error.stage == "load"
    assert "nowhere.tflite" in error.message


def test_a_custom_op_that_nobody_knows_is_named(ask: Ask) -> None:
    error = ask(models.edgetpu_model()).error
    assert error is not None
    assert error.stage == "allocate"
    assert "edgetpu-custom-op" in error.message


@pytest.mark.parametrize("fault", ["os.kill(os.getpid(), signal.SIGSEGV)", "raise ValueError('no such struct')"])
def test_a_measurement_is_kept_whatever_happens_while_the_graph_is_read(tmp_path: Path, fault: str) -> None:
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
    (tmp_path / REQUEST).write_text(request_for("model.tflite"))
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    run = subprocess.run(command(), cwd=tmp_path, env=environment, capture_output=True, check=False)
    assert run.returncode == (-signal.SIGSEGV if "SIGSEGV" in fault else 0), run.stderr
    answer = read_answer((tmp_path / ANSWER).read_bytes())
    assert (answer.status, len(answer.steady_ns), answer.error) == ("ok", 5, None)
    assert answer.delegation.evidence


@pytest.mark.parametrize("text", ["{not json", "{}", '{"delegate": {"api": "telepathy"}}', "[]"])
def test_an_unreadable_request_still_leaves_an_answer(tmp_path: Path, text: str) -> None:
    (tmp_path / REQUEST).write_text(text)
    run = subprocess.run(command(), cwd=tmp_path, capture_output=True, check=False)
    answer = read_answer((tmp_path / ANSWER).read_bytes())
    assert run.returncode == 1
    assert answer.status == "failed"
    assert answer.error is not None
    assert answer.error.stage == "request"


def test_what_the_native_library_writes_stays_on_stderr_and_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "model.tflite").write_bytes(models.add_model())
    (tmp_path / REQUEST).write_text(request_for("model.tflite"))
    run = subprocess.run(command(), cwd=tmp_path, capture_output=True, check=True)
    assert b"XNNPACK delegate" in run.stderr
    assert (tmp_path / NATIVE_LOG).read_bytes() == run.stderr
    assert (tmp_path / STAGE).read_text() == "delegation"


def test_inputs_can_be_given_and_must_fit(ask: Ask, tmp_path: Path) -> None:
    np.savez(tmp_path / "good.npz", a=np.ones(1, np.float32), b=np.ones(1, np.float32))
    np.savez(tmp_path / "bad.npz", a=np.ones(2, np.float32), b=np.ones(1, np.float32))
    assert ask(models.add_model(), inputs="good.npz").status == "ok"
    refused = ask(models.add_model(), inputs="bad.npz").error
    assert refused is not None
    assert refused.message == "input 'a' wants float32 [1], given is float32 [2]"


def test_every_integer_type_can_be_fed_and_timed(ask: Ask) -> None:
    for kind in (models.INT8, models.UINT8, models.INT16, models.INT32, models.INT64, models.BOOL):
        assert ask(models.typed_model(kind), asked="cpu", delegate=CPU).status == "ok"


def test_strings_are_fed_with_a_text(ask: Ask) -> None:
    answer = ask(models.typed_model(models.STRING), asked="cpu", delegate=CPU)
    assert (answer.status, len(answer.steady_ns)) == ("ok", 5)


@pytest.mark.parametrize(
    ("model", "verdict"), [(models.conv_model(), "full"), (models.typed_model(models.INT64), "none")]
)
def test_the_cpu_by_compiled_model_tells_what_xnnpack_took_and_keeps_its_weights(
    ask: Ask, tmp_path: Path, model: bytes, verdict: str
) -> None:
    """Of nodes that are left it tells only that there are some; how many, the Interpreter of the runtime knows."""
    (tmp_path / "cache").mkdir()
    answer = ask(model, delegate=CompiledModelDelegate("cpu", cache=str(tmp_path / "cache")))
    assert (answer.status, answer.api) == ("ok", "CompiledModel"), answer.error
    assert answer.delegation.verdict == verdict
    assert "is_fully_accelerated" in str(answer.delegation.evidence)
    assert [path.name for path in (tmp_path / "cache").iterdir()] == ["weights"]


def test_a_cache_that_the_api_cannot_keep_is_a_skip_with_the_reason(ask: Ask) -> None:
    answer = ask(models.conv_model(), asked="gpu", delegate=CompiledModelDelegate("gpu", cache="/c"))
    assert answer.error is not None
    assert answer.error.type == "NotImplementedError"
    assert "no cache for the GPU" in answer.error.message
