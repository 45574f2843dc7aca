"""What quantizing asks about each file that it made: whether it runs, and how true it is to float32."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from benchbench.runtimes.quantizing.calibration import Calibration
from benchbench.runtimes.quantizing.manifest import Fidelity
from benchbench.values.model import ModelInfo


class CannotRun(Exception):
    """A file that the interpreter refuses, that crashes it, or whose outputs are not those of the float32 model."""


class Validation(Protocol):
    """A float32 model that ran, or failed to, on the samples that its family is compared on."""

    @property
    def failure(self) -> str | None:
        """Why the float32 model itself cannot run here; None = it ran."""

    def fidelity(self, info: ModelInfo) -> Fidelity | None:
        """How true a file of the family is to float32; None where outputs cannot be compared. Raises CannotRun."""


Validator = Callable[[ModelInfo, Calibration | None], Validation]
