from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchbench.device_script.fidelity import fidelity
from benchbench.device_script.protocol import Request
from benchbench.device_script.tensors import random_inputs
from benchbench.device_script.tflite.interpreter import InterpreterEngine
from benchbench.device_script.tflite.runtime import Runtime
from tests.beds import models
from tests.device_script.conftest import CPU


def test_outputs_are_compared_with_those_of_this_cpu_by_their_relative_error(tmp_path: Path) -> None:
    model = tmp_path / "model.tflite"
    model.write_bytes(models.conv_model())
    engine = InterpreterEngine(Runtime(), Request(str(model), "cpu", CPU), CPU)
    for _stage, step in engine.steps():
        step()
    fed = random_inputs(engine.inputs, seed=0)
    engine.feed(fed)
    engine.step()
    (right,) = engine.results()
    found = [
        fidelity(engine, fed, [outputs]).relative_l2
        for outputs in (right, right * np.float32(1.5), right * np.float32(np.nan))
    ]
    same, half, none = ((errors or {})["probabilities"] for errors in found)
    assert same == pytest.approx(0, abs=1e-5)
    assert half == pytest.approx(0.5, rel=1e-3)
    assert none is None


def test_a_model_that_the_cpu_cannot_run_has_no_reference(tmp_path: Path) -> None:
    """An engine that runs it stands for an accelerator; its file is another by now."""
    model = tmp_path / "model.tflite"
    model.write_bytes(models.add_model())
    engine = InterpreterEngine(Runtime(), Request(str(model), "cpu", CPU), CPU)
    for _stage, step in engine.steps():
        step()
    other = tmp_path / "other.tflite"
    other.write_bytes(models.edgetpu_model())
    other.replace(model)  # the interpreter keeps the file that it has
    found = fidelity(engine, [], [])
    assert (found.reference, found.relative_l2) == (None, None)
    assert "edgetpu-custom-op" in (found.why or "")
