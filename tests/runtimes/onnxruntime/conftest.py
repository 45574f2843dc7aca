"""Launches of ONNX models on this host, and Pythons in which OpenVINO is a plug-in that works, or built in."""

from __future__ import annotations

import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from onnx import ModelProto

from benchbench.runtimes import Delegate
from benchbench.runtimes.onnxruntime.model.inspect import inspect
from benchbench.runtimes.onnxruntime.runner import OnnxRunner
from benchbench.values.case import InputSpec
from tests.beds.launch import Launched, run_job, work_for

QEMU = "qemu-x86_64-static"
REQUIREMENT = Path(__file__).parents[2] / "beds" / "openvino_build.txt"

Launch = Callable[..., Launched]


@pytest.fixture
def launch(tmp_path: Path) -> Launch:
    """One trial of a model: the job built, run and read; `env` is that of the process."""

    def run(
        model: ModelProto | Path, delegate: Delegate, env: Mapping[str, str] | None = None, **changes: Any
    ) -> Launched:
        path = model if isinstance(model, Path) else saved(model, tmp_path / "net.onnx")
        shapes = changes.pop("shapes", ())
        work = work_for(path, delegate, **changes)
        about = {"format": "onnx", "sha256": inspect(path).sha256}
        variant = work.variant.model_copy(update=about | {"inputs": tuple(InputSpec(shape=shape) for shape in shapes)})
        work = replace(work, variant=variant)
        runner = OnnxRunner()
        raw = run_job(runner.job(work), tmp_path / "job", env)
        return Launched(raw, runner.read(work, raw), tmp_path / "job")

    return run


def saved(model: ModelProto, path: Path) -> Path:
    path.write_bytes(model.SerializeToString())
    return path


@pytest.fixture(scope="session")
def intel_python(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A Python on an Intel processor, where OpenVINO's plug-in offers a device: on another one under qemu."""
    if platform.machine() != "x86_64" or sys.platform != "linux":
        pytest.skip("onnxruntime-ep-openvino is built for x86-64 Linux")
    if "GenuineIntel" in Path("/proc/cpuinfo").read_text():
        return sys.executable
    if shutil.which(QEMU) is None:
        pytest.skip(f"there is no {QEMU}: apt-get install qemu-user-static")
    command = tmp_path_factory.mktemp("intel") / "python"
    cpu = "Skylake-Client-v3,vendor=GenuineIntel"
    command.write_text(
        f'#!/bin/sh\nexec {QEMU} -cpu {cpu} "{sys.executable}" "$@" 2>/dev/null\n'
    )  # of features it lacks
    command.chmod(0o755)
    return str(command)


@pytest.fixture(scope="session")
def openvino_build() -> Iterator[Mapping[str, str]]:
    """The environment in which Python has an ONNX Runtime with OpenVINO built in, which runs on any x86-64 CPU."""
    if platform.machine() != "x86_64" or sys.platform != "linux":
        pytest.skip("onnxruntime-openvino is built for x86-64 Linux")
    with tempfile.TemporaryDirectory(prefix="benchbench-openvino-") as folder:
        command = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--no-deps", "--only-binary", ":all:"]
        what = ["--require-hashes", "--requirement", str(REQUIREMENT), "--python", sys.executable, "--target", folder]
        done = subprocess.run([*command, *what], text=True, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr
        yield {"PYTHONPATH": folder}
