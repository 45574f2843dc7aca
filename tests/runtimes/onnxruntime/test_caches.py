"""Compile caches of execution providers: OpenVINO's on this machine, and who has none."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from pydantic import ValidationError

from benchbench.analysis.frames import load
from benchbench.device.temporary import LIST_FILES, FileState, read_files
from benchbench.device_script.onnxruntime.delegates import OnnxRuntimeDelegate
from benchbench.modes.caches import _warm_use
from benchbench.pipeline import run
from benchbench.runtimes.onnxruntime.backends import Cpu, OnnxBackend, OpenVino, WebGpu
from benchbench.runtimes.onnxruntime.backends.base import PERF_TEST
from benchbench.runtimes.onnxruntime.backends.providers import CoreMl, Cuda, Nnapi, Qnn, TensorRt, Xnnpack
from benchbench.values.device import Traits
from tests.beds import onnx_models as models
from tests.beds.namespaces import CACHES_READ_ONLY, can_mount
from tests.runtimes.onnxruntime.conftest import Launch
from tests.workbench import Workbench, outcomes

MATRIX = """
name = "caches"
delegates = [{ kind = "ort-openvino", options = { device_type = "CPU" } }, "ort-cpu"]
cache = ["off", "cold", "warm"]
[[model]]
family = "net"
variants = "net.onnx"
[measure]
rounds = 1
runs = 2
min_seconds = 0
warmup_runs = 1
warmup_min_seconds = 0
canary = false
"""


def test_openvino_finds_what_an_earlier_launch_has_compiled(launch: Launch, intel_python: str, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    asked = OpenVino(cache="warm")
    priming, measured = (
        (launch(models.stacked(channels=64), asked, python=intel_python, cache=str(kept)).reading, files_in(kept))
        for _ in range(2)
    )
    for reading, _ in (priming, measured):
        assert (reading.status, reading.delegation.verdict) == ("ok", "full"), reading.error
    use = _warm_use(priming[1], measured[1], measured[0].cache)
    assert use.used, use.evidence
    assert sum(file.size for file in (measured[1] or {}).values()) > 400_000  # 111 thousand weights of four bytes


def files_in(folder: Path) -> Mapping[str, FileState] | None:
    """As a session asks a device."""
    told = subprocess.run(["sh", "-c", LIST_FILES, "sh", str(folder)], check=True, capture_output=True, text=True)
    return read_files(told.stdout, str(folder))


def test_a_cache_that_a_build_of_openvino_writes_again_each_time_is_not_called_used(
    tmp_path: Path, openvino_build: Mapping[str, str]
) -> None:
    """OpenVINO 2025.4 takes what it has kept on an AMD processor for another's, and compiles again without a word."""
    bench = measured(tmp_path, openvino_build["PYTHONPATH"])

    cases = {str(case["delegate"]): case for _, case in load(bench.latest()).cases.iterrows()}
    openvino = ["ort-openvino:no-cache", "ort-openvino:cold", "ort-openvino:warm"]
    assert {name: case.verdict for name, case in cases.items()} == dict.fromkeys([*openvino, "ort-cpu"], "full")
    used = {outcome.case.split("/")[2]: outcome.cache for outcome in outcomes(bench.latest())}
    assert used["ort-openvino:no-cache"] is used["ort-cpu"] is None
    cold, warm = (used[f"ort-openvino:{state}"] for state in ("cold", "warm"))
    assert cold is not None
    assert warm is not None
    assert (cold.asked, cold.used, warm.asked) == ("cold", True, "warm")
    assert cases["ort-openvino:cold"].init_cold_ms == cases["ort-openvino:cold"].init_ms
    assert cases["ort-openvino:warm"].cache_mb == pytest.approx(cases["ort-openvino:cold"].cache_mb, rel=0.01)
    told = cases["ort-openvino:warm"]
    doubted = any(doubt.text.startswith("cache asked for, not used: ") for doubt in told.doubts)
    assert warm.used is not None
    assert doubted is not warm.used
    assert warm.used is (told.init_warm_ms > 0)
    if "AuthenticAMD" in Path("/proc/cpuinfo").read_text():
        assert "was written again by the measured launch" in warm.evidence


