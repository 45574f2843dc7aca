"""The stand-in of the tool for test devices speaks as the genuine one does, about what really ran."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from benchbench.runtimes.tflite.backends import Delegate
from benchbench.runtimes.tflite.backends.cpu import Cpu
from benchbench.runtimes.tflite.backends.external import External
from benchbench.runtimes.tflite.backends.gpu import Gpu
from benchbench.runtimes.tflite.backends.xnnpack import Xnnpack
from benchbench.runtimes.tflite.benchmark_model import BenchmarkModelRunner, read_usage, usage_argv
from benchbench.runtimes.tool import Feed
from benchbench.values.errors import ToolError
from benchbench.values.job import JobOutput
from benchbench.values.measurement_settings import MeasurementSettings
from tests.beds.benchmark_model import install
from tests.beds.delegate.build import build_delegate, compiler
from tests.beds.launch import Launched, run_job, work_for
from tests.beds.models import chain_model
from tests.runtimes.tflite.benchmark_model import run_of

MODEL = Path(__file__).parents[4] / "benchbench" / "demo" / "fashion_mnist" / "fashion_mnist_float32.tflite"
QUICK = MeasurementSettings(runs=6, min_seconds=0, warmup_runs=2, warmup_min_seconds=0, timeout_seconds=120)


@pytest.fixture(scope="module")
def tool(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return install(tmp_path_factory.mktemp("tool") / "benchmark_model")


def runner_of(tool: Path) -> BenchmarkModelRunner:
    asked = subprocess.run(usage_argv(str(tool)), capture_output=True, check=False)
    return BenchmarkModelRunner(read_usage(asked.stdout, asked.stderr, asked.returncode))


def trial(tool: Path, delegate: Delegate, folder: Path, model: Path = MODEL, **changes: object) -> Launched:
    runner = runner_of(tool)
    work = work_for(model, delegate, tool=str(tool), **{"measure": QUICK, **changes})
    raw = run_job(runner.job(work), folder)
    return Launched(raw, runner.read(work, raw), folder)


def shape_of(text: str) -> list[str]:
    """Lines without their numbers, paths and brackets' contents."""
    lines = [re.sub(r"\[[^\]]*\]|\S*\.tflite", "_", line) for line in text.splitlines() if line.strip()]
    return [re.sub(r"-?\d+(?:\.\d+)?(?:e[+-]?\d+)?", "0", line) for line in lines]


def test_its_lines_have_the_genuine_form_on_the_genuine_streams(tool: Path) -> None:
    flags = ["--use_xnnpack=true", "--num_threads=2", "--num_runs=10", "--min_secs=0.2", "--warmup_min_secs=0.1"]
    said = subprocess.run([str(tool), f"--graph={MODEL}", *flags], capture_output=True, text=True, check=True)
    genuine = run_of("08")
    known = {line for line in shape_of(genuine.stdout) if "Num threads" not in line and "#threads" not in line}
    assert known <= set(shape_of(said.stdout))
    assert set(shape_of(said.stdout)) - known == {"INFO: Num threads: _"}
    assert shape_of(said.stderr) == shape_of(genuine.stderr)


def test_xnnpack_and_reference_kernels_are_both_what_they_are_called(tool: Path, tmp_path: Path) -> None:
    fast, plain = trial(tool, Xnnpack(), tmp_path / "x", threads=2), trial(tool, Cpu(), tmp_path / "c")
    assert (fast.reading.status, fast.reading.delegation.verdict) == ("ok", "full")
    assert fast.reading.delegation.nodes_delegated == fast.reading.delegation.nodes_total
    assert (plain.reading.status, plain.reading.delegation.executor) == ("ok", "cpu")
    for found in (fast.reading.measurement, plain.reading.measurement):
        assert (found.runs, found.warmup_runs) == (6, 2)
        assert found.timings.min is not None
        assert found.timings.max is not None
        assert found.timings.mean is not None
        assert found.timings.min <= found.timings.mean <= found.timings.max
        assert found.memory.peak_polled_mb is not None


def test_a_profile_is_read_back(tool: Path, tmp_path: Path) -> None:
    profile = trial(tool, Xnnpack(), tmp_path, profile=True).reading.measurement.profile
    assert profile is not None
    (row,) = profile.by_op
    assert row.executor == "xnnpack"
    assert row.percent == pytest.approx(100)


