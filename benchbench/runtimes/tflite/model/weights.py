"""Stored weights as real numbers, with the size of the steps in which they are stored."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from benchbench.runtimes.contents import Weights
from benchbench.runtimes.tflite.model.graph import Tensor

PACKED_BITS = {"int4": 4, "uint4": 4, "int2": 2}


def real_weights(tensor: Tensor) -> Weights | None:
    """The weights of a constant; None where the file keeps them in a way that is not read here (sparse, by blocks)."""
    if tensor.blockwise or tensor.sparse:
        return None
    try:
        stored = _stored(tensor)[: tensor.elements].reshape(tensor.shape)
    except ValueError:  # less data than its shape says
        return None
    if tensor.scales:
        shape = [1] * len(tensor.shape)
        if len(tensor.scales) > 1:
            shape[tensor.axis] = len(tensor.scales)
        scales = np.array(tensor.scales, np.float32).reshape(shape)
        zeros = np.array(tensor.zero_points or (0,) * len(tensor.scales), np.float32).reshape(shape)
        return Weights((stored - zeros) * scales, np.broadcast_to(scales, tensor.shape).astype(np.float32))
    return Weights.in_floats(stored, tensor.dtype)


def _stored(tensor: Tensor) -> NDArray[np.float32]:
    if bits := PACKED_BITS.get(tensor.dtype):
        shifts = np.arange(0, 8, bits, dtype=np.uint8)
        numbers = ((tensor.data[:, None] >> shifts) & (2**bits - 1)).reshape(-1).astype(np.int16)
        if not tensor.dtype.startswith("u"):
            numbers = np.where(numbers >> (bits - 1) == 1, numbers - 2**bits, numbers)
        return np.asarray(numbers, np.float32)
    if tensor.dtype == "bfloat16":
        return np.asarray((tensor.data.view(np.uint16).astype(np.uint32) << 16).view(np.float32))
    return np.asarray(tensor.data.view(np.dtype(tensor.dtype)), np.float32)
