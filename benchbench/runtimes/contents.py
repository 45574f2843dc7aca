"""What of a model's file tells which network it is: its weights, its operators, its inputs and outputs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from benchbench.values.model import ModelInfo

# A step as a share of the value; of float32 what arithmetic on weights, such as folding a scale in, may change.
MANTISSA = {"float16": 2.0**-10, "bfloat16": 2.0**-7, "float32": 2.0**-9}
Values = NDArray[np.float32]


@dataclass(frozen=True)
class Weights:
    """Real values and, of the same shape, how far the next value that could be stored is.

    The first axis is of outputs and the last of inputs, spatial ones lie between; of depthwise ones the last is both.
    """

    values: Values
    steps: Values

    @classmethod
    def in_floats(cls, values: Values, dtype: str) -> Weights:
        """Those that are stored as floating-point numbers of a type."""
        return cls(values, np.abs(values) * np.float32(MANTISSA.get(dtype, 0.0)))

    def squeezed(self) -> Weights:
        """Without axes of length one, which a format may need and another not."""
        values, steps = self.values.squeeze(), self.steps.squeeze()
        return Weights(values, steps) if values.ndim > 1 else Weights(values.reshape(1, -1), steps.reshape(1, -1))


class Contents(ABC):
    """What of a file tells which network it is; `name` is that of the variant."""

    def __init__(self, info: ModelInfo, name: str) -> None:
        self.info = info
        self.name = name

    @property
    @abstractmethod
    def weights(self) -> tuple[Weights, ...]:
        """Those that can be read."""

    @property
    @abstractmethod
    def ops(self) -> Counter[str]:
        """What it computes with, by type, without what converters add and leave out as they like."""

    @property
    @abstractmethod
    def compiled(self) -> bool:
        """Whether what it computes cannot be seen: compiled into an operator of some accelerator."""

    @cached_property
    def squeezed(self) -> tuple[Weights, ...]:
        return tuple(one.squeezed() for one in self.weights)
