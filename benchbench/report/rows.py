"""Rows and cards for the templates: a device's facts, a case, a trade-off, as plain values."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from benchbench.doubts import Doubt
from benchbench.report.results import missing

# Symbol and word, so that a verdict can be read without its colour.
BADGES = {
    "full": ("●", "full"),
    "partial": ("◐", "partial"),
    "none": ("○", "none"),
    "unavailable": ("✕", "unavailable"),
    "unknown": ("?", "unconfirmed"),
    "mixed": ("◩", "mixed"),
}


def facts(device: Mapping[str, Any]) -> dict[str, str]:
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


def case_row(row: pd.Series, peaks: Sequence[str], shared: Sequence[Doubt]) -> dict[str, Any]:
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


def tradeoff_row(row: pd.Series) -> dict[str, Any]:
    numbers = ("median_ms", "speedup", "speedup_low", "speedup_high", "smaller", "accuracy")
    changes = ("accuracy_change", "accuracy_change_low", "accuracy_change_high")
    names = {key: row[key] for key in ("place", "variant", "delegate", "threads", "speedup_verdict", "pareto")}
    return names | {key: _number(row[key]) for key in (*numbers, *changes)}


def _number(value: Any) -> float | None:
    return None if pd.isna(value) or math.isinf(value) else float(value)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
