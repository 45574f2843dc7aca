"""What comes out of a trial: timings, memory, delegation, and whether it can be believed; its conditions stand beside.

Times are microseconds as the tools print them, memory megabytes (1e6 bytes for files, 2**20 for footprints, as
the tools do), temperatures degrees Celsius. None means that nobody said.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import AfterValidator, AliasChoices, Field

from benchbench.values.backend import Cache
from benchbench.values.case import LATENCY, OfMode
from benchbench.values.conditions import Conditions, DuringConditions, SettingSeen
from benchbench.values.device import Frozen

Verdict = Literal["full", "partial", "none", "unavailable", "unknown"]
Status = Literal["ok", "failed", "incomplete", "skipped"]
Statistic = Literal["median", "mean"]  # of the steady inferences of one launch
Whole = Annotated[int, Field(ge=-(2**63), lt=2**63)]  # as frames and files hold it
# the same of what tools and devices say, who say nothing with an absurd one
Count = Annotated[int | None, AfterValidator(lambda count: None if count is None or abs(count) >= 2**63 else count)]
NUMPY = "linear (numpy)"  # how percentiles are taken here, where a tool tells each inference
FINE_FROM_US = 50.0  # below, a whole number of microseconds is more than 1 % wrong by its rounding alone


class Timings(Frozen):
    """The phases of one launch, kept apart; p5/median/p95 by the method named in `percentile_method`."""

    init: float | None = None
    first: float | None = None
    warmup_mean: float | None = None
    mean: float | None = None
    min: float | None = None
    max: float | None = None
    std: float | None = None
    p5: float | None = None
    median: float | None = None
    p95: float | None = None
    samples: tuple[float, ...] = ()  # every steady inference, in order, where the tool gives them
    percentile_method: str | None = None  # "lower index, floor(n*p/100)" (benchmark_model) or numpy's name

    @property
    def of_each(self) -> bool:
        """Whether its tool told each inference: their times are in files of their own once they are recorded."""
        return bool(self.samples) or (self.percentile_method or "").startswith(NUMPY)

    @property
    def fine_median(self) -> float | None:
        """The median, unless it is only known in whole microseconds and too short for that (benchmark_model)."""
        if self.median is None or self.median >= FINE_FROM_US:
            return self.median
        told = (self.median, self.min, self.max)
        return None if all(time == round(time) for time in told if time is not None) else self.median

    @property
    def typical(self) -> float | None:
        """The steady latency that stands for the launch alone; launches side by side: `common_statistic`."""
        return self.by(common_statistic([self]))

    def by(self, statistic: Statistic) -> float | None:
        return self.median if statistic == "median" else self.mean


def common_statistic(launches: Iterable[Timings]) -> Statistic:
    """What all of these launches can be compared by; a median is never compared with a mean.

    The median where each has one that is fine enough, else the mean where each has one.
    """
    known = [times for times in launches if times.median is not None or times.mean is not None]
    if all(times.fine_median is not None for times in known) or any(times.mean is None for times in known):
        return "median"
    return "mean"


class Memory(Frozen):
    """Memory, each kind by its own name; never mixed in one column."""

    init_delta_mb: float | None = None  # benchmark_model: growth of max RSS during initialisation
    overall_delta_mb: float | None = None  # benchmark_model: growth of max RSS over the whole run
    peak_polled_mb: float | None = None  # benchmark_model: highest RSS seen by its sampling thread
    rss_start_mb: float | None = None  # python: resident set before the model is loaded (interpreter, numpy, runtime)
    rss_loaded_mb: float | None = None  # python: resident set after initialisation
    rss_end_mb: float | None = None  # python: resident set after the last inference
    rss_peak_mb: float | None = None  # python: highest resident set from before loading to the end (VmHWM)
    pss_end_mb: float | None = None  # python: proportional set size at the end

    @property
    def added_mb(self) -> float | None:
        """What the model adds to the process that holds it: growth of the peak from before it is loaded."""
        if self.overall_delta_mb is not None:
            return self.overall_delta_mb
        if self.rss_peak_mb is None or self.rss_start_mb is None:
            return None
        return max(0.0, self.rss_peak_mb - self.rss_start_mb)


class Delegation(Frozen):
    """What was asked for and what took the graph, with the tool's own words as evidence."""

    asked: str | None = None  # xnnpack, gpu, nnapi, …; None where a log does not say
    verdict: Verdict = "unknown"
    evidence: str | None = None
    nodes_delegated: Count = None
    nodes_total: Count = None
    partitions: Count = None
    kernels: Count = None
    # Who executes the rest of the graph: "xnnpack" or "cpu"; run folders of format 1 call it the remainder.
    fallback: str | None = Field(default=None, validation_alias=AliasChoices("fallback", "remainder"))
    accelerators: tuple[str, ...] = ()  # the accelerators that the tool listed (NNAPI)
    left: dict[str, int] = Field(default_factory=dict)  # how many ops of which type it left; {} = none, or nobody said
    macs_share: float | None = None  # of the multiply-accumulates of the graph, those of the nodes that it took

    @property
    def executor(self) -> str:
        """Who really executed the graph, in words for a row: never a delegate that took nothing."""
        asked, rest = self.asked or "cpu", self.fallback or "cpu"
        if self.verdict == "full":
            return asked
        if self.verdict == "partial":
            return f"{asked}, rest on {rest}"
        if self.verdict == "none":
            return f"{rest} ({asked} took nothing)"
        if self.verdict == "unavailable":
            return f"{rest} ({asked} unavailable)"
        return f"{asked}?"


