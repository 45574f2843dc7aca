"""What makes the schemes of a model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from benchbench.runtimes.quantizing.calibration import Feeding, Pixels
from benchbench.runtimes.quantizing.manifest import Family
from benchbench.runtimes.quantizing.progress import Progress
from benchbench.runtimes.quantizing.validator import Validator


class Quantizer(Protocol):
    """The quantizer of one runtime."""

    def __call__(
        self,
        source: str | Path,
        schemes: Sequence[str],
        out: str | Path,
        *,
        representative: str | Path | Feeding | None,
        pixels: Pixels,
        per_channel: bool,
        input_sizes: Sequence[int],
        name: str | None,
        progress: Progress,
        validator: Validator,
    ) -> Family:
        """What `benchbench.quantize` promises, with every file that was made judged by `validator`."""
