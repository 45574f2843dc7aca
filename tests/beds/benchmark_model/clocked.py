"""With STANDIN_CLOCK=FILE in its environment no inference runs: times come of the clock in that file alone.

So a test can slow a device down, and no load of the machine that it runs on gets into the times. Of several clocks in
the file, a line each, every launch takes the first away for itself, but the last one stays.
"""

from __future__ import annotations

import time
from pathlib import Path

from .delegation import create, say_applied
from .files import write_result
from .flags import Values
from .loop import Measured, report

CYCLES = 2_850_000  # of an inference


def benchmark(values: Values, given: list[str], clock: str) -> None:
    for name, _ in create(values, given):
        say_applied(name, 1, 0)
    us = round(1000 * CYCLES / next_khz(Path(clock)))
    time.sleep(values["min_secs"])
    warmup, times = [us] * max(values["warmup_runs"], 1), [us] * max(values["num_runs"], 1)
    run = Measured(2 * us, warmup, times, (1024, 2048), 0.0, Path(values["graph"]).stat().st_size / 1e6)
    report(run)
    if values["result_file_path"]:
        write_result(values["result_file_path"], run)


def next_khz(clock: Path) -> float:
    first, *others = clock.read_text().split()
    if others:
        clock.write_text("\n".join(others))
    return float(first)
