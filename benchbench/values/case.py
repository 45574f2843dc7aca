"""The cells of a matrix and their names: Variant, Measure, Case, Trial."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from pydantic import ConfigDict, Field, SerializeAsAny, model_validator

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


MAX_ROUNDS = 30
FEWEST_PRECISE = 8  # launches that are precise by what they say themselves: fewer are so too often by chance
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


class Cooldown(Frozen):
    """Wait before a trial until the sensors that matter are cool, but not for ever."""

    model_config = ConfigDict(
        json_schema_extra={"anyOf": [{"required": ["below_c"]}, {"required": ["above_idle_c"]}]},
    )

    below_c: float | None = Field(
        default=None, gt=0, lt=120, description="Wait until the hottest sensor is not above this, in °C."
    )
    above_idle_c: float | None = Field(
        default=None,
        gt=0,
        lt=100,
        description="Wait until no sensor is so many °C above what it said when the run began on the device.",
    )
    at_most_seconds: float = Field(default=300, gt=0, description="Then the trial begins all the same, and is marked.")

    @model_validator(mode="after")
    def _for_something(self) -> Cooldown:
        if self.below_c is None and self.above_idle_c is None:
            raise ValueError("give below_c or above_idle_c: the temperature to wait for")
        return self


class MeasurementSettings(Frozen):
    """How each trial is measured; everything that affects a number is here and is recorded."""

    rounds: int = Field(
        default=5,
        ge=1,
        le=1000,
        description="Launches per case, or the least of them: the sample of every statistic. Intervals need 6.",
    )
    precision: float | None = Field(
        default=None,
        gt=0,
        lt=1,
        description="Further rounds until half the interval of a case's median is at most this share of it.",
        examples=[0.02],
    )
    goal: Literal["best"] | None = Field(
        default=None,
        description="Further rounds only for cases that may still be the best of their device and family: the "
        "fastest, or what best_by says.",
        examples=["best"],
    )
    best_by: str | None = Field(
        default=None,
        description="With goal: the best is that of the lowest such column of the cases (reports/README.md), or the "
        "highest where that is better: any that each launch has. [median_ms]",
        examples=["init_ms"],
    )
    loses_at_most: float | None = Field(
        default=None,
        ge=0,
        lt=1,
        description="With goal: a case that loses more accuracy than this cannot be the best. [0.01]",
        examples=[0.01],
    )
    max_rounds: int | None = Field(
        default=None,
        ge=1,
        le=1000,
        description="With precision or goal: launches per case, at most. [30]",
        examples=[30],
    )
    budget_minutes: float | None = Field(
        default=None,
        gt=0,
        description="With precision or goal: no further round that would not end in so much time of launches.",
        examples=[30],
    )
    runs: int = Field(default=50, ge=1, description="Inferences per launch, at least.")
    min_seconds: float = Field(default=1.0, ge=0, description="Inferences go on for so long, at least.")
    max_seconds: float = Field(default=150.0, gt=0, description="No inference begins after so long.")
    warmup_runs: int = Field(default=5, ge=1, description="Inferences before those, at least.")
    warmup_min_seconds: float = Field(default=0.5, ge=0, description="They go on for so long, at least.")
    timeout_seconds: float = Field(
        default=600.0,
        gt=0,
        description="A launch that takes longer is ended by the device. Warm-up and runs may each take max_seconds.",
    )
    retries: int = Field(default=2, ge=0, le=20, description="Further attempts after a fault that may pass.")
    cooldown: Cooldown | None = Field(
        default=None,
        description="Wait before each trial until the device is cool.",
        examples=[{"below_c": 40, "at_most_seconds": 300}],
    )
    repeat_disturbed: int = Field(
        default=1,
        ge=0,
        le=10,
        description="How often launches that were throttled, hot or beside a canary that was off are measured again "
        "when the rounds are done and the device has cooled.",
    )
    governor: str | None = Field(
        default=None,
        pattern=r"^[a-z][a-z0-9_-]*$",
        description="The CPU governor of all cores during each launch; needs root. [as it is]",
        examples=["performance"],
    )
    stay_awake: bool = Field(
        default=False, description="Android phones that are plugged in stay awake during launches."
    )
    task_profile: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z][A-Za-z0-9_]*$",
        description="Android: the task profile of each launch (settaskprofile); shell programs are scheduled unlike "
        "apps. [as it is]",
        examples=["MaxPerformance"],
    )
    profile: bool = Field(
        default=False, description="One more launch per case that times each operator; it never counts as latency."
    )
    canary: bool = Field(
        default=True,
        description="A small model of benchbench's own is measured before, between and after the rounds: it shows "
        "when a device is not as fast as it was, with or without a sensor.",
    )
    require_delegation: bool = Field(
        default=False, description="A trial fails where the delegate did not take the whole graph."
    )
    input_seed: int = Field(default=0, ge=0, description="The seed of random inputs.")

    @model_validator(mode="after")
    def _order(self) -> MeasurementSettings:
        if self.min_seconds > self.max_seconds:
            raise ValueError("min_seconds must not exceed max_seconds")
        if self.warmup_min_seconds > self.max_seconds:
            raise ValueError("warmup_min_seconds must not exceed max_seconds")
        least = self.warmup_min_seconds + self.min_seconds
        if least >= self.timeout_seconds:
            raise ValueError(
                f"no trial can end in time: timeout_seconds = {self.timeout_seconds:g} is not more than "
                f"warmup_min_seconds + min_seconds = {least:g}"
            )
        return self

    @model_validator(mode="after")
    def _rounds_of_a_kind(self) -> MeasurementSettings:
        if self.goal is None and (self.loses_at_most is not None or self.best_by is not None):
            raise ValueError("loses_at_most and best_by are nothing without goal")
        if not self.adaptive and (self.max_rounds is not None or self.budget_minutes is not None):
            raise ValueError("max_rounds and budget_minutes are nothing without precision or goal")
        if self.adaptive and self.rounds >= self.most_rounds:
            raise ValueError(f"rounds must be less than max_rounds = {self.most_rounds}")
        return self

    @property
    def adaptive(self) -> bool:
        """Whether rounds after the first `rounds` are only for cases that need them."""
        return self.precision is not None or self.goal is not None

    @property
    def least_rounds(self) -> int:
        """That a case has which goes well; a budget may end it after `rounds`."""
        if self.precision is None or self.goal is not None or self.budget_minutes is not None:
            return self.rounds
        return min(max(self.rounds, FEWEST_PRECISE), self.most_rounds)

    @property
    def most_rounds(self) -> int:
        return (self.max_rounds or MAX_ROUNDS) if self.adaptive else self.rounds


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
