"""Outputs of benchmark_model that somebody else captured: texts to launches, to JSON objects, to outcomes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from benchbench.runtimes.tflite.benchmark_model.launch import Launch
from benchbench.runtimes.tflite.benchmark_model.log_parser import read_text
from benchbench.runtimes.tflite.model.file_kind import file_kind
from benchbench.values.errors import InputError
from benchbench.values.outcome import OpTime, Outcome


@dataclass(frozen=True, slots=True)
class Recorded:
    """One launch of a recorded output: the name of its source, and its place there (from 0)."""

    source: str
    index: int
    launch: Launch


def read_logs(sources: Iterable[tuple[str, str | bytes]]) -> list[Recorded]:
    """Every launch of every (name, text), in order; a text without a launch gives none."""
    return [Recorded(name, index, launch) for name, text in sources for index, launch in enumerate(read_text(text))]


def read_log(source: str, data: str | bytes) -> list[Recorded]:
    """The launches of one text; raises InputError for one without any, saying what it is instead."""
    kind = file_kind(data) if isinstance(data, bytes) else None
    if kind is not None:
        raise InputError(
            f"{source}: is no output of benchmark_model: it is {kind}", remedy="give what the tool printed, as text"
        )
    found = read_logs([(source, data)])
    if not found:
        raise InputError(f"{source}: holds no launch of benchmark_model", remedy="is it the tool's whole output?")
    return found


def as_json(launch: Launch, source: str, index: int) -> dict[str, Any]:
    """One launch as the object that `benchbench import --json` prints: microseconds, megabytes, null = not said."""
    timings, delegation, memory = launch.timings, launch.delegation, launch.memory
    names = ("init", "first", "warmup_mean", "mean", "min", "max", "std", "p5", "median", "p95")
    return {
        "source": source,
        "index": index,
        "status": launch.status,
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
        "runs": launch.runs,
        "runs_asked": launch.runs_asked,
        "warmup_runs": launch.warmup_runs,
        "model_mb": launch.model_mb,
        "memory_mb": {
            "init": memory.init_delta_mb,
            "overall": memory.overall_delta_mb,
            "peak": memory.peak_polled_mb,
        },
        "threads": launch.threads,
        "graph": launch.graph,
        "error": launch.error,
        "warnings": list(launch.warnings),
        "profile": {
            "by_op": [_row(row) for row in launch.profile.by_op] if launch.profile else [],
            "by_type": [_row(row) for row in launch.profile.by_type] if launch.profile else [],
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
        variant = _variant(one.launch)
        threads = "t?" if one.launch.threads is None else f"t{one.launch.threads}"
        case = f"{place}/{variant}/{one.launch.delegation.asked or 'unknown'}/{threads}"
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
    reading = one.launch.reading
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
        runner="benchmark_model",
        error=reading.error or ("the text stops before its result" if reading.status == "incomplete" else None),
    )


def _variant(launch: Launch) -> str:
    """The graph's file name; no path of the machine that measured gets into a case's id."""
    path = PurePosixPath((launch.graph or "").replace("\\", "/"))
    return f"{_plain(path.name.removesuffix('.tflite'), 'unknown')}.tflite"


def _plain(name: str, otherwise: str) -> str:
    """A name that is safe as a part of an id and of a file's name."""
    plain = re.sub(r"[^A-Za-z0-9._-]+", "_", name).strip("._-")
    return plain[:100] or otherwise
