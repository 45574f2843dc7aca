"""Compile caches of the native tool: flags of both generations as the genuine ones know them, and what they say."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchbench.runtimes.tflite.backends import Delegate
from benchbench.runtimes.tflite.backends.gpu import Gpu
from benchbench.runtimes.tflite.backends.nnapi import Nnapi
from benchbench.runtimes.tflite.backends.npu import Npu
from benchbench.runtimes.tflite.backends.xnnpack import Xnnpack
from benchbench.runtimes.tflite.benchmark_model import BenchmarkModelRunner, Capabilities, read_usage
from benchbench.values.errors import Unsupported
from benchbench.values.job import JobOutput
from benchbench.values.outcome import CacheLine
from tests.beds.launch import work_for
from tests.runtimes.tflite.benchmark_model import Run, litert_run, run_of

MODEL = Path("/d/m.tflite")
KEY = "0" * 16


def usage(run: Run) -> Capabilities:
    return read_usage(run.stdout.encode(), run.stderr.encode(), 1)


CLASSIC = usage(litert_run("17"))
PHONE = Capabilities("tflite", usage(run_of("bz01")).flags | {"gpu_precision_loss_allowed"})  # as Android builds have
LITERT = usage(litert_run("02"))


def given(generation: Capabilities, delegate: Delegate, cache: str | None = "/c") -> set[str]:
    return set(BenchmarkModelRunner(generation).job(work_for(MODEL, delegate, cache=cache)).argv)


@pytest.mark.parametrize(
    ("generation", "delegate", "flags"),
    [
        (CLASSIC, Xnnpack(cache="warm"), {"--xnnpack_weight_cache_file_path=/c/weights"}),
        (PHONE, Gpu(cache="warm"), {"--delegate_serialize_dir=/c", f"--delegate_serialize_token={KEY}"}),
        (PHONE, Nnapi(cache="warm"), {"--delegate_serialize_dir=/c", f"--delegate_serialize_token={KEY}"}),
        (LITERT, Xnnpack(cache="cold"), {"--xnnpack_weight_cache_file_path=/c/weights"}),
        (LITERT, Gpu(cache="cold"), {"--gpu_serialization_dir=/c", f"--gpu_model_cache_key={KEY}"}),
        (LITERT, Npu(cache="cold"), {"--compiler_cache_path=/c"}),
    ],
)
def test_each_generation_has_flags_of_its_own(generation: Capabilities, delegate: Delegate, flags: set[str]) -> None:
    assert flags <= given(generation, delegate)
    assert not flags & given(generation, delegate, cache=None)
    assert BenchmarkModelRunner(generation).unsupported_reason(delegate) is None


def test_a_build_that_has_no_such_flag_is_a_skip_with_the_reason() -> None:
    older = Capabilities("tflite", CLASSIC.flags - {"xnnpack_weight_cache_file_path"})
    assert "xnnpack_weight_cache_file_path" in str(
        BenchmarkModelRunner(older).unsupported_reason(Xnnpack(cache="warm"))
    )
    assert BenchmarkModelRunner(older).unsupported_reason(Xnnpack(cache="off")) is None
    with pytest.raises(Unsupported, match="xnnpack_weight_cache_file_path"):
        given(older, Xnnpack(cache="warm"))


def said(delegate: Delegate, stdout: str, stderr: str = "") -> CacheLine | None:
    raw = JobOutput(0, stdout.encode(), stderr.encode())
    return BenchmarkModelRunner(PHONE).read(work_for(MODEL, delegate, cache="/c"), raw).cache


def test_the_genuine_tool_says_when_its_weight_cache_can_be_neither_read_nor_written() -> None:
    refused = said(Xnnpack(cache="warm"), run_of("72").stdout, run_of("72").stderr)
    assert refused is not None
    assert refused.event == "refused"
    assert "could neither be loaded from or saved to" in refused.line
    for run in (run_of("70"), run_of("71")):  # it says no more of one that it fills, and of one that it reads
        assert said(Xnnpack(cache="warm"), run.stdout, run.stderr) is None


@pytest.mark.parametrize(
    ("delegate", "line", "event"),
    [
        # A board's log of 2024, whose NPU is behind NNAPI (github.com/synaptics-synap/doc).
        (Nnapi(), "ERROR: File /d/nnapiacache/a6_61.bin couldn't be opened for reading: No such file", "missed"),
        # tflite/delegates/serialization.cc and gpu/delegate.cc, and LiteRT's GPU accelerator.
        (Nnapi(), "INFO: Found serialized data for model a6 (12 B) at /c/a6.bin", "read"),
        (Gpu(), "INFO: Initialized OpenCL-based API from serialized data.", "read"),
        (Gpu(), "INFO: [delegate_kernel.cc:712] Initializing WebGPU-based API from serialized data.", "read"),
        (Gpu(), "WARNING: Failed to save serialized data: Invalid file descriptor", "refused"),
        # litert/runtime/compiled_model.cc
        (Npu(), "INFO: [compiled_model.cc:829] Flatbuffer model initialized from cached model.", "read"),
        (Npu(), "INFO: [compiled_model.cc:700] Saving JIT compiled model to cache.", "missed"),
        (
            Npu(),
            "INFO: [compiled_model.cc:829] Flatbuffer model initialized directly from incoming litert model.",
            None,
        ),
        (Xnnpack(), "VERBOSE: XNNPack weight cache loaded from '/c/weights'.", "read"),
    ],
)
def test_lines_that_tell_of_a_cache(delegate: Delegate, line: str, event: str | None) -> None:
    found = said(delegate, "INFO: STARTING!\n" + line + "\n")
    assert (found.event if found else None) == event
    assert found is None or found.line == line


def test_a_gpu_that_comes_from_its_cache_is_still_known_to_have_run_the_graph() -> None:
    run = litert_run("19")
    warm = run.stderr.replace(
        "Initializing WebGPU-based API from graph", "Initializing WebGPU-based API from serialized data"
    )
    assert warm != run.stderr
    runner = BenchmarkModelRunner(LITERT)
    readings = [
        runner.read(work_for(MODEL, Gpu(cache="warm"), cache="/c"), JobOutput(0, run.stdout.encode(), stderr.encode()))
        for stderr in (run.stderr, warm)
    ]
    assert [reading.delegation.verdict for reading in readings] == ["full", "full"]
    assert [reading.cache.event if reading.cache else None for reading in readings] == [None, "read"]
