"""Samples of one input, read when they are needed: an array, files, a part of others, others in another layout."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from benchbench.accuracy.tensors import Array


class Samples(Protocol):
    """The samples of one input: `shape` is that of one sample; a slice reads [count, *shape]."""

    @property
    def shape(self) -> tuple[int, ...]: ...
    def __len__(self) -> int: ...
    def __getitem__(self, span: slice, /) -> Array: ...


@dataclass(frozen=True, slots=True)
class Files:
    """One file a sample, decoded when it is asked for."""

    paths: tuple[Path, ...]
    shape: tuple[int, ...]
    decode: Callable[[Path], Array]

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, span: slice, /) -> Array:
        return np.stack([self.decode(path) for path in self.paths[span]])


@dataclass(frozen=True, slots=True)
class Stored:
    """An array with samples first."""

    array: Array

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.array.shape[1:])

    def __len__(self) -> int:
        return len(self.array)

    def __getitem__(self, span: slice, /) -> Array:
        return self.array[span]


@dataclass(frozen=True, slots=True)
class Head:
    """The first samples of others, still read when they are asked for."""

    samples: Samples
    count: int

    @property
    def shape(self) -> tuple[int, ...]:
        return self.samples.shape

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, span: slice, /) -> Array:
        start, stop, _ = span.indices(self.count)
        return self.samples[start:stop]


@dataclass(frozen=True, slots=True)
class ChannelsLast:
    """Samples that are stored with channels before rows."""

    samples: Samples

    @property
    def shape(self) -> tuple[int, ...]:
        *before, channels, rows, columns = self.samples.shape
        return (*before, rows, columns, channels)

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, span: slice, /) -> Array:
        return np.moveaxis(self.samples[span], -3, -1)