class OpTime(Frozen):
    """One row of an op profile: mean time per inference in microseconds, and its share of the sum of all rows."""

    name: str
    type: str
    mean_us: float
    percent: float
    calls: float = 1
    executor: str | None = None  # the delegate of the partition; None = the interpreter's own kernel


class Profile(Frozen):
    """Where the time goes: per op and per op type, percentages recomputed from the times."""

    by_op: tuple[OpTime, ...] = ()
    by_type: tuple[OpTime, ...] = ()


class Measurement(Frozen):
    """What a runner read out of one launch."""

    timings: Timings = Timings()
    runs_asked: Count = None
    runs: Count = None
    warmup_runs: Count = None
    evaluated: Count = None  # samples whose outputs were taken
    threads: Count = None
    memory: Memory = Memory()
    model_mb: float | None = None
    profile: Profile | None = None
    tool: str | None = None  # "benchmark_model (tflite)", "ai-edge-litert 2.3.0 CompiledModel", …
    warnings: tuple[str, ...] = ()
    ops: dict[str, int] = Field(default_factory=dict)
    cpus: tuple[int, ...] = ()  # the cores that the process was allowed to run on
    output_errors: dict[str, float | None] = Field(default_factory=dict)  # output -> relative L2 error against the
    # CPU on the same input; None = not a number


class CacheLine(Frozen):
    """What a tool said of its compile cache: that it was read, was looked for in vain, or can be neither."""

    event: Literal["read", "missed", "refused"]
    line: str


class CacheUse(Frozen):
    """Whether a launch had the compile cache that was asked for, and what says so; used = None: nothing does."""

    asked: Cache
    used: bool | None
    evidence: str

    @property
    def answer(self) -> str:
        """In a word."""
        return "unknown" if self.used is None else "yes" if self.used else "no"


class LaunchResult(Frozen):
    """A runner's reading of one launch: ok only with a steady mean; otherwise the telling line is in `error`.

    skipped = the tool cannot do what was asked of it.
    """

    status: Status
    measurement: Measurement = Measurement()
    delegation: Delegation = Delegation()
    error: str | None = None
    remedy: str | None = None
    cache: CacheLine | None = None


class Outcome(OfMode, Frozen):
    """A trial, done: one line of outcomes.jsonl."""

    trial: str  # case id + "/r2"
    case: str
    device: str
    variant: str
    round: Whole
    position: Whole  # place in the device's recorded order
    purpose: str = LATENCY  # the name of its mode
    status: Status
    measurement: Measurement = Measurement()
    delegation: Delegation = Delegation()
    cache: CacheUse | None = None  # where one was asked for
    before: Conditions | None = None
    during: DuringConditions | None = None
    after: Conditions | None = None
    settings: tuple[SettingSeen, ...] = ()  # of the device, for the time of the job
    runner: str | None = None
    started: str | None = None  # UTC, ISO 8601
    wall_s: float | None = None  # host: from the first byte to the device until the answer was read
    tool_s: float | None = None  # device: from start to end of the measuring process
    cooldown_s: float | None = None  # how long the trial waited for the device to cool down
    attempts: Whole = 1
    retries: tuple[str, ...] = ()  # why each further attempt was made
    repeated: tuple[str, ...] = ()  # what had disturbed the launches of this trial before this one
    exit_code: Count = None
    command: str | None = None  # of a launch, as a shell on the device would take it in the job's folder
    log: str | None = None  # path below the run folder
    error: str | None = None
    remedy: str | None = None
    transient: bool = False  # failed for a reason that may pass: --resume tries it again
    outputs: str | None = None  # path below the run folder of the outputs taken back
    samples: Count = None  # how many samples of the dataset they are of, from its beginning; None = all
    accuracy: dict[str, float | int | str | None] = Field(default_factory=dict)
    quantities: dict[str, float] = Field(default_factory=dict)  # further ones, by their names in values/quantities.py

    @property
    def device_s(self) -> float:
        """What the trial took of the device's time, the wait for it to cool down included."""
        return (self.wall_s or 0) + (self.cooldown_s or 0)
