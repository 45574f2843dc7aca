from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from benchbench.device_script.protocol import Preprocess
from benchbench.device_script.tensors import Tensor, filled_shape, random_inputs, to_input, to_real


def tensor(dtype: str, *shape: int, scale: float = 0.0, zero_point: int = 0) -> Tensor:
    return Tensor("x", 0, shape, np.dtype(dtype), scale, zero_point)


def test_a_seed_stands_for_the_same_inputs_everywhere() -> None:
    """RandomState's stream is frozen by numpy's policy; these are its first values on any machine."""
    first, again, other = (random_inputs([tensor("float32", 2)], seed)[0].tolist() for seed in (0, 0, 1))
    assert first == again == pytest.approx([0.0488135, 0.2151894])
    assert other != first
    (x,) = random_inputs([tensor("int8", 1000)], 0)
    assert (int(x.min()), int(x.max())) == (-127, 127)


def test_given_ranges_of_whole_numbers_include_both_ends() -> None:
    (x,) = random_inputs([tensor("int32", 1000)], 0, [(3.0, 5.0)])
    assert sorted(set(x.tolist())) == [3, 4, 5]


@pytest.mark.parametrize(
    ("asked", "shape"), [(None, (1, 8)), ((-1, 20), (1, 20)), ((4, -1), (4, 8)), ((2, 3, 4), (2, 3, 4)), ((), ())]
)
def test_a_shape_may_leave_axes_to_the_model(asked: Any, shape: tuple[int, ...]) -> None:
    assert filled_shape(asked, (1, 8)) == shape


def test_preprocessing_is_by_channel() -> None:
    how = Preprocess(scale=0.5, mean=(1.0, 2.0), std=(1.0, 4.0))
    real = to_real(np.array([[4, 12]], np.uint8), how)
    assert real.dtype == np.float32
    assert real.tolist() == [[1.0, 1.0]]


@pytest.mark.parametrize(
    ("dtype", "fed"), [("float32", [0.5, -0.5]), ("int8", [7, -1]), ("uint8", [7, 0]), ("int16", [7, -1])]
)
def test_an_input_is_fed_in_its_own_quantization(dtype: str, fed: list[float]) -> None:
    quantized = dtype != "float32"
    wanted = tensor(dtype, 2, scale=0.125 if quantized else 0.0, zero_point=3 if quantized else 0)
    got = to_input(np.array([0.5, -0.5]), wanted, None)
    assert (got.dtype, got.tolist()) == (np.dtype(dtype), fed)
