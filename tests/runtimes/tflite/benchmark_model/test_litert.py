"""LiteRT's own benchmark_model, genuinely run: what really ran is read, with the command and without it."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchbench.runtimes.tflite.backends import Delegate
from benchbench.runtimes.tflite.backends.gpu import Gpu
from benchbench.runtimes.tflite.backends.npu import Npu
from benchbench.runtimes.tflite.backends.xnnpack import Xnnpack
from benchbench.runtimes.tflite.benchmark_model import BenchmarkModelRunner, read_usage
from benchbench.runtimes.tflite.benchmark_model.launch import Launch
from benchbench.runtimes.tflite.benchmark_model.log_parser import read_launch, read_text
from benchbench.values.job import JobOutput
from benchbench.values.outcome import Profile
from tests.beds.launch import work_for
from tests.runtimes.tflite.benchmark_model import litert_run, recorded

RUNS = recorded("litert.jsonl")
USAGES = {"01", "02", "03", "04", "17"}
LAUNCHES = [name for name in RUNS if name[:2] not in USAGES]


def launch_of(number: str, *, with_command: bool) -> Launch:
    run = litert_run(number)
    (launch,) = read_text(f"$ {run.command}\n{run.text}" if with_command else run.text)
    return launch


@pytest.mark.parametrize("name", LAUNCHES)
def test_a_run_is_one_launch_and_ok_exactly_when_the_tool_ended_well(name: str) -> None:
    launch, run = launch_of(name[:2], with_command=False), RUNS[name]
    assert (launch.status == "ok") == (run.exit_code == 0)
    assert (launch.timings.mean is not None) == (run.exit_code == 0)
    assert launch.error is None or launch.error in run.text


@pytest.mark.parametrize("with_command", [True, False])
@pytest.mark.parametrize(
    ("number", "delegate", "verdict", "evidence"),
    [
        ("05", "xnnpack", "unknown", ""),
        ("06", "xnnpack", "unknown", ""),
        ("07", "xnnpack", "full", "op profile"),
        ("08", "npu", "unavailable", "No compiler plugin found"),
        ("09", "gpu", "unavailable", "WebGPU environment"),
        ("10", "xnnpack", "unknown", ""),
        ("12", "xnnpack", "unknown", ""),
        ("13", "xnnpack", "full", "completely executed"),
        ("15", "nnapi", "unavailable", "Unconsumed cmdline flags: --use_nnapi=true"),
        ("16", "gpu", "unavailable", "GPU acceleration is unsupported on this platform"),
        ("18", "xnnpack", "unknown", ""),
        ("19", "gpu", "full", "Initializing WebGPU-based API from graph"),
        ("20", "gpu", "full", "Initializing WebGPU-based API from graph"),
        ("21", "gpu", "none", "all 16 operations will run on the CPU"),
        ("22", "gpu", "none", "all 16 operations will run on the CPU"),
        ("24", "gpu", "full", "Initializing WebGPU-based API from graph"),
    ],
)
def test_who_ran_is_what_the_log_proves(
    number: str, delegate: str, verdict: str, evidence: str, with_command: bool
) -> None:
    found = launch_of(number, with_command=with_command).delegation
    assert (found.asked, found.verdict) == (delegate, verdict)
    assert evidence in (found.evidence or "")


def test_a_list_of_what_a_gpu_refuses_counts_the_nodes() -> None:
    found = launch_of("21", with_command=False).delegation
    assert (found.nodes_delegated, found.nodes_total) == (0, 16)
    assert found.executor == "xnnpack (gpu took nothing)"


@pytest.mark.parametrize(
    ("number", "error"),
    [
        ("09", "Failed to initialize WebGPU environment: INTERNAL: No adapters found"),
        ("11", "Could not open 'nosuch.tflite'."),
        ("23", "Requesting full delegation and CPU acceleration are incompatible."),
        ("24", "Node number 16 (LITERT_WEBGPU) failed to invoke."),
    ],
)
def test_a_failure_says_why(number: str, error: str) -> None:
    launch = launch_of(number, with_command=True)
    assert launch.status == "failed"
    assert error in (launch.error or "")


def test_the_numbers_of_both_its_tools_are_read() -> None:
    native, python = launch_of("05", with_command=False), launch_of("18", with_command=False)
    times = native.timings
    assert (times.init, times.first, times.warmup_mean, times.mean) == (1545, 311, 104.835, 96.9)
    assert (times.min, times.max, times.std, times.p5, times.median, times.p95) == (92, 109, 5, 93, 95, 109)
    assert (native.runs, native.runs_asked, native.warmup_runs, native.threads) == (20, 20, 4752, 1)
    assert (native.graph, native.generation, native.model_mb) == ("fashion_mnist_float32.tflite", "litert", 0.55002)
    times = python.timings
    assert (times.init, times.first, times.warmup_mean, times.mean) == (12650, 190, 110, 60)
    assert (times.min, times.max, times.std, times.p5, times.median, times.p95) == (60, 100, 10, 60, 60, 90)
    assert (python.runs, python.runs_asked, python.warmup_runs, python.threads) == (20, 20, 5, 1)
    assert (python.graph, python.generation) == ("models/fashion_mnist_float32.tflite", "litert")


def profile_of(number: str) -> Profile:
    profile = launch_of(number, with_command=False).profile
    assert profile is not None
    return profile


def test_calls_counted_over_all_runs_become_those_of_one_inference() -> None:
    profile = profile_of("07")
    first, second = profile.by_op[:2]
    assert len(profile.by_op) == 15
    assert {row.calls for row in profile.by_op} == {1}
    assert first.mean_us == pytest.approx(168389 / 3295 * 0.32687)
    assert (first.percent, second.percent) == pytest.approx((32.687, 19.108), abs=0.001)
    # All rows together are one inference, and that is less than a run took with what is around it.
    assert sum(row.mean_us for row in profile.by_op) == pytest.approx(168389 / 3295, rel=1e-3)


def test_the_second_table_gives_the_types_their_exact_times() -> None:
    types = {row.type: row for row in profile_of("07").by_type}
    gemm = types["Delegate/Fully Connected (NC, F32) GEMM"]
    assert gemm.calls == 6
    assert gemm.mean_us == pytest.approx(146612 / 3295)
    assert gemm.percent == pytest.approx(87.067, abs=0.001)


@pytest.mark.parametrize("number", ["07", "14"])
def test_rows_and_types_of_xnnpack_are_xnnpacks(number: str) -> None:
    profile = profile_of(number)
    assert {row.executor for row in profile.by_op} == {"xnnpack"}
    assert {row.executor for row in profile.by_type} == {"xnnpack"}


def reading(number: str, delegate: Delegate) -> tuple[str, str | None, str, str]:
    run = litert_run(number)
    usage = litert_run("02")
    runner = BenchmarkModelRunner(read_usage(usage.stdout.encode(), usage.stderr.encode(), usage.exit_code))
    raw = JobOutput(run.exit_code, run.stdout.encode(), run.stderr.encode())
    found = runner.read(work_for(Path("m.tflite"), delegate), raw)
    return found.status, found.delegation.asked, found.delegation.verdict, found.delegation.executor


@pytest.mark.parametrize(
    ("number", "delegate", "expected"),
    [
        ("05", Xnnpack(), ("ok", "xnnpack", "unknown", "xnnpack?")),
        ("08", Npu(), ("ok", "npu", "unavailable", "xnnpack (npu unavailable)")),
        ("09", Gpu(), ("failed", "gpu", "unavailable", "xnnpack (gpu unavailable)")),
        ("19", Gpu(), ("ok", "gpu", "full", "gpu")),
        ("21", Gpu(), ("ok", "gpu", "none", "xnnpack (gpu took nothing)")),
        ("23", Gpu(), ("failed", "gpu", "unknown", "gpu?")),
        ("24", Gpu(), ("failed", "gpu", "full", "gpu")),
        ("18", Xnnpack(), ("ok", "xnnpack", "unknown", "xnnpack?")),
    ],
)
def test_a_trial_is_labelled_by_what_was_asked_and_what_ran(
    number: str, delegate: Delegate, expected: tuple[str, str, str, str]
) -> None:
    assert reading(number, delegate) == expected


def test_a_remark_on_an_accelerator_that_nobody_asked_for_is_no_verdict() -> None:
    """The NPU could not be loaded, in a run on the CPU and in one that asked for it."""
    remark = (
        "WARNING: [npu_registry.cc:34] NPU accelerator could not be loaded and registered: kLiteRtStatusErrorNotFound."
    )
    run = litert_run("05")
    asked = read_launch(f"{remark}\n{run.text}", ["--graph=m.tflite", "--use_npu=true"]).delegation
    plain = read_launch(f"{remark}\n{run.text}", ["--graph=m.tflite"]).delegation
    assert (asked.asked, asked.verdict, asked.evidence) == ("npu", "unavailable", remark)
    assert (plain.asked, plain.verdict) == ("xnnpack", "unknown")


def test_six_thousand_failures_of_one_launch_are_read_at_once() -> None:
    run = litert_run("24")
    start = run.stderr.index("E0000")
    again = run.stderr[start : run.stderr.index("E0000", start + 1)]
    launch = read_launch(run.stdout + run.stderr[:start] + again * 3750 + run.stderr[start:])
    assert (launch.status, len(launch.warnings) < 100) == ("failed", True)
