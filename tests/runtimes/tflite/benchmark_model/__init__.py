"""Tests of the native runner; what the genuine tool printed is in tests/recorded/."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

RECORDED = Path(__file__).parents[3] / "recorded"

# What a launch says at its end; numbers of no machine in particular.
COUNT = "count=50 first=190500 curr=190100 min=189000 max=192000 avg=190400 std=600"
WARMUP = "count=3 first=201000 curr=200000 min=199000 max=201000 avg=200000 std=816"
RESULT = f"""\
Initialized session in 12.5ms.
Running benchmark for at least 1 iterations and at least 0.5 seconds but terminate if exceeding 150 seconds.
{WARMUP}

Running benchmark for at least 50 iterations and at least 1 seconds but terminate if exceeding 150 seconds.
{COUNT}

Inference timings in us: Init: 12500, First inference: 201000, Warmup (avg): 200000, Inference (avg): 190400
"""


@dataclass(frozen=True, slots=True)
class Run:
    """One recorded run of the genuine tool."""

    name: str
    command: str
    exit_code: int
    stdout: str
    stderr: str

    @property
    def text(self) -> str:
        return self.stdout + "\n" + self.stderr


@cache
def recorded(file: str = "runs.jsonl") -> dict[str, Run]:
    """Every run by its name, such as "05-xnnpack_true"."""
    lines = (RECORDED / file).read_text(encoding="utf-8").splitlines()
    return {run.name: run for run in (Run(**json.loads(line)) for line in lines)}


def run_of(number: str) -> Run:
    """The run with this number, such as "05" or "x06"."""
    return next(run for name, run in recorded().items() if name.split("-")[0] == number)


def litert_run(number: str) -> Run:
    """The run of LiteRT's own tool with this number, such as "05"."""
    return next(run for name, run in recorded("litert.jsonl").items() if name.split("-")[0] == number)


def written(name: str) -> bytes:
    """A file that a recorded run wrote."""
    return (RECORDED / "files" / name).read_bytes()
