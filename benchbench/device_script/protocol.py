"""What a launch is asked and what it answers, as the host and the device both write and read it.

Annotations are not evaluated on the device (Python 3.7 could not); the host's pydantic does, to check an answer.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass

from .value import Value

if sys.version_info >= (3, 8):  # novm
    from typing import Literal

    Format = Literal[1]
    State = Literal["variables", "resources"]  # what a model keeps: variable tensors, or resources
    Status = Literal["ok", "failed"]
    Timed = Literal["invoke", "run+read"]  # what the clock is around
    PeakSince = Literal["load", "process start"]
    Verdict = Literal["full", "partial", "none", "unavailable", "unknown"]

FORMAT: Format = 1
REQUEST, ANSWER, STAGE, NATIVE_LOG, OUTPUTS = "request.json", "answer.json", "stage.txt", "native.log", "outputs.npz"


class DelegateRequest(Value):
    """What is asked of a delegate, with all that one needs to know to make it; `api` tells which kind it is of."""

    api: str


@dataclass(eq=False, repr=False)
class Signature(Value):
    """The entry point to run, with its arguments by name and in order."""

    key: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


@dataclass(eq=False, repr=False)
class Preprocess(Value):
    """From a stored sample to the model's real input: (x * scale - mean) / std; mean and std for all or per channel."""

    scale: float = 1.0
    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)


@dataclass(eq=False, repr=False)
class Evaluation(Value):
    """Run the samples of an .npz, one array an input in order, and leave the outputs in another.

    From number `start` on, `count` at most, and for `at_most_seconds`, but one batch at least. `whole`: a sample is one
    whole set of inputs. `state` is reset before each. `fed`: numbers of the inputs that the arrays are for; None = all.
    `channels_first`: numbers of the inputs that take images so; samples have channels last.
    """

    samples: str
    outputs: str = OUTPUTS
    start: int = 0
    count: int | None = None
    preprocess: Preprocess | None = None
    at_most_seconds: float | None = None
    whole: bool = False
    state: State | None = None
    fed: tuple[int, ...] | None = None
    channels_first: tuple[int, ...] = ()


@dataclass(eq=False, repr=False)
class Request(Value):
    """Time the model, or profile it, or evaluate samples; with `fidelity`, compare the first outputs with this CPU's.

    `shapes` of the inputs: None = the model's own, -1 = its own size of that axis. `ranges` are for random inputs.
    """

    model: str
    asked: str
    delegate: DelegateRequest
    threads: int = 1
    runs: int = 1
    min_seconds: float = 0
    max_seconds: float = 60
    warmup_runs: int = 1
    warmup_min_seconds: float = 0
    input_seed: int = 0
    inputs: str | None = None
    signature: Signature | None = None
    shapes: tuple[tuple[int, ...] | None, ...] | None = None
    ranges: tuple[tuple[float, float] | None, ...] | None = None
    profile: bool = False
    fidelity: bool = False
    evaluate: Evaluation | None = None


@dataclass(eq=False, repr=False)
class Failure(Value):
    """The stage that failed, and the exception."""

    stage: str
    type: str
    message: str

    @property
    def line(self) -> str:
        said = " ".join(self.message.split()) or "no reason given"
        return f"{self.stage}: {said}" if self.type == "Unusable" else f"{self.stage}: {self.type}: {said}"


@dataclass(eq=False, repr=False)
class Share(Value):
    """The nodes that one partition of a delegate took."""

    nodes: tuple[int, ...]
    delegate: str | None = None


@dataclass(eq=False, repr=False)
class Delegation(Value):
    """Who took which nodes, with the evidence."""

    verdict: Verdict
    asked: str | None = None
    evidence: str | None = None
    nodes_delegated: int | None = None
    nodes_total: int | None = None
    partitions: int | None = None
    fallback: str | None = None
    shares: tuple[Share, ...] = ()
    left: tuple[int, ...] = ()
    left_ops: dict[str, int] | None = None  # where nodes have no numbers


@dataclass(eq=False, repr=False)
class Memory(Value):
    """Of the process, in 2**20 bytes."""

    peak_since: PeakSince
    rss_start_mb: float | None = None
    rss_loaded_mb: float | None = None
    rss_end_mb: float | None = None
    rss_peak_mb: float | None = None
    pss_end_mb: float | None = None


@dataclass(eq=False, repr=False)
class Fidelity(Value):
    """The relative L2 error of each output against this CPU's; None = not a number."""

    reference: str | None = None
    why: str | None = None
    relative_l2: dict[str, float | None] | None = None


@dataclass(eq=False, repr=False)
class TensorInfo(Value):
    """An input or output as the runtime describes it; scale 0 = not quantized."""

    name: str
    index: int
    shape: tuple[int, ...]
    dtype: str
    scale: float
    zero_point: int


@dataclass(eq=False, repr=False)
class OpTime(Value):
    """Mean time of one operator over the profiled runs."""

    name: str
    type: str
    mean_us: float
    calls: float
    executor: str | None = None


@dataclass(eq=False, repr=False)
class Answer(Value):
    """What is known of a launch, by its last stage that went well."""

    format: Format
    status: Status
    delegation: Delegation
    error: Failure | None = None
    runtime: str | None = None
    api: str | None = None
    timed: Timed | None = None
    python: str | None = None
    numpy: str | None = None
    threads: int | None = None
    cpus: tuple[int, ...] = ()
    phases_ns: dict[str, int] | None = None
    first_ns: int | None = None
    warmup_ns: tuple[int, ...] = ()
    steady_ns: tuple[int, ...] = ()
    stopped_by: str | None = None
    evaluated: int | None = None
    memory: Memory | None = None
    ops: dict[str, int] | None = None
    inputs: tuple[TensorInfo, ...] = ()
    outputs: tuple[TensorInfo, ...] = ()
    fidelity: Fidelity | None = None
    profile: tuple[OpTime, ...] | None = None


def to_json(value: Request | Answer) -> str:
    """Without the keys that are None."""
    return json.dumps(value, default=lambda part: {k: v for k, v in vars(part).items() if v is not None})