def test_outputs_for_given_inputs_are_those_of_the_interpreter(tool: Path, tmp_path: Path) -> None:
    interpreter = Interpreter(str(MODEL))
    interpreter.allocate_tensors()
    detail = interpreter.get_input_details()[0]
    shape = tuple(int(size) for size in detail["shape"])
    image = np.random.default_rng(1).random(shape, dtype=np.float32)
    (tmp_path / "in.bin").write_bytes(image.tobytes())
    feeds = (Feed(shape, file="in.bin"),)
    found = trial(tool, Xnnpack(), tmp_path, feeds=feeds, raw_outputs="out.bin")
    interpreter.set_tensor(detail["index"], image)
    interpreter.invoke()
    expected = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
    assert found.reading.status == "ok"
    np.testing.assert_array_equal(np.frombuffer((tmp_path / "out.bin").read_bytes(), np.float32), expected.ravel())


def test_a_missing_library_is_passed_over_in_silence(tool: Path, tmp_path: Path) -> None:
    found = trial(tool, External(path="/nonexistent/libfoo.so"), tmp_path)
    assert found.raw.exit_code == 0
    assert b"libfoo" not in found.raw.stderr
    assert (found.reading.status, found.reading.delegation.verdict) == ("ok", "unavailable")


@pytest.mark.skipif(compiler() is None, reason="there is no C compiler here")
@pytest.mark.parametrize(
    ("options", "status", "verdict"),
    [
        ({"mode": "elementwise"}, "ok", "partial"),
        ({"mode": "none"}, "ok", "none"),
        ({"mode": "elementwise", "fail": "create"}, "ok", "unavailable"),
        ({"mode": "elementwise", "fail": "prepare"}, "failed", "none"),
    ],
)
def test_an_external_delegate_that_really_computes_gets_its_verdict(
    tool: Path, tmp_path: Path, options: dict[str, str], status: str, verdict: str
) -> None:
    library, model = build_delegate(tmp_path), tmp_path / "chain.tflite"
    model.write_bytes(chain_model())
    found = trial(tool, External(path=str(library), options=options), tmp_path / "job", model).reading
    assert (found.status, found.delegation.verdict) == (status, verdict)
    if verdict == "partial":
        assert (found.delegation.nodes_delegated, found.delegation.nodes_total) == (3, 4)
        assert (found.delegation.partitions, found.delegation.fallback) == (3, "xnnpack")  # it takes ops one by one


def test_a_gpu_is_refused_by_a_build_without_it_and_unavailable_without_use(
    tool: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ToolError, match="does not know --use_gpu"):
        trial(tool, Gpu(), tmp_path / "absent")
    monkeypatch.setenv("STANDIN_GPU", "refused")
    found = trial(tool, Gpu(), tmp_path / "unsupported").reading
    assert (found.status, found.delegation.verdict) == ("ok", "unavailable")
    assert found.delegation.evidence == "WARN: GPU acceleration is unsupported on this platform."


@pytest.mark.parametrize(
    ("arguments", "number"),
    [
        ([], "03"),
        (["--graph=/nonexistent/model.tflite"], "96"),
        (["--graph={model}", "--num_runs=abc"], "102"),
        (["--graph={model}", "--num_threads=-2"], "11"),
        (["--graph={model}", "--require_full_delegation=true"], "24"),
        (["--graph={model}", "--input_layer_value_files=x:y"], "85"),
    ],
)
def test_it_fails_as_the_genuine_tool_does(tool: Path, arguments: list[str], number: str) -> None:
    said = subprocess.run(
        [str(tool), *[argument.format(model=MODEL) for argument in arguments]], capture_output=True, check=False
    )
    genuine = run_of(number)
    work, runner = work_for(MODEL, Cpu()), runner_of(tool)
    found = runner.read(work, JobOutput(said.returncode, said.stdout, said.stderr))
    expected = runner.read(work, JobOutput(genuine.exit_code, genuine.stdout.encode(), genuine.stderr.encode()))
    assert said.returncode == (genuine.exit_code if genuine.exit_code < 128 else 128 - genuine.exit_code)
    assert (found.status, found.error) == (expected.status, expected.error)


def test_an_unknown_flag_is_passed_over_and_the_first_of_two_wins(tool: Path) -> None:
    flags = ["--nosuchflag=1", "--num_runs=3", "--num_runs=9", "--min_secs=0", "--warmup_min_secs=0"]
    said = subprocess.run([str(tool), f"--graph={MODEL}", *flags], capture_output=True, text=True, check=True)
    assert "WARN: Unconsumed cmdline flags: --nosuchflag=1 --num_runs=9\n" in said.stdout
    assert "INFO: Running benchmark for at least 3 iterations" in said.stdout
