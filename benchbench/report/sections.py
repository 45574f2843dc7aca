"""The sections of the page, one noun each: from results to what its template needs, or the reason for nothing."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from benchbench.doubts import Doubt
from benchbench.report import charts
from benchbench.report.charts import Chart
from benchbench.report.results import MEMORY_KINDS, Results, missing, profile_rows

# Symbol and word, so that a verdict can be read without its colour.
BADGES = {
    "full": ("●", "full"),
    "partial": ("◐", "partial"),
    "none": ("○", "none"),
    "unavailable": ("✕", "unavailable"),
    "unknown": ("?", "unconfirmed"),
    "mixed": ("◩", "mixed"),
}
_PEAKS = {
    "rss_peak_mb": "Peak RSS",
    "peak_polled_mb": "Polled RSS",
    "overall_delta_mb": "RSS growth",
    "pss_end_mb": "PSS",
}


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the page; with `empty`, that sentence stands in for it."""

    id: str
    title: str
    template: str
    about: str = ""
    content: Mapping[str, Any] = field(default_factory=dict)
    charts: Sequence[Chart] = ()
    empty: str | None = None


def shared_doubts(results: Results) -> dict[str, tuple[Doubt, ...]]:
    """The doubts that every measured case of a place has: said once for the device, not again in each row."""
    found = {}
    for place, cases in results.cases.groupby("place", sort=False):
        measured = cases[cases["status"] == "ok"]
        common = set.intersection(*(set(doubts) for doubts in measured["doubts"])) if len(measured) > 1 else set()
        found[str(place)] = tuple(sorted(common, key=lambda doubt: doubt.kind))
    return found


def summary(results: Results) -> Section:
    found = [(results.place(r.run, r.device), r) for r in results.recommendations]
    content = {
        "recommendations": [(place, r) for place, r in found if r.case or r.traps],
        "nothing": list(dict.fromkeys(place for place, r in found if not (r.case or r.traps))),
    }
    return Section("summary", "In short", "summary.html", content=content, empty=_nothing(results))


def devices(results: Results) -> Section:
    shared = shared_doubts(results)
    cards = []
    for run in results.runs:
        for device in run.manifest["devices"]:
            place = results.place(run.id, str(device.get("name")))
            cards.append(
                {"place": place, "facts": _facts(device), "error": device.get("error"), "doubts": shared.get(place, ())}
            )
    return Section(
        "devices",
        "What was run where",
        "devices.html",
        content={"cards": cards},
        empty=None if cards else "The run does not say anything about its devices: it was made from logs.",
    )


def latency(results: Results) -> Section:
    return Section(
        "latency",
        "Latency",
        "charts.html",
        "Median over launches with its 95 % interval, at the fastest number of threads. A delegate has a bar only "
        "where it really took the graph; where something else ran, the row says what.",
        charts=[charts.latency(results, panel) for panel in results.panels],
        empty=_nothing(results),
    )


def cases(results: Results) -> Section:
    shared = shared_doubts(results)
    frame = results.cases
    peaks = [kind for kind in _PEAKS if frame[kind].notna().any()][:2]
    rows = [_case(row, peaks, shared.get(row["place"], ())) for _, row in frame.iterrows()]
    content = {
        "rows": rows,
        "peaks": [(_PEAKS[kind], MEMORY_KINDS[kind]) for kind in peaks],
        "sizes": frame["size_mb"].notna().any(),
    }
    return Section(
        "cases",
        "All cases",
        "cases.html",
        "One row a case. A number in parentheses is no number of the delegate that was asked for.",
        content=content,
        empty=_nothing(results),
    )


def accuracy(results: Results) -> Section:
    found = [chart for panel in results.panels if (chart := charts.accuracy(results, panel))]
    rows = [_tradeoff(row) for _, row in results.tradeoffs.iterrows()] if found else []
    return Section(
        "accuracy",
        "Accuracy against latency",
        "accuracy.html",
        "On the path that was timed: same variant, delegate and device. Changes are against float32 on the CPU.",
        content={"rows": rows},
        charts=found,
        empty=None if found else "No accuracy was measured: give the model a dataset in the matrix.",
    )


