"""What samples become in a launch; with preprocessing and quantization in tests/runtimes/tflite/script."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchbench.accuracy.outputs import read_outputs
from benchbench.device_script.protocol import OUTPUTS, Evaluation
from benchbench.device_script.tflite.delegates import InterpreterDelegate
from tests.beds import models
from tests.device_script.conftest import CPU, Ask
from tests.runtimes.tflite.model.small_models import M, O, T, build

RELU = (models.OPS.RELU,)


@pytest.mark.parametrize("whole", [False, True])
def test_samples_go_in_batch_by_batch_or_whole(ask: Ask, tmp_path: Path, whole: bool) -> None:
    samples = np.random.default_rng(0).normal(size=(6, 4, 3) if whole else (10, 3)).astype(np.float32)
    np.savez(tmp_path / "x.npz", x=samples)
    answer = ask(models.chain_model(1, (4, 3), RELU), evaluate=Evaluation("x.npz", whole=whole))
    assert (answer.evaluated, len(answer.warmup_ns) + len(answer.steady_ns)) == (len(samples), 6 if whole else 3)
    (output,) = read_outputs(tmp_path / OUTPUTS)
    np.testing.assert_array_equal(output.raw, np.maximum(samples, 0))


def test_no_time_is_time_for_one_batch(ask: Ask, tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", x=np.ones((10, 3), np.float32))
    answer = ask(models.chain_model(1, (4, 3), RELU), evaluate=Evaluation("x.npz", at_most_seconds=0))
    assert (answer.status, answer.evaluated, answer.stopped_by) == ("ok", 4, "seconds")


def test_a_shape_that_is_left_to_the_model_is_its_own(ask: Ask, tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", x=np.ones((2, 5), np.float32))
    answer = ask(models.chain_model(1, (1, 3), RELU), shapes=((-1, 5),), evaluate=Evaluation("x.npz"))
    assert [tensor.shape for tensor in answer.inputs] == [(1, 5)]
    assert read_outputs(tmp_path / OUTPUTS)[0].raw.shape == (2, 5)


def test_an_input_without_samples_is_refused(ask: Ask, tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", x=np.ones((2, 1), np.float32))
    error = ask(models.add_model(), evaluate=Evaluation("x.npz")).error
    assert error is not None
    assert error.message == "x.npz holds 1 arrays, the model has 2 inputs to feed"
    assert ask(models.add_model(), evaluate=Evaluation("x.npz", fed=(0,))).status == "ok"


def test_outputs_that_change_their_shape_are_told_apart(ask: Ask, tmp_path: Path) -> None:
    """WHERE gives the places of what is true."""
    where = build(M([T((1, 4), "BOOL"), T((1, 2), "INT64", signature=(-1, 2))], [O("WHERE", (0,), (1,))]))
    for samples, error in (([[1, 0, 1, 0], [0, 1, 1, 0]], None), ([[1, 0, 0, 0], [0, 1, 1, 0]], "NotComparable")):
        np.savez(tmp_path / "x.npz", x=np.array(samples, np.bool_))
        answer = ask(where, asked="cpu", delegate=CPU, evaluate=Evaluation("x.npz"))
        assert (answer.error and answer.error.type) == error


def test_reference_kernels_can_be_asked_for(ask: Ask, tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", x=np.random.default_rng(0).normal(size=(3, 32, 32, 3)).astype(np.float32))
    raw = []
    for delegate in (InterpreterDelegate(xnnpack=False, kernels="reference"), CPU, InterpreterDelegate(xnnpack=True)):
        answer = ask(models.conv_model(), asked="cpu", delegate=delegate, evaluate=Evaluation("x.npz"))
        assert answer.status == "ok"
        raw.append(read_outputs(tmp_path / OUTPUTS)[0].raw)
    assert not np.array_equal(raw[0], raw[1])  # other kernels sum up in another order
    np.testing.assert_allclose(raw[0], raw[2], rtol=1e-3)
