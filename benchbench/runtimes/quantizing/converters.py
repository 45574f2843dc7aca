"""What one runtime's converters make of a float model, as the engine that puts a family together asks them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from benchbench.runtimes.quantizing.manifest import Made
from benchbench.runtimes.quantizing.manifest import Mapping as OpMappings
from benchbench.runtimes.quantizing.requests import ConversionRequest, ConversionResult
from benchbench.runtimes.quantizing.source import SourceKind
from benchbench.values.model import ModelInfo


class Converters(ABC):
    """The schemes of one format, and the module that makes them."""

    suffix: ClassVar[str]  # of the files that are made
    own: ClassVar[SourceKind]  # the kind of a source that is of this format already
    sources: ClassVar[frozenset[SourceKind]]  # the kinds that it takes
    schemes: ClassVar[tuple[str, ...]]  # made by converters, in this order
    compiled: ClassVar[tuple[str, ...]] = ()  # made of a file of the family by a compiler of its own
    calibrated: ClassVar[frozenset[str]]  # schemes that need representative data
    unscaled: ClassVar[frozenset[str]]  # schemes in which nothing has a scale, per channel or otherwise
    maker: ClassVar[str]  # the module whose `make(request, tell)` converts, in a process of its own

    @abstractmethod
    def copy(self, request: ConversionRequest) -> ConversionResult:
        """The float32 file of a source that is of this format already: no converter, and so no process of its own."""

    def found_as(self, scheme: str) -> str:
        """The scheme that a file of `scheme` is by its own bytes."""
        return scheme

    def type_outside(self, scheme: str) -> str:
        """The type of its inputs and outputs where those of the float model are float32."""
        return "float32"

    def why_float(self, float32: ModelInfo, scheme: str) -> str | None:
        """Why a converter left all layers of a model float, by what the model is; None = nobody knows."""
        return None

    def compile(
        self, scheme: str, made: Mapping[str, Made], folder: Path, target: Path
    ) -> tuple[ConversionResult, OpMappings | None]:
        """Make a scheme of `compiled` out of what was made before, by scheme."""
        raise NotImplementedError(f"nothing compiles {scheme}")
