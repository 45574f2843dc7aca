"""The seam between a runtime and everything above it: what a runtime answers. One folder each, named in the union.

What has a default here is refused, or left unsaid, by a runtime that says nothing of it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from benchbench.values.backend import Backend
from benchbench.values.case import Kin, Variant
from benchbench.values.model import ModelInfo


class Runtime(ABC):
    """What executes a format of model files: reading them, its backends, its tools."""

    format: ClassVar[str]  # of the variants that it runs
    suffixes: ClassVar[tuple[str, ...]]  # of their files: ".tflite"
    backends: ClassVar[Mapping[str, type[Backend]]]  # by kind; no other runtime has one of the same

    @abstractmethod
    def inspect(self, path: Path) -> ModelInfo:
        """What is in a file. Raises InputError where it cannot be read, or is no model of this format."""

    def kinships(self, infos: Sequence[ModelInfo], names: Sequence[str]) -> tuple[Kin, ...]:
        """How each file belongs to the family that they are meant to be; `names` are those of the variants."""
        return tuple(Kin() for _ in infos)

    def mismatch(self, variant: Variant, backend: Backend) -> str | None:
        """Why this very model cannot run on a backend of this runtime, on any device; None = it may."""
        return None

    def has_reference(self, variant: Variant) -> bool:
        """Whether the runtime's own kernels can run it on this host, as what others are compared with."""
        return False
