"""What onnxruntime_perf_test prints, in the three forms that it has had since 2018.

Its source: onnxruntime/test/perftest/performance_runner.{h,cc}. Of each launch it gives the time to make a session, the
mean, and percentiles of which the median is P50: the element at n/2 of the sorted times.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from benchbench.runtimes.base import RecordedLaunch
from benchbench.runtimes.onnxruntime.backends.base import PERF_TEST as TOOL
from benchbench.runtimes.onnxruntime.recorded.log_messages import left_out_line, message_in
from benchbench.runtimes.onnxruntime.recorded.providers import delegation_of, kind_of_flag
from benchbench.values.key_values import number
from benchbench.values.outcome import Delegation, LaunchResult, Measurement, Memory, Timings

FIRST_FROM_US = 10_000  # it is told in whole milliseconds, the rest cut off: below, that is more than 10 % of it
NUMBER = r"([0-9.]+(?:[eE][+-]?\d{1,2})?)"
TIMES = {  # name -> how it is written, and microseconds in one of its unit
    "init": (rf"Session creation time cost:\s*{NUMBER} s", 1e6),
    "first": (rf"First inference time cost:\s*{NUMBER} ms", 1e3),
    "mean": (rf"Average (?:inference )?time cost(?: total)?:\s*{NUMBER} ms", 1e3),
    "min": (rf"Min Latency(?: is|:)\s*{NUMBER} s", 1e6),
    "max": (rf"Max Latency(?: is|:)\s*{NUMBER} s", 1e6),
    "median": (rf"P50 Latency(?: is|:)\s*{NUMBER} s", 1e6),
    "p95": (rf"P95 Latency(?: is|:)\s*{NUMBER} s", 1e6),
}
COUNTS = {
    "runs": re.compile(r"Total (?:inference requests|iterations):\s*(\d+)"),
    "threads": re.compile(r"Setting intra_op_num_threads to (\d+)"),
    "peak": re.compile(r"Peak working set size:\s*(\d+) bytes"),
}
COMMAND = re.compile(rf"{TOOL}(?:\.exe)?\s+(-.*|\S+\.(?:onnx|ort)\b.*)")
PLACED = re.compile(r"(?:Node\(s\)|All nodes) placed on \[(\w+)\]\. Number of nodes: (\d+)")
FAILED = re.compile(r"\[E:onnxruntime|[Ee]xception|terminate called|Error Code|failed:")
NO_FAILURE = re.compile(r"\[[VIW]:onnxruntime")  # a line of its log that only warns
BEGINNINGS = ("threads", "init", "mean")  # lines that each launch has once, in this order
P50 = "sorted times at n·p"


@dataclass
class _Launch:
    """What was read of one launch so far."""

    times: dict[str, float] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    command: str | None = None
    placed: dict[str, int] = field(default_factory=dict)
    placement: list[str] = field(default_factory=list)  # the lines that say so
    error: str | None = None

    @property
    def begun(self) -> bool:
        return bool(self.command or {"init", "mean"} & set(self.times))


def read_output(text: str) -> Sequence[RecordedLaunch]:
    """The launches that a text holds, in order."""
    return [_recorded(launch) for launch in _launches(text) if launch.begun]


def _launches(text: str) -> Iterator[_Launch]:
    launch = _Launch()
    for line in text.splitlines():
        read = _read(line)
        if _begins_another(launch, read):
            yield launch
            launch = _Launch()
        launch.times |= {k: v for k, v in read.items() if k in TIMES}
        launch.counts |= {k: int(v) for k, v in read.items() if k in COUNTS}
        if command := COMMAND.search(line):
            launch.command = command[1]
        if placed := PLACED.search(line):
            launch.placed[placed[1]] = int(placed[2])
            launch.placement.append(placed[0])
        launch.error = launch.error or failure_in(line)
    yield launch


def failure_in(text: str) -> str | None:
    """What the first line says that tells of a failure; None = none does."""
    lines = (line for line in text.splitlines() if not NO_FAILURE.search(line))
    return next((message_in(line)[:300] for line in lines if FAILED.search(line) or left_out_line(line)), None)


def _read(line: str) -> dict[str, float]:
    """The numbers of a line, times in microseconds; `command` = 1 where it is one."""
    told = {name: (pattern.search(line), 1.0) for name, pattern in COUNTS.items()}
    told |= {name: (re.search(pattern, line), microseconds) for name, (pattern, microseconds) in TIMES.items()}
    found = {name: value * unit for name, (hit, unit) in told.items() if hit and (value := number(hit[1])) is not None}
    return found | ({"command": 1} if COMMAND.search(line) else {})


def _begins_another(launch: _Launch, read: dict[str, float]) -> bool:
    """A command, or a line that this launch or what comes after it in a launch has given already."""
    if "command" in read:
        return launch.begun
    had = {*launch.times, *launch.counts}
    return any(name in read and {*BEGINNINGS[k:]} & had for k, name in enumerate(BEGINNINGS))


def _recorded(launch: _Launch) -> RecordedLaunch:
    words = _words(launch.command)
    asked = None if launch.command is None else kind_of_flag(_option(words, "-e") or "cpu")
    measured = "mean" in launch.times
    times = {k: us for k, us in launch.times.items() if k != "first" or us >= FIRST_FROM_US}
    threads = launch.counts.get("threads") or int(_option(words, "-x") or 0)  # 0 = as many as it likes
    result = LaunchResult(
        status="ok" if measured else "failed" if launch.error else "incomplete",
        measurement=Measurement(
            timings=Timings(**times, percentile_method=P50 if "median" in times else None),
            runs=launch.counts.get("runs"),
            threads=threads or None,
            memory=Memory(rss_peak_mb=launch.counts["peak"] / 2**20 if "peak" in launch.counts else None),
            tool=TOOL,
        ),
        delegation=_delegation(launch, asked),
        error=None if measured else launch.error,
    )
    return RecordedLaunch(result, next((word for word in words if word.endswith((".onnx", ".ort"))), None))


def _delegation(launch: _Launch, asked: str | None) -> Delegation:
    if launch.error and left_out_line(launch.error):
        return Delegation(asked=asked, verdict="unavailable", evidence=launch.error)
    return delegation_of(launch.placed, asked, "; ".join(launch.placement) or None)


def _words(command: str | None) -> list[str]:
    try:
        return shlex.split(command or "", posix="\\" not in (command or ""))
    except ValueError:  # a quote that is cut off
        return (command or "").split()


def _option(words: Sequence[str], name: str) -> str | None:
    return next((after for word, after in pairwise(words) if word == name), None)
