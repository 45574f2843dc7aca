"""Inputs and outputs of an ONNX Runtime session as tensors of numpy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..tensors import Tensor, filled_shape

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..tensors import Array

NUMPY = {
    "tensor(float)": "float32",
    "tensor(double)": "float64",
    "tensor(float16)": "float16",
    "tensor(int8)": "int8",
    "tensor(uint8)": "uint8",
    "tensor(int16)": "int16",
    "tensor(uint16)": "uint16",
    "tensor(int32)": "int32",
    "tensor(uint32)": "uint32",
    "tensor(int64)": "int64",
    "tensor(uint64)": "uint64",
    "tensor(bool)": "bool",
    "tensor(string)": "object",
}


def input_tensor(index: int, argument: Any, asked: Sequence[int] | None) -> Tensor:
    """With the shape that it is fed in: sizes that the model leaves open are those that are asked for, else 1."""
    own = tuple(size if isinstance(size, int) else None for size in argument.shape)
    shape = filled_shape(asked, tuple(1 if size is None else size for size in own))
    fits = not own or (len(shape) == len(own) and all(size in (None, got) for size, got in zip(own, shape)))
    if not fits:
        open_ones = [size if isinstance(size, int) else str(size or "?") for size in argument.shape]
        raise ValueError(f"input {argument.name!r} is {open_ones}, asked for is {list(shape)}")
    return _tensor(index, argument, shape)


def output_tensor(index: int, argument: Any) -> Tensor:
    """Sizes that only a run tells are -1; what is no tensor (a sequence, a map) is an object."""
    if not argument.type.startswith("tensor("):
        return Tensor(argument.name, index, (), np.dtype("O"), 0.0, 0)
    return _tensor(index, argument, tuple(size if isinstance(size, int) else -1 for size in argument.shape))


def _tensor(index: int, argument: Any, shape: tuple[int, ...]) -> Tensor:
    if argument.type not in NUMPY:
        raise NotImplementedError(f"{argument.name!r} is {argument.type}, which numpy has no type for")
    return Tensor(argument.name, index, shape, np.dtype(NUMPY[argument.type]), 0.0, 0)


def texts(array: Array) -> Array:
    """Strings as ONNX Runtime takes them."""
    found = [text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text) for text in array.ravel()]
    return np.array(found, dtype=object).reshape(array.shape)
