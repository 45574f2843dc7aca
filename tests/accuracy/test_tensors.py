from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from benchbench.accuracy.tensors import Preprocessing, dequantize, quantize, samples_at_once, to_input
from benchbench.device_script import on_device
from tests.accuracy.conftest import Described


def test_dequantization_is_the_formula_of_the_specification() -> None:
    raw = np.array([-128, 0, 127], np.int8)
    assert dequantize(raw, 0.5, -28).tolist() == [-50.0, 14.0, 77.5]


def test_what_is_not_quantized_stays_as_it_is() -> None:
    assert dequantize(np.array([1.5, -2.0], np.float16), 0.0, 0).tolist() == [1.5, -2.0]


def test_quantization_and_back_is_within_half_a_step() -> None:
    real = np.linspace(-1, 0.99, 1000, dtype=np.float32)
    back = dequantize(quantize(real, 1 / 128, 0, "int8"), 1 / 128, 0)
    assert abs(back - real).max() <= 1 / 256


@pytest.mark.parametrize(
    ("inputs", "outputs", "size"),
    [
        ([(1, 8, 8, 3)], [(1, 10)], 1),
        ([(1, 8), (1,)], [(1, 4), (7,)], 1),
        ([(4, 3)], [(4, 3)], 4),
        ([(4, 3)], [(-1, 10)], 4),  # any number of samples comes out
        ([(98, 40)], [(12,)], None),  # a spectrum, not 98 samples
        ([(15600,)], [(1, 521)], None),
        ([(8,), (8,)], [(8,)], None),
        ([(8,), (4,), (1,)], [(8,)], None),
        ([(1, 4), (2, 4)], [(1, 4)], None),
        ([()], [()], None),
    ],
)
def test_samples_are_the_first_axis_where_all_inputs_share_one(
    inputs: list[tuple[int, ...]], outputs: list[tuple[int, ...]], size: int | None
) -> None:
    assert samples_at_once(inputs, outputs) == size


def test_whole_numbers_fit_an_input_of_other_whole_numbers() -> None:
    tokens = Described("tokens", "int32", (1, 3))
    assert to_input(np.array([[1, 2, 3]], np.int64), tokens, None).dtype == np.int32


def test_quantization_holds_values_within_the_type() -> None:
    assert quantize(np.array([1e9, -1e9], np.float32), 0.1, 3, "uint8").tolist() == [255, 0]


def test_an_integer_input_without_a_scale_takes_whole_numbers_only() -> None:
    tokens = Described("tokens", "int32", (1, 3))
    assert to_input(np.array([[1, 2, 3]], np.int32), tokens, None).dtype == np.int32
    with pytest.raises(ValueError, match="'tokens' is int32 without a scale"):
        to_input(np.array([[1.0, 2.0, 3.0]]), tokens, None)


@pytest.mark.parametrize("dtype", ["float32", "float16", "uint8", "int8", "int16"])
@pytest.mark.parametrize("how", [None, Preprocessing(scale=1 / 255, mean=(0.4, 0.5, 0.6), std=(0.2, 0.3, 0.25))])
def test_the_host_feeds_a_model_what_the_script_on_the_device_feeds_it(dtype: str, how: Preprocessing | None) -> None:
    samples = np.random.default_rng(0).integers(0, 256, (5, 4, 4, 3), dtype=np.uint8)
    quantized = dtype in {"uint8", "int8", "int16"}
    tensor = Described(dtype=dtype, scale=0.021 if quantized else 0.0, zero_point=3 if quantized else 0)
    detail = {"name": "x", "dtype": np.dtype(dtype), "scale": tensor.scale, "zero_point": tensor.zero_point}
    convert: Any = on_device.to_input  # the script that travels has no types
    there = convert(samples, detail, how.model_dump() if how else None)
    here = to_input(samples, tensor, how)
    assert here.dtype == there.dtype
    assert np.array_equal(here, there)
