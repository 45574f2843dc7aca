from __future__ import annotations

import numpy as np
import pytest

from benchbench.accuracy.tensors import samples_at_once
from benchbench.device_script.tensors import dequantize, quantize, to_input
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