def threads(results: Results) -> Section:
    found = [chart for panel in results.panels if (chart := charts.threads(results, panel))]
    return Section(
        "threads",
        "Threads",
        "charts.html",
        "Median latency over the number of threads.",
        charts=found,
        empty=None if found else "Only one number of threads was measured.",
    )


def phases(results: Results) -> Section:
    found = [chart for panel in results.panels if (chart := charts.phases(panel, results))]
    return Section(
        "phases",
        "Phases",
        "charts.html",
        "Initialisation, first inference, warm-up and steady state of a launch, medians over launches.",
        charts=found,
        empty=None if found else "No case has a number that ran where it was asked to.",
    )


def memory(results: Results) -> Section:
    found = [chart for panel in results.panels if (chart := charts.memory(panel, results))]
    return Section(
        "memory",
        "Memory",
        "charts.html",
        "Each kind by its own name; they measure different things and cannot be compared with one another.",
        charts=found,
        empty=None if found else "The tools gave no memory figures.",
    )


def profile(results: Results) -> Section:
    found = [charts.profile(place, rows) for place in results.places if (rows := profile_rows(results, place))]
    return Section(
        "profile",
        "Where the time goes",
        "charts.html",
        "Share of each op type in one inference, with op profiling on. A delegate's partition is one block.",
        charts=found,
        empty=None if found else "No op profile was taken: set profile = true in [measure].",
    )


def problems(results: Results) -> Section:
    trials = results.trials
    failed = trials[trials["status"] != "ok"]
    grouped = failed.fillna({"error": "no reason recorded", "remedy": ""}).groupby(
        ["case", "error", "remedy"], sort=False
    )
    failures = [
        {
            "case": case,
            "error": error,
            "remedy": remedy,
            "launches": len(group),
            "logs": list(group["log"].dropna())[:3],
        }
        for (case, error, remedy), group in grouped
    ]
    skips = [skip for run in results.runs for skip in run.manifest["skips"]]
    unreached = [
        {"name": device.get("name"), "error": device["error"]}
        for run in results.runs
        for device in run.manifest["devices"]
        if device.get("error")
    ]
    left = [(run.name, len(run.manifest["trials"]) - len(run.outcomes)) for run in results.runs]
    content = {
        "failures": failures,
        "skips": skips,
        "unreached": unreached,
        "left": [(name, count) for name, count in left if count > 0],
    }
    empty = None if any(content.values()) else "Nothing failed, and nothing was skipped."
    return Section("problems", "Failures and skips", "problems.html", content=content, empty=empty)


def conditions(results: Results) -> Section:
    columns = {"temperature_before_c": "temperature before, °C", "load_before": "load before (1 min)"}
    found = [
        chart
        for place, trials in results.trials.groupby("place", sort=False)
        for column, title in columns.items()
        if (chart := charts.conditions(str(place), trials, column, title))
    ]
    return Section(
        "conditions",
        "Conditions",
        "charts.html",
        "What each device went through in the order of its trials. A red triangle is a trial with a throttle flag; "
        "throttled and hot trials are left out of headline numbers.",
        charts=found,
        empty=None if found else "No conditions were recorded.",
    )


def provenance(results: Results) -> Section:
    runs = []
    for run in results.runs:
        m = run.manifest
        facts = {"run": run.id, "created": m["created"], "benchbench": m["benchbench"], "seed": m["seed"]}
        facts |= {f"host: {key}": value for key, value in m["host"].items()} | dict(m["versions"])
        methods = run.trials["percentile_method"].dropna().unique() if len(run.trials) else ()
        facts["percentile method"] = ", ".join(methods) or None
        files = [
            (v.get("family"), v.get("name"), v.get("scheme"), v.get("size_mb"), v.get("sha256")) for v in m["variants"]
        ]
        tools = [(t.get("name"), t.get("version"), t.get("sha256")) for t in m["tools"]]
        runs.append(
            {
                "name": run.name,
                "facts": {key: value for key, value in facts.items() if value is not None},
                "files": files,
                "tools": tools,
                "matrix": json.dumps({"matrix": m["matrix"], "measure": m["measure"]}, indent=2, ensure_ascii=False),
                "notes": [
                    note if isinstance(note, str) else json.dumps(note, ensure_ascii=False) for note in m["notes"]
                ],
            }
        )
    return Section("provenance", "Provenance", "provenance.html", content={"runs": runs})


