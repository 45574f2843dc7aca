"""What makes the schemes of a model, and what it is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from benchbench.runtimes.quantizing.calibration import RAW_PIXELS, Feeding, Pixels
from benchbench.runtimes.quantizing.manifest import Family
from benchbench.runtimes.quantizing.progress import Progress
from benchbench.runtimes.quantizing.validator import Validator


@dataclass(frozen=True, slots=True)
class Quantization:
    """A family that is to be made: which schemes of which float model, into which new folder, and how."""

    source: Path
    schemes: tuple[str, ...]
    out: Path
    representative: str | Path | Feeding | None = None
    pixels: Pixels = RAW_PIXELS
    per_channel: bool = True
    input_sizes: tuple[int, ...] = ()
    name: str | None = None  # of the family; None = the source's


class Quantizer(Protocol):
    """The quantizer of one runtime."""

    def __call__(self, asked: Quantization, *, progress: Progress, validator: Validator) -> Family:
        """What `benchbench.quantize` promises, with every file that was made judged by `validator`."""
