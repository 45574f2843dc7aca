"""LiteRT's NPU path, for real, on OpenVINO's CPU device: plugin, dispatch op and dispatch library are genuine."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchbench.runtimes.tflite.backends.npu import Npu
from tests.beds import models
from tests.beds.launch import launch, work_for


@pytest.fixture(scope="session")
def npu_python() -> str:
    """An interpreter that has OpenVINO: BENCHBENCH_NPU_PYTHON, or the one that runs the tests."""
    python = os.environ.get("BENCHBENCH_NPU_PYTHON", sys.executable)
    there = subprocess.run([python, "-c", "import openvino"], capture_output=True, check=False)
    if there.returncode:
        pytest.skip("no OpenVINO in the interpreter: pip install ai-edge-litert-sdk-intel")
    return python


def test_the_npu_path_on_openvinos_cpu_is_full_and_agrees_with_the_cpu(
    tmp_path: Path, conv: Path, npu_python: str
) -> None:
    env = {"ONEDNN_MAX_CPU_ISA": "AVX2"}  # else OpenVINO computes in bfloat16 where the CPU can
    work = work_for(conv, Npu(vendor="intel", backend="cpu"), python=npu_python)
    reading = launch(work, tmp_path, env).reading
    assert reading.status == "ok", reading.error
    took = reading.delegation
    assert (took.verdict, took.nodes_delegated, took.nodes_total) == ("full", 6, 6)
    assert "1 compiler plugins were applied successfully: IntelOpenVINO" in (took.evidence or "")
    assert reading.measurement.output_errors["probabilities"] == pytest.approx(0, abs=1e-3)
    assert "the NPU path ran on OpenVINO's CPU device" in reading.measurement.warnings


def test_an_absent_npu_is_unavailable_and_the_silent_cpu_run_no_npu_number(
    tmp_path: Path, conv: Path, npu_python: str
) -> None:
    reading = launch(work_for(conv, Npu(vendor="intel"), python=npu_python), tmp_path).reading
    assert reading.status == "failed"
    assert reading.delegation.verdict == "unavailable"
    assert "libopenvino_intel_npu_compiler_loader.so" in (reading.delegation.evidence or "")
    assert reading.measurement.timings.samples == ()


def test_what_the_npu_leaves_to_the_cpu_is_counted(tmp_path: Path, npu_python: str) -> None:
    model = tmp_path / "mixed.tflite"
    model.write_bytes(models.chain_model(3, ops=(models.OPS.RELU, models.OPS.LOGISTIC, models.OPS.FLOOR)))
    work = work_for(model, Npu(vendor="intel", backend="cpu"), python=npu_python)
    reading = launch(work, tmp_path / "job").reading
    assert reading.status == "ok", reading.error
    took = reading.delegation
    assert (took.verdict, took.nodes_delegated, took.nodes_total, took.partitions) == ("partial", 2, 3, 1)
    assert took.executor == "npu, rest on xnnpack"


def test_without_openvino_the_npu_is_unavailable(tmp_path: Path, conv: Path) -> None:
    if not subprocess.run([sys.executable, "-c", "import openvino"], capture_output=True, check=False).returncode:
        pytest.skip("OpenVINO is installed here")
    reading = launch(work_for(conv, Npu(vendor="intel", backend="cpu")), tmp_path).reading
    assert reading.status == "failed"
    assert reading.delegation.verdict == "unavailable"
    assert "libopenvino" in (reading.delegation.evidence or "")
    assert reading.measurement.timings.samples == ()


COMPILE_AHEAD = """
import sys
from ai_edge_litert.aot import aot_compile
from ai_edge_litert.aot.vendors.intel_openvino.target import SocModel, Target
target = Target(SocModel.PTL)
aot_compile.aot_compile(sys.argv[1], output_dir=sys.argv[2], target=target, intel_openvino_graph_backends="0:cpu")
"""


def test_a_model_compiled_ahead_for_another_device_is_not_the_npus_number(
    tmp_path: Path, conv: Path, npu_python: str
) -> None:
    """The bytecode, not the option, chooses the device: it runs without an error, on OpenVINO's CPU device."""
    command = [npu_python, "-c", COMPILE_AHEAD, str(conv), str(tmp_path / "aot")]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    (ahead,) = (tmp_path / "aot").glob("*.tflite")
    asked_for_npu = launch(work_for(ahead, Npu(vendor="intel"), python=npu_python), tmp_path / "npu").reading
    assert asked_for_npu.status == "failed"
    assert asked_for_npu.delegation.verdict == "none"
    assert asked_for_npu.delegation.evidence == "OpenVINO used its CPU device, asked for was NPU"
    honest = launch(work_for(ahead, Npu(vendor="intel", backend="cpu"), python=npu_python), tmp_path / "cpu").reading
    assert honest.status == "ok", honest.error
    assert honest.delegation.verdict == "full"