SECTIONS: tuple[Callable[[Results], Section], ...] = (
    summary,
    devices,
    latency,
    cases,
    accuracy,
    threads,
    phases,
    memory,
    profile,
    problems,
    conditions,
    provenance,
)


def _nothing(results: Results) -> str | None:
    return None if len(results.cases) else "Nothing was measured: no trial has an outcome yet."


def _facts(device: Mapping[str, Any]) -> dict[str, str]:
    """A device's traits in words; what the device does not say is left out."""
    traits = device.get("traits") or {}
    clusters = [
        f"{len(c.get('cores') or ())} × {c['max_mhz'] / 1000:.2g} GHz"
        if c.get("max_mhz")
        else f"{len(c.get('cores') or ())}"
        for c in traits.get("clusters") or []
    ]
    system = " ".join(str(traits[key]) for key in ("os", "os_version") if traits.get(key))
    facts = {
        "reached": device.get("reached"),
        "model": traits.get("model"),
        "SoC": traits.get("soc"),
        "system": system + (f" (SDK {traits['sdk']})" if traits.get("sdk") else ""),
        "ABI": traits.get("abi"),
        "cores": " + ".join(clusters),
        "memory": f"{traits['memory_mb'] / 1024:.1f} GB" if traits.get("memory_mb") else None,
        "runner": device.get("runner"),
        "runtime": traits.get("runtime"),
        "accelerators": ", ".join(traits.get("accelerators") or []),
        "tool sha256": device.get("tool_sha256"),
    }
    return {name: str(value) for name, value in facts.items() if value}


def _case(row: pd.Series, peaks: Sequence[str], shared: Sequence[Doubt]) -> dict[str, Any]:
    symbol, word = BADGES.get(row["verdict"], BADGES["unknown"])
    if row["status"] != "ok" and row["verdict"] in {"full", "partial", "unknown"}:
        symbol, word = "–", "no result"
    taken, total = row["nodes_delegated"], row["nodes_total"]
    nodes = f" {taken}/{total}" if row["verdict"] == "partial" and not pd.isna(taken) and not pd.isna(total) else ""
    return {
        "place": row["place"],
        "family": row["family"],
        "variant": row["variant"],
        "scheme": _text(row["scheme"]),
        "asked": row["delegate"] or "–",
        "ran": _text(row["executor"]) or row["status"],
        "elsewhere": row["verdict"] in {"none", "unavailable", "mixed"},
        "verdict": row["verdict"],
        "badge": (symbol, word + nodes),
        "evidence": _text(row["evidence"]),
        "threads": None if pd.isna(row["threads"]) else int(row["threads"]),
        "affinity": _text(row["affinity"]),
        "headline": bool(row["headline"]),
        "why": missing(row),
        "median": _number(row["median_ms"]),
        "low": _number(row["low_ms"]),
        "high": _number(row["high_ms"]),
        "init": _number(row["init_ms"]),
        "first": _number(row["first_ms"]),
        "cv": _number(row["between_cv"]),
        "within": _number(row["within_cv"]),
        "size": _number(row["size_mb"]),
        "memory": [_number(row[kind]) for kind in peaks],
        "launches": (int(row["launches"]), int(row["launches_all"])),
        "doubts": [doubt for doubt in row["doubts"] if doubt not in shared],
    }


def _tradeoff(row: pd.Series) -> dict[str, Any]:
    numbers = ("median_ms", "speedup", "speedup_low", "speedup_high", "smaller", "accuracy")
    changes = ("accuracy_change", "accuracy_change_low", "accuracy_change_high")
    names = {key: row[key] for key in ("place", "variant", "delegate", "threads", "speedup_verdict", "pareto")}
    return names | {key: _number(row[key]) for key in (*numbers, *changes)}


def _number(value: Any) -> float | None:
    return None if pd.isna(value) or math.isinf(value) else float(value)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
