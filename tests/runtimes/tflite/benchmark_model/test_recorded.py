"""Every recorded run of the genuine tool is classified as its exit code and its nodes say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from benchbench.runtimes.tflite.backends import Delegate
from benchbench.runtimes.tflite.backends.cpu import Cpu
from benchbench.runtimes.tflite.backends.external import External
from benchbench.runtimes.tflite.backends.xnnpack import Xnnpack
from benchbench.runtimes.tflite.benchmark_model import BenchmarkModelRunner, Capabilities, read_usage
from benchbench.runtimes.tflite.benchmark_model.log_parser import read_launch, read_text
from benchbench.values.job import JobOutput
from tests.beds.launch import work_for
from tests.runtimes.tflite.benchmark_model import recorded, run_of, written

RUNNER = BenchmarkModelRunner(Capabilities("tflite", frozenset()))
MODEL = Path("m.tflite")
NO_RESULT = {"63-runs_zero", "67-dry_run"}  # exit code 0, and not one inference


@pytest.mark.parametrize("name", recorded())
def test_a_run_is_ok_exactly_when_the_tool_ended_well_with_a_result(name: str) -> None:
    run = recorded()[name]
    launch = read_launch(run.text)
    assert (launch.status == "ok") == (run.exit_code == 0 and name not in NO_RESULT)
    assert (launch.timings.mean is not None) >= (launch.status == "ok")
    assert (launch.error is not None) == (run.exit_code != 0)
    if launch.error is not None:
        assert launch.error in run.text


@pytest.mark.parametrize("name", recorded())
def test_a_run_is_one_launch_whichever_stream_comes_first(name: str) -> None:
    run = recorded()[name]
    assert read_text(run.text) == [read_launch(run.text)]
    assert len(read_text(run.stderr + run.stdout)) == 1


@pytest.mark.parametrize("name", recorded())
def test_the_verdict_on_the_delegate_that_was_asked_for_is_what_the_tool_says(name: str) -> None:
    run = recorded()[name]
    found = read_launch(run.text).delegation
    evidence = found.evidence or ""
    profiled = evidence.startswith("op profile: ")  # XNNPACK applied by default says nothing else
    if found.verdict == "full":
        assert profiled or "completely executed" in evidence
    elif found.verdict == "partial":
        assert profiled or f"partially executed by the delegate w/ {found.kernels} delegate kernels" in evidence
    elif found.verdict == "none":
        assert re.search("will not be executed by the delegate|Failed to apply|failed to prepare", evidence)
    elif found.verdict == "unavailable":
        assert re.search("unsupported|Couldn't load|must be set|Unconsumed|no line says", evidence)
    assert (found.verdict == "unknown") == (found.evidence is None)


@pytest.mark.parametrize(
    ("number", "file", "delegate", "nodes"),
    [
        ("76", "rinfo.pb", Xnnpack(), ("partial", 6, 8, 3)),
        ("x04", "ri_def.pb", Xnnpack(), ("partial", 6, 8, 3)),
        ("x05", "ri_nox.pb", Cpu(), ("full", None, 8, None)),
        ("x06", "ri_ext.pb", External(path="/nonexistent/x.so"), ("unavailable", 0, 65, 0)),
        ("x07", "ri_i8.pb", Xnnpack(), ("partial", 64, 65, 1)),
        ("x08", "ri_f32.pb", Xnnpack(), ("full", 65, 65, 1)),
        ("x09", "ri_dr.pb", Xnnpack(), ("partial", 55, 65, 11)),
    ],
)
def test_the_nodes_that_a_run_wrote_down_beat_its_words(
    number: str, file: str, delegate: Delegate, nodes: tuple[str, int | None, int, int | None]
) -> None:
    run = run_of(number)
    raw = JobOutput(run.exit_code, run.stdout.encode(), run.stderr.encode(), {"runtime_info.pb": written(file)})
    found = RUNNER.read(work_for(MODEL, delegate), raw).delegation
    assert (found.verdict, found.nodes_delegated, found.nodes_total, found.partitions) == nodes
    assert found.asked == delegate.kind


@pytest.mark.parametrize("number", ["01", "02", "bz01"])
def test_the_genuine_usage_tells_the_generation_and_its_flags(number: str) -> None:
    run = run_of(number)
    found = read_usage(run.stdout.encode(), run.stderr.encode(), run.exit_code)
    assert found.name == "tflite"
    assert {"graph", "use_xnnpack", "external_delegate_path", "result_file_path"} <= found.flags
    assert ("use_gpu" in found.flags) == (number == "bz01")


def test_a_full_run_is_read_to_its_last_number() -> None:
    launch = read_launch(run_of("73").text)
    times = launch.timings
    assert (times.init, times.first, times.warmup_mean, times.mean) == (7428, 733, 1170.04, 1125.62)
    assert (times.min, times.max, times.std) == (391, 7856, 1655)
    assert (times.p5, times.median, times.p95) == (413, 486, 4896)
    assert (launch.runs, launch.runs_asked, launch.warmup_runs) == (169, 10, 85)
    memory = launch.memory
    assert (memory.init_delta_mb, memory.overall_delta_mb, memory.peak_polled_mb) == (7.58203, 8.38281, 14.9219)
    assert (launch.model_mb, launch.graph, launch.generation) == (1.61596, "models/mnv2_f32.tflite", "tflite")


def test_a_single_run_and_runs_that_were_all_the_same_have_a_mean_too() -> None:
    one, same = read_launch(run_of("62").text), read_launch(run_of("107").text)
    assert (one.timings.mean, one.timings.min, one.timings.max, one.runs) == (581, 581, 581, 1)
    assert (same.timings.mean, same.timings.min, same.timings.max, same.runs) == (1, 1, 1, 3)


def test_a_mean_of_seconds_in_scientific_notation_is_read() -> None:
    assert read_launch(run_of("y03").text).timings.mean == 2250970.0


def test_errors_that_did_no_harm_are_warnings_of_a_run_that_went_well() -> None:
    launch = read_launch(run_of("72").text)
    assert launch.status == "ok"
    assert any("XNNPack weight cache could neither be loaded" in line for line in launch.warnings)
