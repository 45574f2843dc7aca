"""The time of every node, from ONNX Runtime's profile (Chrome's trace events), over several runs."""

from __future__ import annotations

import json
import os
import time
from typing import TYPE_CHECKING, Any

from ..protocol import OpTime
from .runtime import CPU

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..protocol import Request

KERNEL = "_kernel_time"


def profile(session: Any, step: Callable[[], object], request: Request, provider: str | None) -> tuple[OpTime, ...]:
    """Mean microseconds of every node over the asked runs, without those of the warm-up; `step` is one run."""
    for _ in range(request.warmup_runs):
        step()
    began, runs = time.monotonic(), 0
    while not runs or (runs < request.runs and time.monotonic() - began < request.max_seconds):
        step()
        runs += 1
    path = session.end_profiling()
    with open(path, encoding="utf-8") as file:
        events = json.load(file)
    os.remove(path)
    return node_times(events, runs, provider, request.asked)


def node_times(events: Sequence[dict[str, Any]], runs: int, provider: str | None, kind: str) -> tuple[OpTime, ...]:
    """Of the last `runs` runs in a profile; the executor is `kind` for the provider that was asked for."""
    whole = sorted(event["ts"] for event in events if event.get("cat") == "Session" and event["name"] == "model_run")
    first = whole[-runs] if len(whole) >= runs else 0
    spent: dict[tuple[str, str, str], int] = {}
    calls: dict[tuple[str, str, str], int] = {}
    for event in events:
        if event.get("cat") != "Node" or not event["name"].endswith(KERNEL) or event["ts"] < first:
            continue
        about = event["args"]
        key = (event["name"][: -len(KERNEL)], about.get("op_name", ""), about.get("provider", CPU))
        spent[key] = spent.get(key, 0) + event["dur"]
        calls[key] = calls.get(key, 0) + 1
    executors = {CPU: None, provider or CPU: kind if provider else None}
    return tuple(
        OpTime(name, op, us / float(runs), calls[name, op, by] / float(runs), executors.get(by, by))
        for (name, op, by), us in spent.items()
    )
