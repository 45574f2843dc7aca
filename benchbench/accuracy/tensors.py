"""What samples of a dataset and the inputs of a model have to do with each other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from benchbench.device_script.protocol import Preprocess
from benchbench.values.model import has_channels_first
from benchbench.values.preprocessing import Preprocessing

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


def arithmetic(how: Preprocessing) -> Preprocess:
    """What remains to be done with a sample that is stored as numbers."""
    return Preprocess(how.scale, how.mean, how.std)


def samples_at_once(inputs: Sequence[Sequence[int]], outputs: Sequence[Sequence[int]]) -> int | None:
    """How many samples one inference takes, by the shapes of a model's inputs and outputs (-1 = any size).

    That is the first axis where all inputs have it in common, and all outputs where it is more than 1. None = there
    is no such axis: one sample is one whole set of inputs. A lone axis of more than 1 is values, not samples.
    """
    sizes = {tuple(shape[:1]) for shape in inputs}
    if len(sizes) != 1 or sizes == {()}:
        return None
    ((size,),) = sizes
    if size <= 1:
        return 1
    shared = any(len(shape) > 1 for shape in inputs) and all(shape[:1] and shape[0] in {size, -1} for shape in outputs)
    return size if shared else None


def sample_shape(tensor: Tensor, *, whole: bool) -> tuple[int, ...]:
    """The shape of one sample of an input: without the axis of samples, unless a sample is the `whole` input.

    Samples have channels last, whatever the layout of the model: so files of both layouts share them.
    """
    shape = tuple(tensor.shape)
    if channels_first([shape]):
        shape = (shape[0], *shape[2:], shape[1])
    return shape if whole else shape[1:]


def channels_first(shapes: Sequence[Sequence[int]]) -> tuple[int, ...]:
    """The numbers of those inputs that are images with channels before rows (NCHW), by their sizes."""
    return tuple(k for k, shape in enumerate(shapes) if has_channels_first(shape))


def not_a_number(tensor: Tensor) -> bool:
    """Whether an input holds something else than plain numbers (string, resource, int4 …)."""
    try:
        return np.dtype(tensor.dtype).kind not in "fiubc"
    except TypeError:
        return True
