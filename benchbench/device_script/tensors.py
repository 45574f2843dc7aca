"""Numbers on their way into a model and out of it, on host and device: shapes, preprocessing, quantization."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .protocol import TensorInfo
from .value import Value

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Protocol  # novm

    from numpy.typing import NDArray

    Array = NDArray[Any]
    Reals = NDArray[np.float32]

    class Quantized(Protocol):
        """What must be known of an input to feed it; a scale of None or 0 means that it is not quantized."""

        @property
        def name(self) -> str: ...
        @property
        def dtype(self) -> Any: ...
        @property
        def scale(self) -> float | None: ...
        @property
        def zero_point(self) -> int | None: ...

    class RealValues(Protocol):
        """How a stored sample becomes the real value that a model wants: (x * scale - mean) / std."""

        @property
        def scale(self) -> float: ...
        @property
        def mean(self) -> Sequence[float]: ...
        @property
        def std(self) -> Sequence[float]: ...


TEXT = b"benchbench"  # what string inputs are fed with
# Half-open ranges of whole random numbers, as benchmark_model draws them; of other types 0..99.
_WHOLE = {"uint8": (0, 255), "int8": (-127, 128), "int16": (-32767, 32768), "bool": (0, 2)}


@dataclass(eq=False, repr=False)
class Tensor(Value):
    """An input or output of a model, described alike for both APIs; scale 0 = not quantized."""

    name: str
    index: int
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    scale: float
    zero_point: int

    @property
    def info(self) -> TensorInfo:
        return TensorInfo(self.name, self.index, self.shape, self.dtype.name, self.scale, self.zero_point)


def tensor_of(detail: Mapping[str, Any], name: str | None = None) -> Tensor:
    """From the details that a runtime gives; a signature may know it by another name."""
    scale, zero_point = detail.get("quantization") or (0.0, 0)
    return Tensor(
        name=str(name or detail["name"]),
        index=int(detail["index"]),
        shape=tuple(int(size) for size in detail["shape"]),
        dtype=np.dtype(detail["dtype"]),
        scale=float(scale),
        zero_point=int(zero_point),
    )


def filled_shape(asked: Sequence[int] | None, own: tuple[int, ...]) -> tuple[int, ...]:
    """The shape that is asked for: None = the model's own, -1 = its own size of that axis."""
    if asked is None:
        return own
    return tuple(own[axis] if size == -1 and axis < len(own) else size for axis, size in enumerate(asked))


def matched(arrays: Sequence[Array | None], tensors: Sequence[Tensor]) -> list[tuple[Tensor, Array]]:
    """Every input with its array, without those that stay as they are (None).

    Raises ValueError for a wrong number, shape or type.
    """
    if len(arrays) != len(tensors):
        raise ValueError(f"the model has {len(tensors)} inputs, given are {len(arrays)} arrays")
    pairs = [(tensor, array) for tensor, array in zip(tensors, arrays) if array is not None]
    for tensor, array in pairs:
        alike = array.dtype == tensor.dtype or (array.dtype.kind == "O" and tensor.dtype.kind in "SO")
        if not alike or array.shape != tensor.shape:
            wanted, given = f"{tensor.dtype.name} {list(tensor.shape)}", f"{array.dtype} {list(array.shape)}"
            raise ValueError(f"input {tensor.name!r} wants {wanted}, given is {given}")
    return pairs


def stored_inputs(path: str) -> list[Array]:
    """The arrays of an .npz, in order: one per input, as they are."""
    with np.load(path, allow_pickle=False) as archive:
        return [archive[name] for name in archive.files]


def random_inputs(
    tensors: Sequence[Tensor], seed: int, ranges: Sequence[tuple[float, float] | None] | None = None
) -> list[Array]:
    """Uniform random values in the ranges of benchmark_model, so that both tools feed alike; given `ranges` go before.

    float: [-0.5, 0.5); uint8: 0..254; int8: -127..127; int16: -32767..32767; other integers: 0..99; bool: both; a
    string is always the same text.
    RandomState, because its stream is the same in every numpy.
    """
    random = np.random.RandomState(seed)
    asked = ranges or [None] * len(tensors)
    return [_random(random, tensor, limits) for tensor, limits in zip(tensors, asked)]


def _random(random: np.random.RandomState, tensor: Tensor, limits: tuple[float, float] | None) -> Array:
    dtype, shape = tensor.dtype, tensor.shape
    if dtype.kind == "f":
        low, high = limits or (-0.5, 0.5)
        return np.asarray(random.uniform(low, high, shape), dtype=dtype)
    if dtype.kind in "iub":
        first, end = (int(limits[0]), int(limits[1]) + 1) if limits else _WHOLE.get(dtype.name, (0, 100))
        return np.asarray(random.randint(first, end, shape), dtype=dtype)
    if dtype.kind in "SO":
        return np.full(shape, TEXT, dtype=object)
    raise ValueError(f"input {tensor.name!r} is {dtype.name}: give the inputs in an .npz")


def to_real(samples: Array, how: RealValues) -> Reals:
    """Stored samples as the real values that a model wants."""
    mean, std = np.asarray(how.mean, np.float32), np.asarray(how.std, np.float32)
    real: Reals = np.divide(samples.astype(np.float32) * np.float32(how.scale) - mean, std, dtype=np.float32)
    return real


def quantize(real: Reals, scale: float, zero_point: int, dtype: Any) -> Array:
    """round(x / scale) + zero_point, half to even, held within the type."""
    limits = np.iinfo(dtype)
    steps: Array = np.clip(np.round(real / scale) + zero_point, limits.min, limits.max)
    return steps.astype(dtype)


def dequantize(array: Array, scale: float, zero_point: int) -> Reals:
    """(q - zero_point) * scale; scale 0 = the values are real already (TFLite quantization spec)."""
    if not scale:
        return array.astype(np.float32)
    real: Reals = ((array.astype(np.float64) - zero_point) * scale).astype(np.float32)
    return real


def to_input(samples: Array, tensor: Quantized, preprocess: RealValues | None) -> Array:
    """Samples as an input takes them: preprocessed real values, quantized by the input's own scale.

    Without preprocessing, samples of the input's own type go in as they are, and whole numbers into an input of whole
    numbers without a scale. Raises ValueError for other numbers for such an input.
    """
    dtype = np.dtype(tensor.dtype)
    if preprocess is None and samples.dtype == dtype:
        return samples
    if preprocess is None and not tensor.scale and {samples.dtype.kind, dtype.kind} <= set("iub"):
        return samples.astype(dtype)
    real = to_real(samples, preprocess) if preprocess else samples.astype(np.float32)
    if dtype.kind == "f":
        return real.astype(dtype)
    if not tensor.scale:
        raise ValueError(f"input {tensor.name!r} is {dtype.name} without a scale: give samples of that type")
    return quantize(real, tensor.scale, tensor.zero_point or 0, dtype)


def turned(array: Array, shape: tuple[int, ...]) -> Array:
    """Images with channels last in a shape that has them before rows; raises ValueError for another size."""
    return np.moveaxis(array.reshape((shape[0], *shape[2:], *shape[1:2])), -1, 1)


def shaped(array: Array, tensor: Tensor, channels_first: bool = False) -> Array:
    """Samples of the right size in the input's own shape, which may have further axes of length one."""
    if array.size != int(np.prod(tensor.shape)):
        wanted, given = list(tensor.shape), list(array.shape)
        raise ValueError(f"input {tensor.name!r} wants {wanted}, a batch of samples is {given}")
    return np.ascontiguousarray(turned(array, tensor.shape)) if channels_first else array.reshape(tensor.shape)
