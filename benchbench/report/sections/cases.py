"""The table of all cases."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import pandas as pd

from benchbench.analysis.doubts import Doubt
from benchbench.analysis.tradeoffs import is_broken
from benchbench.report.results import Results, missing
from benchbench.report.sections.base import Section, nothing, shared_doubts, statistic
from benchbench.report.sections.cells import number, text
from benchbench.values import formatting
from benchbench.values.quantities import PER_LAUNCH
from benchbench.values.quantity import Quantity

# Symbol and word, so that a verdict can be read without its colour.
_BADGES = {
    "full": ("●", "full"),
    "partial": ("◐", "partial"),
    "none": ("○", "none"),
    "unavailable": ("✕", "unavailable"),
    "unknown": ("?", "unconfirmed"),
    "mixed": ("◩", "mixed"),
}


def section(results: Results) -> Section:
    shared = shared_doubts(results)
    frame = results.cases
    headed = [one for one in PER_LAUNCH if one.heading and one.case and frame[one.case_column].notna().any()]
    rows = [_row(row, headed, shared.get(row["place"], ())) for _, row in frame.iterrows()]
    content = {
        "rows": rows,
        "statistic": formatting.statistic_title(frame["statistic"]).capitalize(),
        "interval": formatting.interval_title(frame["launches"]).capitalize(),
        "quantities": headed,
    }
    return Section(
        "cases",
        "All cases",
        "cases.html",
        f"One row a case. A latency is the {statistic(results)}. A number in parentheses is no number of the delegate "
        "that was asked for.",
        content=content,
        empty=nothing(results),
    )


def _row(row: pd.Series, headed: Sequence[Quantity], shared: Sequence[Doubt]) -> dict[str, Any]:
    symbol, word = _BADGES.get(row["verdict"], _BADGES["unknown"])
    if row["status"] != "ok" and row["verdict"] in {"full", "partial", "unknown"}:
        symbol, word = "–", row["status"] if row["launches_all"] == 0 else "no result"
    taken, total = row["nodes_delegated"], row["nodes_total"]
    nodes = f" {taken}/{total}" if row["verdict"] == "partial" and not pd.isna(taken) and not pd.isna(total) else ""
    return {
        "place": row["place"],
        "family": row["family"],
        "variant": row["variant"],
        "scheme": text(row["scheme"]),
        "asked": row["delegate"] or "–",
        "ran": text(row["executor"]) or row["status"],
        "elsewhere": row["verdict"] in {"none", "unavailable", "mixed"},
        "verdict": row["verdict"],
        "badge": (symbol, word + nodes),
        "evidence": text(row["evidence"]) or (text(row["error"]) if row["status"] != "ok" else ""),
        "threads": None if pd.isna(row["threads"]) else int(row["threads"]),
        "affinity": text(row["affinity"]),
        "headline": bool(row["headline"]),
        "why": missing(row),
        "broken": is_broken(row),
        "median": number(row["median_ms"]),
        "statistic": text(row["statistic"]),
        "low": number(row["low_ms"]),
        "high": number(row["high_ms"]),
        "interval": formatting.interval_name(int(row["launches"])),
        "cv": number(row["between_cv"]),
        "within": number(row["within_cv"]),
        "cells": [(value := number(row[one.case_column]), one.cell(value)) for one in headed],
        "launches": (int(row["launches"]), int(row["launches_all"])),
        "stopped": text(row["stopped"]),
        "doubts": [doubt for doubt in row["doubts"] if doubt.kind not in {one.kind for one in shared}],
        "words": _filter_words(row),
    }


def _filter_words(row: pd.Series) -> str:
    """What the filter of the table looks in: what was asked for and what mainly ran, but not what ran the rest."""
    ran = re.split(r"[,(?]", text(row["executor"]))[0].strip()
    threads = "" if pd.isna(row["threads"]) else f"t{int(row['threads'])}"
    named = (row[key] for key in ("place", "family", "variant", "scheme", "delegate", "verdict", "status", "affinity"))
    kinds = (doubt.kind for doubt in row["doubts"])
    return " ".join(filter(None, (*map(text, named), ran, threads, *kinds))).lower()
