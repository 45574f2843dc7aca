"""What `family.json` says: how each variant of a family was made, and which could not be."""

from __future__ import annotations

from benchbench.values.device import Frozen

MANIFEST = "family.json"


class OpMapping(Frozen):
    """A row of the Edge TPU compiler's log: so many operators of a type, and what became of them."""

    op: str
    count: int
    status: str  # "Mapped to Edge TPU", or why not


class Mapping(Frozen):
    """What the Edge TPU compiler put on the Edge TPU; None where its output does not say."""

    compiler: str | None
    ops_on_tpu: int | None
    ops_on_cpu: int | None
    subgraphs: int | None
    ops: tuple[OpMapping, ...]


class Fidelity(Frozen):
    """A few samples through a file and through the family's float32 one; of several outputs the worst is told.

    Too few to measure accuracy, but enough to see what is broken; `flags` says so in words.
    """

    samples: int
    data: str  # the representative data's name, or "random"
    agreement: float | None  # share of samples with the same top answer; None where an output is no row of scores
    cosine: float
    sqnr_db: float
    flags: tuple[str, ...]


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
    mapping: Mapping | None = None  # where it was compiled for the Edge TPU
    fidelity: Fidelity | None = None  # None for float32 itself, and for what cannot be compared on this host

    @property
    def warning(self) -> str | None:
        """What its fidelity makes one doubt, in a line; None where nothing stands out."""
        if self.fidelity is None or not self.fidelity.flags:
            return None
        kind = "random samples" if self.fidelity.data == "random" else "samples"
        said = "; ".join(self.fidelity.flags)
        beside = f"beside float32 as the reference, on {self.fidelity.samples} {kind}"
        return f"{self.file}: {said} ({beside}): measure its accuracy before you ship it"


class Skipped(Frozen):
    """A scheme that could not be made, and why."""

    scheme: str
    input_size: int | None
    reason: str


class Calibrated(Frozen):
    """The representative data that was given; pixels were fed as (pixel · scale − mean) / std."""

    source: str
    samples: int
    sha256: str
    mean: float | tuple[float, ...]
    std: float | tuple[float, ...]
    scale: float = 1.0


class Family(Frozen):
    """What `family.json` says; file names are relative to its folder."""

    name: str
    source: str
    source_sha256: str
    calibration: Calibrated | None
    made: tuple[Made, ...]
    skipped: tuple[Skipped, ...]

    @property
    def warnings(self) -> tuple[str, ...]:
        """A line for each file that its fidelity makes one doubt."""
        return tuple(warning for made in self.made if (warning := made.warning) is not None)
