"""One launch of the tool as a text tells it, and how the lines of a text fall into launches."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Literal

from benchbench.runtimes.tflite.benchmark_model.log_events import Event
from benchbench.values.device import Frozen
from benchbench.values.outcome import Delegation, LaunchResult, Measurement, Memory, Profile, Timings


class Launch(Frozen):
    """Everything that the output of one launch says; None where it says nothing.

    Timings are microseconds as printed (milliseconds × 1000 where a dialect prints those), memory in the tool's MB.
    `status`: ok = there is a steady mean; failed = the tool or its process gave up; incomplete = the text stops first.
    """

    status: Literal["ok", "failed", "incomplete"]
    error: str | None = None
    timings: Timings = Timings()
    runs_asked: int | None = None
    runs: int | None = None
    warmup_runs: int | None = None
    threads: int | None = None
    graph: str | None = None
    memory: Memory = Memory()
    model_mb: float | None = None
    delegation: Delegation = Delegation()
    profile: Profile | None = None
    unconsumed: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    generation: Literal["tflite", "litert"] | None = None

    @property
    def reading(self) -> LaunchResult:
        """The same as a runner's reading."""
        measurement = Measurement(
            timings=self.timings,
            runs_asked=self.runs_asked,
            runs=self.runs,
            warmup_runs=self.warmup_runs,
            threads=self.threads,
            memory=self.memory,
            model_mb=self.model_mb,
            profile=self.profile,
            tool=f"benchmark_model ({self.generation})" if self.generation else "benchmark_model",
            warnings=self.warnings,
        )
        return LaunchResult(status=self.status, measurement=measurement, delegation=self.delegation, error=self.error)


# A second one of these cannot belong to the same launch.
_ONCE = {"loaded", "size", "init", "summary", "memory", "peak"}
# After a result, these are the next launch's.
_BEGINNINGS = {"parameter", "loaded", "size", "init", "header", "count", "setting"}
_RESULTS = {"summary", "condensed", "memory", "peak", "profile", "table", "block"}
# Only these show that it was benchmark_model, and not label_image or another user of the runtime.
_OWN = _BEGINNINGS - {"loaded"} | _RESULTS | {"start", "applied", "not_taken", "unconsumed", "option"}

# Of a text without any of these, what is left may be a launch that never got so far.
_TELLING = {"command", "crash", "fatal"}


class _Open:
    """The launch that the lines are falling into, with what is needed to see its end."""

    def __init__(self, events: Iterable[Event] = ()) -> None:
        self.events: list[Event] = []
        self.seen: Counter[str] = Counter()
        self.result_at = 0  # how many events there were with the last result
        self.own_at = 0  # … and with the last line that only benchmark_model prints
        for event in events:
            self.add(event)

    def add(self, event: Event) -> None:
        self.events.append(event)
        self.seen[event.kind] += 1
        if event.kind == "profile":
            self.seen[event.values["phase"]] += 1
        if event.kind == "header" and "stat logging" in event.line:
            self.seen["stat logging"] += 1
        if event.kind in _RESULTS or event.kind == "count":
            self.result_at = len(self.events)
        if event.kind in _OWN:
            self.own_at = len(self.events)

    def announced_by(self, event: Event) -> bool:
        """A command begins a launch, a row of a summary is one, and so does STARTING! unless it follows its command."""
        if event.kind in {"command", "other"}:
            return len(self.events) > self.seen["command"]
        return event.kind == "option" or (event.kind == "start" and len(self.events) > self.seen["command"])

    def ended_before(self, event: Event) -> bool:
        kind = event.kind
        if self.seen["option"]:
            return kind != "count" or self.seen["count"] > 0
        if kind in _ONCE and self.seen[kind]:
            return True
        if kind == "block":
            return event.values["key"] == "Model initialization" and self.seen["block"] > 0
        if kind == "profile":
            return self.seen[event.values["phase"]] > 0
        # Warm-up and measurement; TensorFlow's tool measures twice and says so.
        if kind in {"header", "count"} and self.seen["count"] >= (3 if self.seen["stat logging"] else 2):
            return True
        return kind in _BEGINNINGS and any(self.seen[result] for result in _RESULTS)


def split(events: Iterable[Event]) -> list[list[Event]]:
    """The events of each launch; text of other programs is left out where there is a launch at all."""
    launches, current = list[list[Event]](), _Open()
    for event in events:
        if event.kind == "ended":  # another program's last line: what came since the last own one was its
            launches.append(current.events[: current.own_at])
            current = _Open()
            continue
        if current.announced_by(event):
            launches.append(current.events)
            current = _Open()
        elif current.ended_before(event):
            # What came after the last result belongs to the launch that begins now; without a result, nothing does.
            end = current.result_at or len(current.events)
            launches.append(current.events[:end])
            current = _Open(current.events[end:])
        if event.kind != "other":
            current.add(event)
    launches.append(current.events)
    told = [launch for launch in launches if any(event.kind != "command" for event in launch)]
    own = [launch for launch in told if any(event.kind in _OWN for event in launch)]
    bare = [launch for launch in told if any(event.kind in _TELLING for event in launch)]
    return _without_repetition(own) or bare[:1]


def _without_repetition(launches: list[list[Event]]) -> list[list[Event]]:
    """Without the rows of a summary at the end of a text that holds the very launches, with all they say."""
    rows = [launch for launch in launches if launch[0].kind == "option"]
    others = [launch for launch in launches if launch[0].kind != "option"]
    counted = [event.values for launch in others for event in launch if event.kind == "count"]
    repeats = any(event.values in counted for row in rows for event in row if event.kind == "count")
    return others if repeats else launches
