"""Run folders out of real values, as a run would have left them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from benchbench.values.case import Variant
from benchbench.values.conditions import Conditions
from benchbench.values.device import Cluster, Traits
from benchbench.values.outcome import (
    Delegation,
    Measurement,
    Memory,
    Outcome,
    Profile,
    Status,
    Timings,
    Verdict,
)

DELEGATES = ("cpu", "xnnpack", "gpu")


def variant(family: str = "mobilenet_v2", scheme: str = "float32", name: str = "") -> Variant:
    size = {"float32": 14.0, "float16": 7.1, "int4": 2.4}.get(scheme, 3.9)
    named = name or scheme
    return Variant(
        family=family,
        name=named,
        scheme=scheme,
        path=f"models/{named}.tflite",
        sha256="ab" * 32,
        size_mb=size,
        nodes=65,
    )


def conditions(temperature_c: float | None = 42.0, *, throttled: Sequence[str] = (), load: float = 0.4) -> Conditions:
    return Conditions(
        at="2026-11-22T03:00:00.000+00:00",
        temperature_c=temperature_c,
        governors=("performance",),
        throttled=tuple(throttled),
        load=load,
    )


def delegation(asked: str, verdict: Verdict = "full", *, nodes: int = 40) -> Delegation:
    rest = "cpu" if asked in {"cpu", "xnnpack"} else "xnnpack"
    tool = asked.upper()
    evidence = {
        "full": f"Explicitly applied {tool} delegate, and the model graph will be completely executed by it.",
        "partial": f"Explicitly applied {tool} delegate, and the graph will be partially executed: {nodes} nodes.",
        "none": f"Though {tool} delegate is explicitly applied, the model graph will not be executed by it.",
        "unavailable": f"Could not create {tool} delegate: dlopen failed: library not found",
        "unknown": None,
    }[verdict]
    taken = {"full": 65, "partial": nodes}.get(verdict, 0)
    return Delegation(
        asked=asked,
        verdict=verdict,
        evidence=evidence,
        nodes_delegated=taken,
        nodes_total=65,
        partitions=2 if verdict == "partial" else 1,
        fallback=rest,
    )


def measurement(typical_us: float, *, runs: int = 50, threads: int = 1, profile: Profile | None = None) -> Measurement:
    times = Timings(
        init=typical_us * 2,
        first=typical_us * 1.6,
        warmup_mean=typical_us * 1.1,
        mean=typical_us * 1.01,
        min=typical_us * 0.95,
        max=typical_us * 1.3,
        std=typical_us * 0.03,
        p5=typical_us * 0.96,
        median=typical_us,
        p95=typical_us * 1.08,
        percentile_method="linear",
    )
    memory = Memory(rss_start_mb=61.0, rss_loaded_mb=75.0, rss_end_mb=81.5, rss_peak_mb=83.0, pss_end_mb=70.2)
    return Measurement(
        timings=times,
        runs=runs,
        runs_asked=50,
        threads=threads,
        memory=memory,
        profile=profile,
        tool="ai-edge-litert 2.3.0",
        model_mb=3.9,
    )


def outcome(
    device: str = "pixel8",
    model: Variant | None = None,
    delegate: str = "xnnpack",
    *,
    threads: int = 1,
    round: int = 0,
    position: int = 0,
    ms: float | None = 10.0,
    verdict: Verdict = "full",
    status: Status = "ok",
    **more: Any,
) -> Outcome:
    """One trial; `ms` is its steady latency."""
    used = model or variant()
    case = f"{device}/{used.id}/{delegate}/t{threads}"
    measured = measurement(ms * 1000, threads=threads) if ms is not None and status == "ok" else Measurement()
    values: dict[str, Any] = {
        "measurement": measured,
        "delegation": delegation(delegate, verdict),
        "before": conditions(),
        "after": conditions(44.0),
        "runner": "python",
        "wall_s": 3.2,
        "tool_s": 3.0,
    }
    return Outcome(
        trial=f"{case}/r{round}",
        case=case,
        device=device,
        variant=used.id,
        round=round,
        position=position,
        status=status,
        **(values | more),
    )


def skip(
    device: str, model: Variant, delegate: str, reason: str, *, threads: int = 1, deliberate: bool = False
) -> dict[str, Any]:
    """The manifest's record of a cell that is skipped."""
    return {
        "case": f"{device}/{model.id}/{delegate}/t{threads}",
        "reason": reason,
        "deliberate": deliberate,
        "device": device,
        "variant": model.id,
        "family": model.family,
        "scheme": model.scheme,
        "name": model.name,
        "delegate": delegate,
        "kind": delegate,
        "threads": threads,
        "affinity": None,
        "runner": None,
    }


