"""The clock around single steps."""

from __future__ import annotations

import time
from typing import Callable

Step = Callable[[], object]


def timed(step: Step) -> int:
    """How many nanoseconds a step took."""
    began = time.perf_counter_ns()
    step()
    return time.perf_counter_ns() - began


def repeat(step: Step, runs: int, min_seconds: float, max_seconds: float, spent_ns: int = 0) -> tuple[list[int], str]:
    """Run `step` until both `runs` and `min_seconds` are reached, or `max_seconds`; the times, and what stopped it."""
    clock = time.perf_counter_ns
    samples: list[int] = []
    least, most = int(min_seconds * 1e9), int(max_seconds * 1e9)
    elapsed, started = spent_ns, clock()
    while len(samples) < runs or elapsed < least:
        if elapsed >= most and (samples or spent_ns):
            return samples, "max_seconds"
        began = clock()
        step()
        ended = clock()
        samples.append(ended - began)
        elapsed = spent_ns + ended - started
    return samples, "runs and min_seconds"
