"""What a converter is asked for and what it answers, whichever runtime's; and the samples that it is fed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchbench.runtimes.quantizing.source import SourceKind
from benchbench.values.device import Frozen

TELL_EVERY_SECONDS = 0.2

Samples = dict[str, NDArray[Any]]
Tell = Callable[[int, int, float], None]  # so many samples fed, of so many, in so many seconds


class Impossible(Exception):
    """A conversion that cannot be made, for a reason of ours and not of a converter's."""


class ConversionRequest(Frozen):
    """One file to make: a scheme of a source, at its own input size or another, into `target`."""

    source: str
    kind: SourceKind
    scheme: str
    per_channel: bool
    input_size: int | None
    samples: str | None  # an .npz with an array [n, …] per input
    float32: str | None  # the float32 file of the family, made before
    target: str


class ConversionResult(Frozen):
    """What became of a request: the tool and its recipe, or the error."""

    target: str
    tool: str = ""
    recipe: str = ""
    error: str | None = None


class Fed(Frozen):
    """How far the calibration of a conversion is: so many samples of so many, in so many seconds."""

    target: str
    fed: int
    samples: int
    seconds: float


class Rows:
    """Samples one by one, as calibrators want them, and a word now and then on how many were taken."""

    def __init__(self, samples: Samples, tell: Tell) -> None:
        self._samples, self._tell = samples, tell

    def __iter__(self) -> Iterator[dict[str, NDArray[Any]]]:
        count, began = len(next(iter(self._samples.values()))), time.monotonic()
        told = began
        for k in range(count):
            now = time.monotonic()
            # Not each: litert-quantizer lists them all at once before it begins, only to count them.
            if now - told > TELL_EVERY_SECONDS:
                self._tell(k, count, now - began)
                told = now
            yield {name: array[k : k + 1] for name, array in self._samples.items()}


def untold(_fed: int, _samples: int, _seconds: float) -> None:
    """Tell nobody."""


def samples_of(request: ConversionRequest) -> Samples:
    """The representative data of a request. Raises Impossible where it has none."""
    if request.samples is None:
        raise Impossible("it needs representative data (--representative)")
    with np.load(request.samples, allow_pickle=False) as archive:
        return {name: archive[name] for name in archive.files}


def tool(package: str) -> str:
    """A package with its version, as a manifest names what made a file."""
    try:
        return f"{package} {version(package)}"
    except PackageNotFoundError:
        return package