def measured(folder: Path, python_path: str) -> Workbench:
    """A run of the matrix on this machine, whose Python begins with those folders."""
    bench = Workbench(folder)
    local = f'address = {{ transport = "local" }}\nworkdir = "{bench.work}"'
    bench.device("host", f'{local}\npython = "{sys.executable}"\nenv = {{ PYTHONPATH = "{python_path}" }}\n')
    (folder / "net.onnx").write_bytes(models.stacked(channels=64).SerializeToString())
    matrix = folder / "matrix.toml"
    matrix.write_text(MATRIX)
    run(matrix, inventory=bench.inventory, reports=bench.reports)
    return bench


@pytest.mark.skipif(not can_mount(), reason="needs root, to make a folder read-only for a process")
def test_openvino_refuses_a_cache_in_a_read_only_folder_and_no_time_is_told_for_it(
    tmp_path: Path, openvino_build: Mapping[str, str]
) -> None:
    """It does not go on without: its session fails, which is no number of a cache that was not used."""
    (tmp_path / "sitecustomize.py").write_text(CACHES_READ_ONLY)
    bench = measured(tmp_path, f"{openvino_build['PYTHONPATH']}:{tmp_path}")
    cases = {str(case["delegate"]): case for _, case in load(bench.latest()).cases.iterrows()}
    assert cases["ort-openvino:no-cache"].verdict == "full"
    for state in ("cold", "warm"):
        case = cases[f"ort-openvino:{state}"]
        assert (case.status, case.verdict) == ("failed", "unavailable")
        assert "_cache." in case.error  # the path that it could not write
        assert case[["median_ms", "init_cold_ms", "init_warm_ms", "cache_mb"]].isna().all()


@pytest.mark.parametrize("backend", [OpenVino, TensorRt, CoreMl])
def test_a_provider_with_a_cache_is_told_of_its_folder_and_keeps_its_own_options(
    backend: Callable[..., OnnxBackend],
) -> None:
    asked = backend(options={"own": "1"}).with_cache("warm")
    assert asked is not None
    kept = asked.keeping(asked.session(None, 1), "/d/cache")
    assert isinstance(kept, OnnxRuntimeDelegate)
    assert kept.options is not None
    assert kept.options["own"] == "1"
    assert any("/d/cache" in value for value in kept.options.values())
    assert asked.label == f"{asked.kind}:warm"
    assert backend(name="mine", cache="cold").label.endswith(":mine:cold")
    there = Traits(os="macos", abi="arm64", accelerators=(asked.kind,))
    assert asked.unsupported_reason(there, "python") is None
    assert "keeps nothing" in str(asked.unsupported_reason(there, PERF_TEST))


@pytest.mark.parametrize("backend", [Cpu, Cuda, Qnn, WebGpu, Xnnpack, Nnapi])
def test_one_without_is_measured_once_and_asked_for_a_cache_it_is_a_skip(backend: Callable[..., OnnxBackend]) -> None:
    assert backend().with_cache("cold") is None
    traits = Traits(os="linux", abi="aarch64", accelerators=(str(backend().provider),))
    reason = backend(cache="warm").unsupported_reason(traits, "python")
    assert reason is not None
    assert reason.startswith(f"{backend().kind} has no cache: ")


def test_a_folder_that_the_matrix_names_itself_is_no_axis_and_two_are_a_mistake() -> None:
    own = {"load_config": "/d/mine.json"}
    assert OpenVino(options=own).with_cache("cold") is None
    with pytest.raises(ValidationError, match="leave that out of options"):
        OpenVino(options=own, cache="cold")
