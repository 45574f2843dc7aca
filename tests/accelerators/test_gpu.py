"""LiteRT's GPU accelerator, for real, on SwiftShader: a Vulkan device in software that comes with Chromium."""

from __future__ import annotations

import ctypes
from pathlib import Path

import pytest

from benchbench.device_script.protocol import Request
from benchbench.device_script.tflite.delegates import CompiledModelDelegate
from benchbench.runtimes.device_script import run_here
from benchbench.runtimes.tflite.backends.gpu import Gpu
from tests.beds import models
from tests.beds.launch import launch, work_for

SWIFTSHADER = Path("/usr/lib/chromium/vk_swiftshader_icd.json")
ON_SWIFTSHADER = {"VK_ICD_FILENAMES": str(SWIFTSHADER)}


@pytest.fixture(autouse=True)
def _vulkan() -> None:
    try:
        ctypes.CDLL("libvulkan.so.1")
    except OSError:
        pytest.skip("no Vulkan loader: apt-get install libvulkan1")


@pytest.fixture
def swiftshader() -> dict[str, str]:
    if not SWIFTSHADER.exists():
        pytest.skip("no software Vulkan device: apt-get install chromium-common")
    return ON_SWIFTSHADER


def test_a_model_that_the_gpu_takes_whole_is_full_and_agrees_with_the_cpu(
    tmp_path: Path, conv: Path, swiftshader: dict[str, str]
) -> None:
    reading = launch(work_for(conv, Gpu(precision="fp32")), tmp_path, swiftshader).reading
    assert reading.status == "ok", reading.error
    took = reading.delegation
    assert (took.verdict, took.nodes_delegated, took.nodes_total) == ("full", 6, 6)
    assert "Selected adapter: SwiftShader Device" in (took.evidence or "")
    assert reading.measurement.output_errors["probabilities"] == pytest.approx(0, abs=1e-4)
    assert reading.measurement.tool == "ai-edge-litert 2.3.0 CompiledModel"
    assert "the GPU is a software renderer" in reading.measurement.warnings


def test_the_clock_waits_for_the_gpu(tmp_path: Path, swiftshader: dict[str, str]) -> None:
    """run only enqueues: without reading the outputs, 160 M multiplications in software would seem to take nothing."""
    model = tmp_path / "heavy.tflite"
    model.write_bytes(models.conv_model(size=64, channels=32, layers=5))
    reading = launch(work_for(model, Gpu()), tmp_path / "job", swiftshader).reading
    assert reading.status == "ok", reading.error
    assert (reading.measurement.timings.min or 0) > 3000


def test_without_a_vulkan_driver_the_gpu_is_unavailable_and_has_no_number(tmp_path: Path, conv: Path) -> None:
    nothing = {"VK_ICD_FILENAMES": str(tmp_path / "nothing.json"), "VK_DRIVER_FILES": str(tmp_path / "nothing.json")}
    reading = launch(work_for(conv, Gpu()), tmp_path, nothing).reading
    assert reading.status == "failed"
    assert reading.delegation.verdict == "unavailable"
    assert "No adapters found" in (reading.delegation.evidence or "")
    assert reading.measurement.timings.samples == ()


def test_what_the_gpu_leaves_to_the_cpu_is_counted(tmp_path: Path, swiftshader: dict[str, str]) -> None:
    model = tmp_path / "mixed.tflite"
    model.write_bytes(models.chain_model(3, ops=(models.OPS.RELU, models.OPS.LOG_SOFTMAX, models.OPS.LOGISTIC)))
    reading = launch(work_for(model, Gpu(precision="fp32")), tmp_path / "job", swiftshader).reading
    assert reading.status == "ok", reading.error
    took = reading.delegation
    assert took.verdict == "partial"
    assert (took.nodes_delegated, took.nodes_total) == (1, 3)
    assert took.executor == "gpu, rest on xnnpack"


def test_a_launch_from_a_checkout_begins_again_with_the_cpu(
    tmp_path: Path, swiftshader: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in swiftshader.items():
        monkeypatch.setenv(name, value)
    model = tmp_path / "mixed.tflite"
    model.write_bytes(models.chain_model(3, ops=(models.OPS.RELU, models.OPS.LOG_SOFTMAX, models.OPS.LOGISTIC)))
    delegate = CompiledModelDelegate("gpu", fp32=True)
    answer = run_here(Request(str(model), "gpu", delegate, max_seconds=20), tmp_path, timeout_s=300)
    assert (answer.status, answer.delegation.verdict) == ("ok", "partial"), answer.error


def test_a_model_of_which_the_gpu_takes_nothing_gets_no_gpu_number(tmp_path: Path, swiftshader: dict[str, str]) -> None:
    model = tmp_path / "int64.tflite"
    model.write_bytes(models.typed_model(models.INT64))
    reading = launch(work_for(model, Gpu()), tmp_path / "job", swiftshader).reading
    assert reading.status == "failed"
    assert reading.delegation.verdict in {"none", "unavailable"}
    assert reading.measurement.timings.samples == ()


def test_a_quantized_model_runs_on_the_gpu_close_to_the_cpu(tmp_path: Path, swiftshader: dict[str, str]) -> None:
    model = tmp_path / "int8.tflite"
    model.write_bytes(models.quantized_model())
    reading = launch(work_for(model, Gpu(precision="fp32")), tmp_path / "job", swiftshader).reading
    assert reading.status == "ok", reading.error
    assert reading.delegation.verdict == "full"
    assert (reading.measurement.output_errors["y"] or 0) < 0.05


def test_a_broken_model_is_the_models_fault_not_the_gpus(tmp_path: Path, swiftshader: dict[str, str]) -> None:
    model = tmp_path / "corrupt.tflite"
    model.write_bytes(models.corrupt_model())
    reading = launch(work_for(model, Gpu()), tmp_path / "job", swiftshader).reading
    assert reading.status == "failed"
    assert reading.delegation.verdict == "unknown"
    assert (reading.error or "").startswith("load: ")
