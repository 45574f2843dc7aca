"""What `family.json` says: how each variant of a family was made, and which could not be."""

from __future__ import annotations

from benchbench.device import Frozen
from benchbench.models.edgetpu import Mapping

MANIFEST = "family.json"


class Made(Frozen):
    """A file of the family and how it was made; `scheme` is what was asked for, `found` what the file itself says."""

    file: str
    scheme: str
    found: str
    input_size: int | None
    granularity: str | None
    tool: str
    recipe: str
    size_bytes: int
    sha256: str
    mapping: Mapping | None = None  # of the Edge TPU compiler


class Skipped(Frozen):
    """A scheme that could not be made, and why."""

    scheme: str
    input_size: int | None
    reason: str


class Calibrated(Frozen):
    """The representative data that was used; pixels were fed as (pixel − mean) / std."""

    source: str
    samples: int
    sha256: str
    mean: float
    std: float


class Family(Frozen):
    """What `family.json` says; file names are relative to its folder."""

    name: str
    source: str
    source_sha256: str
    calibration: Calibrated | None
    made: tuple[Made, ...]
    skipped: tuple[Skipped, ...]
