"""What quantize says while it works, as values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from benchbench.runtimes.quantizing.manifest import Made, Skipped


@dataclass(frozen=True, slots=True)
class Working:
    """The file in hand, by its scheme and size; while it is calibrated, `fed` of `samples` in so many seconds."""

    label: str
    number: int  # from 1
    total: int
    doing: Literal["making", "calibrating", "trying"]
    fed: int = 0
    samples: int = 0
    seconds: float = 0.0

    @property
    def left_seconds(self) -> float | None:
        """How long its calibration goes on at this pace; None where it is not known."""
        return self.seconds / self.fed * (self.samples - self.fed) if self.fed else None


@dataclass(frozen=True, slots=True)
class Finished:
    """A file is made and tried, or was skipped."""

    label: str
    number: int
    total: int
    result: Made | Skipped


Step = Working | Finished
Progress = Callable[[Step], None]


def silently(_: Step) -> None:
    """Say nothing."""


class Account:
    """Counts the files of a family as they are finished, and tells of them."""

    def __init__(self, tell: Progress, total: int) -> None:
        self._tell, self._total, self._done = tell, total, 0

    def working(self, scheme: str, size: int | None, doing: Literal["making", "trying"]) -> None:
        self._tell(Working(_label(scheme, size), self._done + 1, self._total, doing))

    def calibrating(self, scheme: str, size: int | None, fed: int, samples: int, seconds: float) -> None:
        label, number = _label(scheme, size), self._done + 1
        self._tell(Working(label, number, self._total, "calibrating", fed, samples, seconds))

    def finished(self, result: Made | Skipped) -> None:
        self._done += 1
        self._tell(Finished(_label(result.scheme, result.input_size), self._done, self._total, result))


def _label(scheme: str, size: int | None) -> str:
    return scheme if size is None else f"{scheme} at {size}"