def launches(times_ms: Iterable[float], **same: Any) -> list[Outcome]:
    """One outcome per launch of one case."""
    return [outcome(round=n, position=n, ms=ms, **same) for n, ms in enumerate(times_ms)]


def write_run(
    folder: Path,
    outcomes: Sequence[Outcome],
    *,
    variants: Sequence[Variant] = (),
    name: str = "mobilenet schemes",
    **manifest: Any,
) -> Path:
    """The run folder of these outcomes, with a manifest that plans exactly them."""
    known = {v.id: v for v in (*variants, variant())}
    devices = list(dict.fromkeys(o.device for o in outcomes))
    cases = {
        o.case: o for o in sorted((o for o in outcomes if o.of_matrix), key=lambda o: _planned(o, devices, list(known)))
    }
    traits = Traits(
        os="android",
        os_version="16",
        sdk=36,
        abi="arm64-v8a",
        soc="Tensor G3",
        model="Pixel 8",
        memory_mb=7800,
        clusters=(Cluster(cores=(0, 1, 2, 3), max_mhz=1700), Cluster(cores=(4, 5, 6, 7), max_mhz=2910)),
    )
    whole = {
        "format": 1,
        "name": name,
        "id": folder.name,
        "created": "2026-11-22T03:00:00+00:00",
        "benchbench": "0.1.0",
        "seed": 7,
        "host": {"name": "bench", "os": "Linux 6.8", "python": "3.11.2"},
        "versions": {"ai-edge-litert": "2.3.0", "numpy": "2.4.6"},
        "matrix": {"name": name, "threads": [1, 2, 4]},
        "measure": {"rounds": 5, "runs": 50},
        "devices": [
            {
                "name": d,
                "reached": f"adb {d}",
                "traits": traits.model_dump(mode="json"),
                "runner": "python",
                "error": None,
            }
            for d in devices
        ],
        "variants": [v.model_dump(mode="json") for v in known.values()],
        "cases": [_case(o, known) for o in cases.values()],
        "trials": [
            {"id": o.trial, "case": o.case, "device": o.device, "round": o.round, "position": o.position}
            | {"purpose": o.purpose}
            for o in outcomes
        ],
        "skips": [],
        "tools": [{"name": "benchmark_model", "sha256": "cd" * 32, "version": "2.21.0"}],
        "notes": [],
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "run.json").write_text(json.dumps(whole | manifest))
    (folder / "outcomes.jsonl").write_text("".join(o.model_dump_json(exclude_defaults=True) + "\n" for o in outcomes))
    return folder


def _planned(o: Outcome, devices: list[str], variants: list[str]) -> tuple[int, int, int, str]:
    """The place of a case in the plan."""
    asked = o.delegation.asked or ""
    return devices.index(o.device), variants.index(o.variant), [*DELEGATES, asked].index(asked), o.case


def _case(o: Outcome, known: dict[str, Variant]) -> dict[str, Any]:
    used = known[o.variant]
    asked = o.delegation.asked or ""
    threads = int(o.case.rsplit("/t", 1)[1])
    return {
        "id": o.case,
        "device": o.device,
        "variant": used.id,
        "family": used.family,
        "scheme": used.scheme,
        "name": used.name,
        "delegate": asked,
        "kind": asked.partition(":")[0],
        "threads": threads,
        "affinity": None,
        "runner": "python",
    }
