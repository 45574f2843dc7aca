"""Outputs as raw bytes: how they are parted into samples, and when two are alike."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchbench.accuracy.raw import RawSamples, alike
from benchbench.accuracy.samples import Stored
from benchbench.runtimes.models import inspect

FAMILY = Path(__file__).parents[2] / "benchbench" / "demo" / "fashion_mnist"


def test_outputs_of_another_size_than_the_model_says_are_refused() -> None:
    info = inspect(FAMILY / "fashion_mnist_float32.tflite")
    samples = RawSamples(info.inputs, info.outputs, (Stored(np.zeros((3, 28, 28, 1), np.uint8)),), None)
    assert [array.shape for array in samples.split(bytes(120), 3)] == [(3, 10)]
    with pytest.raises(ValueError, match="the outputs have 40 bytes, and 120 by the model's file"):
        samples.split(bytes(40), 3)
    without = replace(samples, outputs=(info.outputs[0].model_copy(update={"shape": (10,)}),))
    assert not without.have_an_axis_of_samples
    assert without.joined([[np.zeros(10)], [np.ones(10)], [np.ones(10)]])[0].raw.shape == (3, 10)


def test_floats_may_differ_by_the_order_of_sums_and_integers_may_not() -> None:
    values = np.array([1.0, 1000.0, np.nan, np.inf], np.float32)
    assert alike(values + np.float32(0.01), values)
    assert not alike(values + np.float32(1), values)
    assert not alike(np.array([1, 2], np.int8), np.array([1, 3], np.int8))
    assert not alike(np.zeros(2, np.float32), np.zeros(3, np.float32))
