"""Numbers on their way into a model and out of it: preprocessing, quantization, dequantization. All explicit."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from benchbench.device import Frozen

Array = NDArray[Any]
Reals = NDArray[np.float32]


class Tensor(Protocol):
    """What must be known of a model's input or output; a scale of None or 0 means that it is not quantized."""

    @property
    def name(self) -> str: ...
    @property
    def dtype(self) -> str: ...
    @property
    def shape(self) -> tuple[int, ...]: ...
    @property
    def scale(self) -> float | None: ...
    @property
    def zero_point(self) -> int | None: ...


class Preprocessing(Frozen):
    """From a stored sample to the real value that a model wants: (x * scale - mean) / std, mean and std by channel.

    `size` (height, width), `crop` (the middle square first) and `channels` are for image files only. `label_offset`
    is added to labels, for models whose class 0 is a background.
    """

    scale: float = 1.0
    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)
    size: tuple[int, int] | None = None
    crop: bool = False
    label_offset: int = 0


def dequantize(array: Array, scale: float, zero_point: int) -> Reals:
    """(q - zero_point) * scale as float32; scale 0 = the values are real already (TFLite quantization spec)."""
    if not scale:
        return array.astype(np.float32)
    return ((array.astype(np.float64) - zero_point) * scale).astype(np.float32)


def quantize(real: Reals, scale: float, zero_point: int, dtype: str) -> Array:
    """round(x / scale) + zero_point, half to even, held within the type."""
    kind = np.iinfo(dtype)
    steps: Array = np.clip(np.round(real / scale) + zero_point, kind.min, kind.max)
    return steps.astype(dtype)


def to_input(samples: Array, tensor: Tensor, preprocessing: Preprocessing | None) -> Array:
    """Samples as the input takes them: preprocessed real values, quantized by the input's own scale.

    The same rule as on the device: without preprocessing, samples of the input's own type go in as they are.
    Raises ValueError for an integer input without a scale that is given other than its own type.
    """
    if preprocessing is None and samples.dtype == np.dtype(tensor.dtype):
        return samples
    how = preprocessing or Preprocessing()
    mean, std = np.asarray(how.mean, np.float32), np.asarray(how.std, np.float32)
    real: Reals = np.divide(samples.astype(np.float32) * np.float32(how.scale) - mean, std, dtype=np.float32)
    if np.dtype(tensor.dtype).kind == "f":
        return real.astype(tensor.dtype)
    if not tensor.scale:
        raise ValueError(f"input {tensor.name!r} is {tensor.dtype} without a scale: give samples of that type")
    return quantize(real, tensor.scale, tensor.zero_point or 0, tensor.dtype)
