"""Rows and cards for the templates: a device's facts, a case, a trade-off, as plain values."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from benchbench.analysis.doubts import Doubt
from benchbench.analysis.formatting import LIKENESS, METRICS, describe, measured, quality
from benchbench.analysis.tradeoffs import is_broken
from benchbench.report.results import Panel, Results, missing
from benchbench.values import formatting
from benchbench.values.formatting import number, points
from benchbench.values.quantities import of_group, quantity
from benchbench.values.quantity import Quantity

# Symbol and word, so that a verdict can be read without its colour.
BADGES = {
    "full": ("●", "full"),
    "partial": ("◐", "partial"),
    "none": ("○", "none"),
    "unavailable": ("✕", "unavailable"),
    "unknown": ("?", "unconfirmed"),
    "mixed": ("◩", "mixed"),
}
_OUTPUT = re.compile(r"output (['\"]).*?\1: ")
_LIKENESS = tuple(quantity(f"accuracy_{name}") for name in ("agreement", "cosine", "sqnr_db"))
_MEMORY = tuple(one for one in (*of_group("added"), *of_group("memory")) if one.heading)


def facts(device: Mapping[str, Any]) -> dict[str, str]:
    """A device's traits in words; what the device does not say is left out."""
    traits = device.get("traits") or {}
    clusters = [
        f"{len(c.get('cores') or ())} × {number(c['max_mhz'] / 1000, 2)} GHz"
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


def case_row(row: pd.Series, headed: Sequence[Quantity], shared: Sequence[Doubt]) -> dict[str, Any]:
    symbol, word = BADGES.get(row["verdict"], BADGES["unknown"])
    if row["status"] != "ok" and row["verdict"] in {"full", "partial", "unknown"}:
        symbol, word = "–", row["status"] if row["launches_all"] == 0 else "no result"
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
        "evidence": _text(row["evidence"]) or (_text(row["error"]) if row["status"] != "ok" else ""),
        "threads": None if pd.isna(row["threads"]) else int(row["threads"]),
        "affinity": _text(row["affinity"]),
        "headline": bool(row["headline"]),
        "why": missing(row),
        "broken": is_broken(row),
        "median": _number(row["median_ms"]),
        "statistic": _text(row["statistic"]),
        "low": _number(row["low_ms"]),
        "high": _number(row["high_ms"]),
        "interval": formatting.interval_name(int(row["launches"])),
        "cv": _number(row["between_cv"]),
        "within": _number(row["within_cv"]),
        "cells": [(value := _number(row[one.case_column]), one.cell(value)) for one in headed],
        "launches": (int(row["launches"]), int(row["launches_all"])),
        "doubts": [doubt for doubt in row["doubts"] if doubt.kind not in {one.kind for one in shared}],
        "words": _filter_words(row),
    }


def _filter_words(row: pd.Series) -> str:
    """What the filter of the table looks in: what was asked for and what mainly ran, but not what ran the rest."""
    ran = re.split(r"[,(?]", _text(row["executor"]))[0].strip()
    threads = "" if pd.isna(row["threads"]) else f"t{int(row['threads'])}"
    named = (row[key] for key in ("place", "family", "variant", "scheme", "delegate", "verdict", "status", "affinity"))
    kinds = (doubt.kind for doubt in row["doubts"])
    return " ".join(filter(None, (*map(_text, named), ran, threads, *kinds))).lower()


def tradeoff_table(results: Results, panel: Panel) -> dict[str, Any] | None:
    """The table of one panel: what it is about, which columns it has, and its rows; None with nothing to compare."""
    table = results.tradeoffs_of(panel)
    metric = table["metric"].iloc[0] if len(table) else None
    if metric is None and (len(table) < 2 or table["over_best"].isna().all()):
        return None
    memory = next((kind for kind in _MEMORY if table[kind.case_column].notna().any()), None)
    base = table[table["case"].isin(table["accuracy_base"].dropna())]
    rows = [_tradeoff_row(row, memory) for _, row in table.iterrows()]
    counts = sorted({int(n) for n in table["accuracy_n"].dropna()})
    return {
        "title": panel.title,
        "statistic": formatting.statistic_title(table["statistic"]).capitalize(),
        "metric": METRICS[metric].title if metric else None,
        "quality": quality([metric]).capitalize(),
        "changes": metric is not None and metric not in LIKENESS,
        "base": describe(base.iloc[0]) if len(base) else None,
        "samples": " or ".join(f"{n:,}" for n in counts),
        "likeness": [
            one.column_title
            for one in _LIKENESS
            if one.name != metric and any(row["likeness"][one.column_title] for row in rows)
        ],
        "memory": memory.about if memory else None,
        "rows": rows,
    }


def _tradeoff_row(row: pd.Series, memory: Quantity | None) -> dict[str, Any]:
    """A row of `tradeoffs`; `memory` is the one kind of memory that is shown."""
    numbers = ("median_ms", "low_ms", "high_ms", "size_mb", "smaller")
    flags = _terse(_text(row.get("accuracy_flags")))
    return {
        **{key: _number(row[key]) for key in numbers},
        "variant": row["variant"],
        "scheme": _text(row["scheme"]),
        "delegate": row["delegate"],
        "threads": None if pd.isna(row["threads"]) else int(row["threads"]),
        "affinity": _text(row["affinity"]),
        "partial": row["verdict"] == "partial",
        "kin": _kin(row),
        "pareto": bool(row["pareto"]),
        "broken": bool(row["broken"]),
        "flags": flags or ("its outputs are wrong" if row["broken"] else ""),
        "gains": [_gain(row, "speedup", "float32"), _gain(row, "over_best", "best_float")],
        "accuracy": None if pd.isna(row["accuracy"]) else measured(row),
        "change": _change(row),
        "likeness": {
            one.column_title: None if pd.isna(row[one.name]) else one.cell(row[one.name]) for one in _LIKENESS
        },
        "memory": None if memory is None else memory.cell(_number(row[memory.case_column])),
    }


def _kin(row: pd.Series) -> str:
    """What is said of a file that is not simply the family's network in another scheme."""
    if row["network"]:
        return f"not compared: {row['because']}"
    return f"{row['relation']}: {row['because']}" if row["relation"] != "same" else ""


def _terse(flags: str) -> str:
    """Flags without the output's name where they are all about one output."""
    parts = flags.split("; ")
    names = [found.group() if (found := _OUTPUT.match(part)) else "" for part in parts]
    return "; ".join(part.removeprefix(names[0]) for part in parts) if len(set(names)) == 1 else flags


def _gain(row: pd.Series, name: str, base: str) -> dict[str, Any] | None:
    """How many times faster than the case in `base`; None where there is no such case."""
    value, low, high = (_number(row[f"{name}{end}"]) for end in ("", "_low", "_high"))
    if value is None:
        return None
    return {
        "value": value,
        "low": low,
        "high": high,
        "verdict": row[f"{name}_verdict"],
        "own": row["case"] == row[base],
    }


def _change(row: pd.Series) -> str | None:
    """The change of accuracy in points: with its interval, or else whole points; None where it is none of points."""
    low, high = row["accuracy_change_low"], row["accuracy_change_high"]
    if pd.isna(row["accuracy_change"]) or row["metric"] in LIKENESS:
        return None
    if row["case"] == row["accuracy_base"]:
        return "baseline"
    if pd.isna(low):
        return f"≈ {round(100 * row['accuracy_change']):+d}".replace("-", "−")
    return f"{points(row['accuracy_change'])} [{points(low)}, {points(high)}]"


def _number(value: Any) -> float | None:
    return None if pd.isna(value) or math.isinf(value) else float(value)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
