"""The python runner: the job it builds, and its reading of every kind of answer."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from benchbench.device_script.protocol import ANSWER, NATIVE_LOG, OUTPUTS, STAGE, Evaluation, Preprocess
from benchbench.runtimes.script_runner import PythonRunner
from benchbench.runtimes.tflite.backends.cpu import Cpu
from benchbench.runtimes.tflite.backends.gpu import Gpu
from benchbench.runtimes.tflite.backends.nnapi import Nnapi
from benchbench.runtimes.tflite.backends.xnnpack import Xnnpack
from benchbench.values.errors import Unsupported
from benchbench.values.job import JobOutput
from benchbench.values.measurement_settings import MeasurementSettings
from tests.beds.launch import work_for

RUNNER = PythonRunner()
MODEL = Path("m.tflite")
GOOD: dict[str, Any] = {
    "format": 1,
    "status": "ok",
    "runtime": "ai-edge-litert 2.3.0",
    "api": "Interpreter",
    "threads": 2,
    "cpus": [0, 1],
    "phases_ns": {"import": 20_000_000, "load": 400_000, "delegate": 50_000, "allocate": 550_000},
    "first_ns": 90_000,
    "warmup_ns": [90_000, 30_000],
    "steady_ns": [10_000, 20_000, 30_000, 40_000, 50_000],
    "stopped_by": "runs and min_seconds",
    "memory": {"peak_since": "load", "rss_start_mb": 40.5, "rss_peak_mb": 50.0},
    "delegation": {"verdict": "partial", "asked": "xnnpack", "nodes_delegated": 2, "nodes_total": 3, "partitions": 1},
}


def raw_of(answer: object, exit_code: int = 0, *, late: bool = False) -> JobOutput:
    return JobOutput(exit_code, b"", b"", {ANSWER: json.dumps(answer).encode()}, late)


def test_the_command_is_the_script_with_its_two_files_pinned_where_asked() -> None:
    work = work_for(MODEL, Xnnpack(), python="/v/bin/python", tool="/d/device_script.pyz", affinity_mask="f0")
    job = RUNNER.job(work)
    assert job.argv == ("taskset", "f0", "/v/bin/python", "/d/device_script.pyz", "request.json", "answer.json")
    assert job.answers == (ANSWER, STAGE, NATIVE_LOG)
    assert job.outputs == ()


def test_everything_that_affects_a_number_is_in_the_request() -> None:
    measure = MeasurementSettings(
        runs=7, min_seconds=2, max_seconds=9, warmup_runs=3, warmup_min_seconds=0.1, timeout_seconds=60, input_seed=5
    )
    job = RUNNER.job(work_for(MODEL, Gpu(precision="fp32"), measure=measure, threads=4))
    request = json.loads(job.files["request.json"])
    assert job.timeout_s == 60
    assert request["model"] == "m.tflite"
    assert request["delegate"] == {"api": "compiled_model", "accelerator": "gpu", "fp32": True}
    asked = ("runs", "min_seconds", "max_seconds", "warmup_runs", "warmup_min_seconds", "input_seed", "threads")
    assert [request[key] for key in asked] == [7, 2, 9, 3, 0.1, 5, 4]
    assert request["fidelity"] is True


def test_an_evaluation_asks_for_its_outputs_back() -> None:
    how = Preprocess(mean=(1.0, 2.0, 3.0))
    evaluation = Evaluation(samples="/d/x.npz", start=10, count=5, preprocess=how, at_most_seconds=30)
    job = RUNNER.job(work_for(MODEL, Cpu(), evaluation=evaluation))
    assert job.outputs == (OUTPUTS,)
    assert json.loads(job.files["request.json"])["evaluate"] == {
        "samples": "/d/x.npz",
        "outputs": OUTPUTS,
        "start": 10,
        "count": 5,
        "preprocess": {"scale": 1.0, "mean": [1.0, 2.0, 3.0], "std": [1.0]},
        "at_most_seconds": 30,
        "whole": False,
        "channels_first": [],
    }


def test_a_delegate_that_this_runner_has_not_is_refused_before_anything_runs() -> None:
    assert RUNNER.unsupported_reason(Nnapi()) is not None
    with pytest.raises(Unsupported, match="nnapi"):
        RUNNER.job(work_for(MODEL, Nnapi()))


def test_an_answer_becomes_microseconds_with_the_percentile_method_named() -> None:
    reading = RUNNER.read(work_for(MODEL, Xnnpack()), raw_of(GOOD))
    times = reading.measurement.timings
    assert reading.status == "ok"
    assert times.init == 1000  # without importing the runtime
    assert (times.first, times.warmup_mean) == (90, 60)
    assert (times.mean, times.min, times.max, times.median) == (30, 10, 50, 30)
    assert (times.p5, times.p95) == (12, 48)
    assert times.std == pytest.approx(14.142, abs=1e-3)
    assert times.samples == (10, 20, 30, 40, 50)
    assert times.percentile_method == "linear (numpy); std over n"


def test_asked_for_and_got_stand_beside_each_other() -> None:
    reading = RUNNER.read(work_for(MODEL, Xnnpack(), measure=MeasurementSettings(runs=50)), raw_of(GOOD))
    got = reading.measurement
    assert (got.runs_asked, got.runs, got.warmup_runs, got.threads, got.cpus) == (50, 5, 2, 2, (0, 1))
    assert got.tool == "ai-edge-litert 2.3.0 Interpreter"
    assert (got.memory.rss_start_mb, got.memory.rss_peak_mb, got.memory.pss_end_mb) == (40.5, 50, None)
    took = reading.delegation
    assert (took.verdict, took.nodes_delegated, took.nodes_total) == ("partial", 2, 3)
    assert took.executor == "xnnpack, rest on cpu"


def test_a_failed_answer_carries_its_verdict_and_no_times() -> None:
    error = {"stage": "load", "type": "Unusable", "message": "No adapters found"}
    answer = GOOD | {"status": "failed", "error": error, "delegation": {"verdict": "unavailable", "evidence": "none"}}
    reading = RUNNER.read(work_for(MODEL, Gpu()), raw_of(answer, 1))
    assert reading.status == "failed"
    assert reading.error == "load: No adapters found"
    assert (reading.delegation.asked, reading.delegation.verdict) == ("gpu", "unavailable")
    assert reading.measurement.timings.mean is None
    assert reading.measurement.timings.samples == ()


def test_ok_without_a_steady_inference_is_a_failure() -> None:
    reading = RUNNER.read(work_for(MODEL, Cpu()), raw_of(GOOD | {"steady_ns": []}))
    assert reading.status == "failed"
    assert reading.error == "the answer has no steady inference"


NO_NUMBER = GOOD | {"memory": {"peak_since": "load", "rss_start_mb": math.nan}}


@pytest.mark.parametrize(
    "answer", [{}, [], None, "ok", GOOD | {"steady_ns": ["fast"]}, GOOD | {"surprise": 1}, NO_NUMBER]
)
def test_an_answer_of_another_shape_is_a_failure_that_names_the_place(answer: object) -> None:
    reading = RUNNER.read(work_for(MODEL, Cpu()), raw_of(answer))
    assert reading.status == "failed"
    assert (reading.error or "").startswith("answer.json is not what the script writes: ")


def test_half_an_answer_is_a_failure() -> None:
    half = JobOutput(0, b"", b"", {ANSWER: json.dumps(GOOD).encode()[:80]})
    assert RUNNER.read(work_for(MODEL, Cpu()), half).status == "failed"


@pytest.mark.parametrize("exit_code", [139, -11])
def test_a_crash_names_the_signal_the_stage_and_the_last_words(exit_code: int) -> None:
    left = {STAGE: b"warm-up", NATIVE_LOG: b"INFO: hello\nERROR: driver lost\nmore noise\n"}
    reading = RUNNER.read(work_for(MODEL, Cpu()), JobOutput(exit_code, b"", b"", left))
    assert reading.error == "crashed with signal 11 (SIGSEGV) (stage: warm-up): ERROR: driver lost"


def test_the_time_limit_is_named_with_the_stage_it_struck() -> None:
    work = work_for(MODEL, Cpu(), measure=MeasurementSettings(timeout_seconds=30))
    reading = RUNNER.read(work, JobOutput(137, b"", b"", {STAGE: b"steady state"}, late=True))
    assert reading.error == "killed at its time limit of 30 s (stage: steady state)"


def test_an_interpreter_that_cannot_run_the_script_says_why() -> None:
    stderr = b"Traceback (most recent call last):\n  ...\nModuleNotFoundError: No module named 'numpy'\n"
    reading = RUNNER.read(work_for(MODEL, Cpu()), JobOutput(1, b"", stderr))
    assert reading.error == "ended with exit code 1 (stage: start): ModuleNotFoundError: No module named 'numpy'"


def test_a_crash_after_the_answer_leaves_the_numbers_and_a_warning() -> None:
    reading = RUNNER.read(work_for(MODEL, Cpu()), raw_of(GOOD, 139))
    assert reading.status == "ok"
    assert reading.measurement.warnings == ("the process crashed with signal 11 (SIGSEGV) after its answer",)


def test_outputs_that_are_not_the_cpus_are_warned_about() -> None:
    fidelity = {"reference": "Interpreter with XNNPACK", "relative_l2": {"a": 1e-6, "b": 1.3, "c": None}}
    reading = RUNNER.read(work_for(MODEL, Gpu()), raw_of(GOOD | {"fidelity": fidelity}))
    assert reading.measurement.output_errors == {"a": 1e-6, "b": 1.3, "c": None}
    assert reading.measurement.warnings == (
        "output 'b' is not the CPU's: its relative L2 error is 1.3",
        "output 'c' is not the CPU's: its relative L2 error is not a number",
    )


def test_a_profile_is_recomputed_per_op_and_per_type() -> None:
    rows = [
        {"name": "CONV:0", "type": "CONV", "mean_us": 30.0, "calls": 1},
        {"name": "ADD:1", "type": "ADD", "mean_us": 10.0, "calls": 1, "executor": "xnnpack"},
        {"name": "CONV:2", "type": "CONV", "mean_us": 60.0, "calls": 1},
    ]
    answer = {key: value for key, value in GOOD.items() if key not in {"steady_ns", "warmup_ns", "first_ns"}}
    reading = RUNNER.read(work_for(MODEL, Cpu(), profile=True), raw_of(answer | {"profile": rows}))
    assert reading.status == "ok"
    profile = reading.measurement.profile
    assert profile is not None
    assert [op.percent for op in profile.by_op] == [30, 10, 60]
    assert [(op.type, op.mean_us, op.calls, op.executor) for op in profile.by_type] == [
        ("CONV", 90, 2, None),
        ("ADD", 10, 1, "xnnpack"),
    ]
