"""The measuring loop and its statistics, with the tool's own definitions."""

from __future__ import annotations

import re
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .delegation import lines_of
from .flags import Failed, Values, info, number


@dataclass
class Measured:
    """One run: times in microseconds, memory as growth of the highest resident set."""

    init_us: int
    warmup: list[int]
    times: list[int]
    memory_kb: tuple[int, int]
    peak_mb: float
    model_mb: float


def loop(interpreter: Any, least: int, seconds: float, values: Values) -> list[int]:
    """Run until both the count and the time are reached; the microseconds of every inference."""
    info(
        f"Running benchmark for at least {least} iterations and at least {number(seconds)} seconds but terminate if "
        f"exceeding {number(values['max_secs'])} seconds."
    )
    times: list[int] = []
    start = time.monotonic()
    while (len(times) < least or time.monotonic() < start + seconds) and time.monotonic() <= start + values["max_secs"]:
        before = time.perf_counter_ns()
        try:
            interpreter.invoke()
        except (RuntimeError, ValueError) as reason:
            raise Failed(*lines_of(reason)) from None
        times.append((time.perf_counter_ns() - before) // 1000)
        if values["run_delay"] > 0:
            time.sleep(values["run_delay"])
    info(statistics(times) + "\n")
    return times


def moments(times: list[int]) -> tuple[float, float]:
    mean = sum(times) / len(times) if times else 0.0
    return mean, (sum((time - mean) ** 2 for time in times) / len(times)) ** 0.5 if times else 0.0


def percentile(times: list[int], percent: int) -> int:
    return sorted(times)[len(times) * percent // 100] if times else 0


def statistics(times: list[int]) -> str:
    mean, deviation = moments(times)
    line = f"count={len(times)}"
    if times and min(times) == max(times):
        line += f" curr={times[-1]}" + ("(all same)" if len(times) > 1 else "")
    elif times:
        line += f" first={times[0]} curr={times[-1]} min={min(times)} max={max(times)}"
        line += f" avg={number(mean)} std={int(deviation)}"
    return line + f" p5={percentile(times, 5)} median={percentile(times, 50)} p95={percentile(times, 95)}"


def memory_kb(key: str) -> int:
    """VmHWM: the highest resident set of this process; VmRSS: the present one."""
    match = re.search(rf"{key}:\s+(\d+)", Path("/proc/self/status").read_text())
    return int(match[1]) if match else 0


class Peak:
    """The highest resident set that a thread saw."""

    def __init__(self, interval_ms: int) -> None:
        self._kb, self._over = memory_kb("VmRSS"), threading.Event()
        self._thread = threading.Thread(target=self._watch, args=(max(interval_ms, 1) / 1000,), daemon=True)
        self._thread.start()

    def _watch(self, interval_s: float) -> None:
        while not self._over.wait(interval_s):
            self._kb = max(self._kb, memory_kb("VmRSS"))

    def stop_mb(self) -> float:
        self._over.set()
        self._thread.join()
        return max(self._kb, memory_kb("VmRSS")) / 1024


def report(run: Measured) -> None:
    first = run.warmup[0] if run.warmup else 0
    info(
        f"Inference timings in us: Init: {run.init_us}, First inference: {first}, "
        f"Warmup (avg): {number(moments(run.warmup)[0])}, Inference (avg): {number(moments(run.times)[0])}"
    )
    info(
        "Note: as the benchmark tool itself affects memory footprint, the following is only APPROXIMATE to the actual "
        "memory footprint of the model at runtime. Take the information at your discretion."
    )
    init_mb, overall_mb = (number(kb / 1024) for kb in run.memory_kb)
    info(f"Memory footprint delta from the start of the tool (MB): init={init_mb} overall={overall_mb}")
    if run.peak_mb:
        info(f"Overall peak memory footprint (MB) via periodic monitoring: {number(run.peak_mb)}")
