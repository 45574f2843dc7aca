"""The file that ONNX Runtime's profiler writes (Chrome's trace events): phases of a session, runs, and nodes."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from benchbench.device_script.onnxruntime.profile import KERNEL, node_times
from benchbench.runtimes.base import RecordedLaunch
from benchbench.runtimes.onnxruntime.recorded.providers import delegation_of, partitions_of
from benchbench.runtimes.script_runner import profile_of, steady_timings
from benchbench.values.outcome import LaunchResult, Measurement, Timings

TOOL = "ONNX Runtime's profiler"
SLOWS = "taken with the profiler on, which slows: not to be compared with times of other launches"
PHASES = ("model_loading", "session_initialization")

Event = dict[str, Any]


def read_profile(text: str) -> RecordedLaunch | None:
    """The launch of which a text is the profile; None where it is none."""
    events = events_of(text)
    if not events:
        return None
    session = [event for event in events if event["cat"] == "Session"]
    runs = [float(event["dur"]) for event in session if event["name"] == "model_run"]
    steady = runs[1:]
    init = sum(event["dur"] for event in session if event["name"].startswith(PHASES))
    nodes = nodes_of(events)
    providers = Counter(provider for provider, _ in nodes)
    evidence = ", ".join(f"{count} nodes by {provider}" for provider, count in providers.most_common()) or None
    profile = profile_of(node_times(events, len(steady), None, "")) if steady and nodes else None
    result = LaunchResult(
        status="ok" if steady else "incomplete",
        measurement=Measurement(
            timings=_timings(float(init) or None, runs[0] if runs else None, steady),
            runs=len(steady),
            profile=profile,
            tool=TOOL,
            warnings=(SLOWS,),
        ),
        delegation=delegation_of(providers, None, evidence, partitions_of(nodes)),
        error=None if steady else "it has no run after the first",
    )
    return RecordedLaunch(result)


def events_of(text: str) -> list[Event]:
    """The events of a session and its nodes; none where the text is no such file."""
    if not text.lstrip().startswith("["):
        return []
    try:
        read = json.loads(text)
    except json.JSONDecodeError:
        return []
    events = [event for event in read if isinstance(event, dict) and {"cat", "name", "dur", "ts"} <= set(event)]
    events = [event for event in events if isinstance(event["dur"], int | float) and math.isfinite(event["dur"])]
    found = [event for event in events if event["cat"] == "Session" or _is_kernel(event)]
    return found if any(event["cat"] == "Session" for event in found) else []


def nodes_of(events: Sequence[Event]) -> set[tuple[str, str]]:
    """The provider and the name of each node that ran."""
    kernels = filter(_is_kernel, events)
    return {(event["args"].get("provider", ""), event["name"].removesuffix(KERNEL)) for event in kernels}


def _is_kernel(event: Event) -> bool:
    return event["cat"] == "Node" and event["name"].endswith(KERNEL) and isinstance(event.get("args"), dict)


def _timings(init: float | None, first: float | None, steady: Sequence[float]) -> Timings:
    if not steady:
        return Timings(init=init, first=first)
    return steady_timings(np.array(steady)).model_copy(update={"init": init, "first": first})
