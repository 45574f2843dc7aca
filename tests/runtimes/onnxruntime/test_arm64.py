"""The wheel for arm64 boards, under qemu: the probe, and a model as on any other device."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from benchbench.accuracy.outputs import read_outputs
from benchbench.device_script.protocol import OUTPUTS, Evaluation
from benchbench.runtimes.device_script import probe_argv, read_probe
from benchbench.runtimes.onnxruntime.backends import Cpu
from tests.beds import arm64
from tests.beds import onnx_models as models
from tests.beds.launch import script_file
from tests.runtimes.onnxruntime.conftest import Launch


@pytest.fixture
def python() -> Iterator[str]:
    if reason := arm64.missing():
        pytest.skip(reason)
    with arm64.python_with("onnxruntime") as command:
        yield command


def test_the_probe_and_a_model_on_arm64(python: str, launch: Launch, tmp_path: Path) -> None:
    asked = subprocess.run(probe_argv(python, str(script_file()), "onnxruntime"), capture_output=True, check=False)
    probe = read_probe(asked.stdout.decode())
    assert probe is not None, asked.stderr
    assert (probe.runtime or "").startswith("onnxruntime 1.")

    samples = np.random.RandomState(3).uniform(-1, 1, (2, 3, 8, 8)).astype(np.float32)
    np.savez(tmp_path / "samples.npz", x=samples)
    evaluation = Evaluation(samples=str(tmp_path / "samples.npz"))
    there = launch(models.conv("N"), Cpu(), python=python, evaluation=evaluation)
    (output,) = read_outputs(there.folder / OUTPUTS)
    here = launch(models.conv("N"), Cpu(), evaluation=evaluation)
    (expected,) = read_outputs(here.folder / OUTPUTS)
    assert (there.reading.status, there.reading.delegation.verdict) == ("ok", "full"), there.reading.error
    assert there.reading.delegation.nodes_total == 5
    np.testing.assert_allclose(output.raw, expected.raw, atol=1e-5)
