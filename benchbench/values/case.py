"""The cells of a matrix and their names: Variant, Case, Trial."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, SerializeAsAny, model_validator

from benchbench.values.backend import Backend
from benchbench.values.device import Frozen


class InputSpec(Frozen):
    """How one input is fed where the model leaves it open: its shape, and the whole numbers its values lie between."""

    shape: tuple[int, ...] = Field(description="Its sizes, such as [1, 224, 224, 3]; [] for a single number.")
    range: tuple[int, int] | None = Field(
        default=None, description="Its values: [lowest, highest], both included. [the tool's own for the type]"
    )

    @model_validator(mode="after")
    def _possible(self) -> InputSpec:
        if any(size < 1 for size in self.shape):
            raise ValueError("sizes of a shape are whole numbers from 1")
        if self.range is not None and self.range[0] > self.range[1]:
            raise ValueError("range is [lowest, highest]")
        return self


LATENCY = "latency"  # the mode of the rounds, from which latency comes alone
CANARY = "canary"  # the mode that measures the device itself, by a model that is of no matrix
Relation = Literal["same", "retrained", "pruned", "resized"]


class Kin(Frozen):
    """How a file belongs to its family, as its bytes tell (runtimes/kinship.py).

    `network` is "" for the network that the family is about, else the name of the variant that stands at the head of
    an unrelated one, or of the same one fed otherwise, whose times are of other work (runtimes/fed_shapes.py).
    `relation` is to the head of its network: the same weights, whatever they are stored as, or derived from it; what
    is derived may well answer otherwise. `because` says what tells, in words.
    """

    network: str = ""
    relation: Relation = "same"
    because: str = ""

    @property
    def comparable(self) -> bool:
        """Whether its outputs should be those of the family's reference."""
        return not self.network and self.relation == "same"


class Signature(Frozen):
    """The entry point of a model that is measured: its name, and its arguments in the order of their graph."""

    key: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


class DataFile(Frozen):
    """A file with weights that a model names beside itself: `name` is its path below the model's folder."""

    name: str
    sha256: str


class Variant(Frozen):
    """One model file of a family, with what was read from the file itself."""

    family: str
    format: str = "tflite"  # what reads and runs it; run folders of before have no other
    name: str  # unique in its family: what the matrix says, or its file's stem without the family's name
    scheme: str  # float32, float16, dynamic-int8, int8, int16x8, …; edgetpu and others that are compiled
    path: str  # on this host
    sha256: str
    data: tuple[DataFile, ...] = ()
    size_mb: float
    nodes: int  # operators of the primary subgraph
    custom_ops: tuple[str, ...] = ()
    flex_ops: tuple[str, ...] = ()
    fed: tuple[tuple[int, ...], ...] | None = None  # the shapes of its inputs as measured; None = not known
    open_inputs: tuple[str, ...] = ()  # inputs that have a size of theirs left open beside the batch
    signatures: tuple[str, ...] = ()  # its entry points by name
    signature: Signature | None = None  # the one that the matrix chooses; None = the tool's first or only one
    inputs: tuple[InputSpec, ...] = ()  # all of them in order, or none: as the model says
    kin: Kin = Kin()

    @model_validator(mode="before")
    @classmethod
    def _as_written_before(cls, data: Any) -> Any:
        """Run folders had `edgetpu` beside the scheme that says the same."""
        return {key: data[key] for key in data if key != "edgetpu"} if isinstance(data, dict) else data

    @property
    def id(self) -> str:
        return f"{self.family}.{self.name}"


def open_inputs_remedy(names: Sequence[str]) -> str:
    """What gives sizes to inputs of these names, which are taken as 1 until then."""
    return f"give `inputs = [{{ shape = […] }}, …]` in its [[model]]: sizes of {', '.join(names)} are open, and were 1"


class Case(Frozen):
    """A cell of the matrix: device x variant x delegate x threads x affinity."""

    device: str
    variant: Variant
    delegate: SerializeAsAny[Backend]
    threads: int
    affinity: str | None = None

    @property
    def id(self) -> str:
        pinned = f"@{self.affinity}" if self.affinity else ""
        return f"{self.device}/{self.variant.id}/{self.delegate.label}/t{self.threads}{pinned}"


def threads_of(case: str) -> int:
    """The threads of the case of this id; 1 where it names none."""
    named = re.search(r"/t(\d+)(?:@[^/]*)?$", case)
    return int(named[1]) if named else 1


class OfMode:
    """What has the name of a mode as its `purpose`: a trial, what is recorded of it, its outcome, and a quantity."""

    if TYPE_CHECKING:  # each declares it as a field of its own
        purpose: str

    @property
    def timed(self) -> bool:
        """Whether it is a launch of the rounds: others are never a source of latency."""
        return self.purpose == LATENCY

    @property
    def of_matrix(self) -> bool:
        """Whether its case is one of the matrix."""
        return self.purpose != CANARY


class Trial(OfMode, Frozen):
    """One launch of one case; `position` is its place in the device's order.

    Latency comes from the rounds alone: profiling and taking outputs back have launches of their own (round 0), and a
    canary has the number of the round that it follows.
    """

    case: Case
    round: int
    position: int
    purpose: str = LATENCY  # the name of its mode

    @property
    def id(self) -> str:
        if self.timed:
            return f"{self.case.id}/r{self.round}"
        return f"{self.case.id}/{self.purpose}" + (str(self.round) if self.round else "")
