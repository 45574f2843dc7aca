"""Samples as the raw bytes of a model's inputs, and raw bytes of outputs as samples, some inferences at a time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchbench.accuracy.outputs import Output
from benchbench.accuracy.samples import Samples
from benchbench.accuracy.tensors import Array, Tensor, channels_first
from benchbench.device_script.tensors import to_input, turned
from benchbench.values.preprocessing import Preprocessing

TOLERANCE = {2: 1e-2, 4: 1e-4, 8: 1e-6}  # of floats with so many bytes, as a share of the largest value


@dataclass(frozen=True, slots=True)
class RawSamples:
    """Stored samples of every input of a model. A unit is what one inference takes by the model's file: mostly one."""

    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    stored: tuple[Samples, ...]
    preprocessing: Preprocessing | None
    whole: bool = False  # a sample is one whole set of inputs

    @property
    def n(self) -> int:
        return len(self.stored[0])

    @property
    def unit(self) -> int:
        shape = self.inputs[0].shape
        return 1 if self.whole or not shape else shape[0]

    @property
    def units(self) -> int:
        return math.ceil(self.n / self.unit)

    @property
    def have_an_axis_of_samples(self) -> bool:
        """Whether every input and output has one by the model's file: else several units cannot be told apart."""
        return not self.whole and all(tensor.shape[:1] == (self.unit,) for tensor in (*self.inputs, *self.outputs))

    def fed(self, first: int, units: int) -> list[Array]:
        """Inputs for `units` from unit number `first` on, little-endian; beyond the end the last sample is repeated."""
        wanted, made = units * self.unit, []
        for samples, tensor in zip(self.stored, self.inputs, strict=True):
            rows = samples[first * self.unit : first * self.unit + wanted]
            rows = np.concatenate([rows, np.repeat(rows[-1:], wanted - len(rows), axis=0)])
            values = laid_out(to_input(rows, tensor, self.preprocessing), _shape(tensor, units), tensor)
            made.append(np.ascontiguousarray(values, values.dtype.newbyteorder("<")).reshape(values.shape))
        return made

    def split(self, raw: bytes, units: int) -> list[Array]:
        """Outputs of one inference over `units`, joined in the model's order; raises ValueError for another size."""
        types = [np.dtype(tensor.dtype).newbyteorder("<") for tensor in self.outputs]
        shapes = [_shape(tensor, units) for tensor in self.outputs]
        sizes = [math.prod(shape) * dtype.itemsize for shape, dtype in zip(shapes, types, strict=True)]
        if len(raw) != sum(sizes):
            raise ValueError(f"the outputs have {len(raw)} bytes, and {sum(sizes)} by the model's file")
        ends = np.cumsum(sizes)
        return [
            np.frombuffer(raw[end - size : end], dtype).reshape(shape)
            for dtype, shape, size, end in zip(types, shapes, sizes, ends, strict=True)
        ]

    def joined(self, parts: Sequence[Sequence[Array]]) -> tuple[Output, ...]:
        """The outputs of all samples; those without an axis of samples are stacked, one for each inference."""
        whole = []
        for k, tensor in enumerate(self.outputs):
            own = [part[k] for part in parts]
            has_samples = not self.whole and tensor.shape[:1] == (self.unit,)
            whole.append(np.concatenate(own)[: self.n] if has_samples else np.stack(own))
        return self.named(whole)

    def named(self, arrays: Sequence[Array]) -> tuple[Output, ...]:
        """Arrays in the model's order as its outputs."""
        return tuple(
            Output(tensor.name, array, tensor.scale or 0.0, tensor.zero_point or 0)
            for tensor, array in zip(self.outputs, arrays, strict=True)
        )


def laid_out(samples: Array, shape: tuple[int, ...], tensor: Tensor) -> Array:
    """Samples in the shape of an input, with channels first where it has them so."""
    return turned(samples, shape) if channels_first([tensor.shape]) else samples.reshape(shape)


def _shape(tensor: Tensor, units: int) -> tuple[int, ...]:
    return tensor.shape if units == 1 else (tensor.shape[0] * units, *tensor.shape[1:])


def alike(one: Array, other: Array) -> bool:
    """Whether two runs on the same input agree: integers exactly, floats but for what another order of sums changes."""
    if one.dtype.kind != "f" or one.shape != other.shape:
        return np.array_equal(one, other)
    largest = float(np.abs(other[np.isfinite(other)]).max(initial=0.0))
    return np.allclose(one, other, rtol=0, atol=TOLERANCE[other.dtype.itemsize] * largest, equal_nan=True)
