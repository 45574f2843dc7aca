"""Outputs of measuring tools that somebody else captured: texts to launches, to JSON objects, to outcomes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from benchbench.runtimes import RUNTIMES, Runtime
from benchbench.runtimes.base import RecordedLaunch
from benchbench.values.errors import InputError
from benchbench.values.file_kind import JSON, file_kind
from benchbench.values.outcome import OpTime, Outcome

TOOLS = " or ".join(runtime.log_tool for runtime in RUNTIMES if runtime.log_tool)


@dataclass(frozen=True, slots=True)
class Recorded:
    """One launch of a recorded output: the name of its source, its place there (from 0), and whose tool it was."""

    source: str
    index: int
    launch: RecordedLaunch
    runtime: Runtime


def read_logs(sources: Iterable[tuple[str, str | bytes]]) -> list[Recorded]:
    """Every launch of every (name, text), in order; a text without a launch gives none."""
    return [
        Recorded(name, index, launch, runtime)
        for name, text in sources
        for runtime, launches in [_launches(text)]
        for index, launch in enumerate(launches)
    ]


def _launches(text: str | bytes) -> tuple[Runtime, Sequence[RecordedLaunch]]:
    """What the first runtime reads that knows the tool of a text; a failure of no model at all may be anybody's."""
    vague: tuple[Runtime, Sequence[RecordedLaunch]] = (RUNTIMES[0], ())
    for runtime in RUNTIMES:
        launches = runtime.read_log(text)
        if any(launch.graph or launch.result.status != "failed" for launch in launches):
            return runtime, launches
        if launches and not vague[1]:
            vague = runtime, launches
    return vague


def read_log(source: str, data: str | bytes) -> list[Recorded]:
    """The launches of one text; raises InputError for one without any, saying what it is instead."""
    kind = file_kind(data) if isinstance(data, bytes) else None
    if kind == JSON and (profiled := _profiled(source, data)):
        return profiled
    if kind is not None:
        raise InputError(
            f"{source}: is no output of {TOOLS}: it is {kind}", remedy="give what the tool printed, as text"
        )
    found = read_logs([(source, data)])
    if not found:
        raise InputError(f"{source}: holds no launch of {TOOLS}", remedy="is it the tool's whole output?")
    return found


def _profiled(source: str, data: str | bytes) -> list[Recorded]:
    read = ((runtime, runtime.read_profile(data)) for runtime in RUNTIMES)
    return [Recorded(source, 0, launch, runtime) for runtime, launch in read if launch is not None]


def as_json(launch: RecordedLaunch, source: str, index: int) -> dict[str, Any]:
    """One launch as the object that `benchbench import --json` prints: microseconds, megabytes, null = not said."""
    result, measured, delegation = launch.result, launch.result.measurement, launch.result.delegation
    timings, memory, profile = measured.timings, measured.memory, measured.profile
    names = ("init", "first", "warmup_mean", "mean", "min", "max", "std", "p5", "median", "p95")
    return {
        "source": source,
        "index": index,
        "status": result.status,
        "delegate": delegation.asked,
        "verdict": delegation.verdict,
        "evidence": delegation.evidence,
        "nodes_delegated": delegation.nodes_delegated,
        "nodes_total": delegation.nodes_total,
        "partitions": delegation.partitions,
        "kernels": delegation.kernels,
        "fallback": delegation.fallback,
        "accelerators": list(delegation.accelerators),
        "timings_us": {name: getattr(timings, name) for name in names},
        "runs": measured.runs,
        "runs_asked": measured.runs_asked,
        "warmup_runs": measured.warmup_runs,
        "model_mb": measured.model_mb,
        "memory_mb": {
            "init": memory.init_delta_mb,
            "overall": memory.overall_delta_mb,
            "peak": memory.peak_polled_mb,
        },
        "threads": measured.threads,
        "graph": launch.graph,
        "error": result.error,
        "warnings": list(measured.warnings),
        "profile": {
            "by_op": [_row(row) for row in profile.by_op] if profile else [],
            "by_type": [_row(row) for row in profile.by_type] if profile else [],
        },
    }


def _row(row: OpTime) -> dict[str, Any]:
    return row.model_dump()


def outcomes(recorded: Sequence[Recorded], *, device: str | None = None) -> list[Outcome]:
    """The launches as outcomes of a run, so that a report can be made of them.

    The device is `device` or the source's name, the variant the graph's file name. Launches of the same case are its
    rounds, in the order in which they were read; what a text does not say is "unknown" in the case's id.
    """
    rounds: Counter[str] = Counter()
    positions: Counter[str] = Counter()
    found = []
    places = _places({one.source for one in recorded})
    for one in recorded:
        place = device or places[one.source]
        variant, result = _variant(one), one.launch.result
        threads = "t?" if result.measurement.threads is None else f"t{result.measurement.threads}"
        case = f"{place}/{variant}/{result.delegation.asked or 'unknown'}/{threads}"
        found.append(_outcome(one, case, place, variant, rounds[case], positions[place]))
        rounds[case] += 1
        positions[place] += 1
    return found


def _places(sources: set[str]) -> dict[str, str]:
    """A device's name for each source: its file's name, with its folder's in front where several files share it."""
    paths = {source: PurePosixPath(source.replace("\\", "/")).with_suffix("") for source in sources}
    shared = {name for name, count in Counter(path.name for path in paths.values()).items() if count > 1}
    return {
        source: _plain(f"{path.parent.name}-{path.name}" if path.name in shared else path.name, "imported")
        for source, path in paths.items()
    }


def _outcome(one: Recorded, case: str, device: str, variant: str, round_: int, position: int) -> Outcome:
    reading = one.launch.result
    return Outcome(
        trial=f"{case}/r{round_}",
        case=case,
        device=device,
        variant=variant,
        round=round_,
        position=position,
        status=reading.status,
        measurement=reading.measurement,
        delegation=reading.delegation,
        runner=one.runtime.log_tool,
        error=reading.error or ("the text stops before its result" if reading.status == "incomplete" else None),
    )


def _variant(one: Recorded) -> str:
    """The graph's file name; no path of the machine that measured gets into a case's id."""
    path = PurePosixPath((one.launch.graph or "").replace("\\", "/"))
    suffix = one.runtime.suffixes[0]
    return f"{_plain(path.name.removesuffix(suffix), 'unknown')}{suffix}"


def _plain(name: str, otherwise: str) -> str:
    """A name that is safe as a part of an id and of a file's name."""
    plain = re.sub(r"[^A-Za-z0-9._-]+", "_", name).strip("._-")
    return plain[:100] or otherwise
