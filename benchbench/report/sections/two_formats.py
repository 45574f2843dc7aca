"""One network in both formats, side by side: each on the fastest CPU path of its runtime."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from benchbench.analysis.formatting import METRICS, measured, shorten
from benchbench.analysis.rows import Row, rows_of
from benchbench.analysis.tradeoffs import CELL
from benchbench.analysis.two_formats import Pair, pairs_of
from benchbench.report.results import Results
from benchbench.report.sections.base import Section, intervals, statistic
from benchbench.runtimes import runtime_of_backend
from benchbench.values import formatting
from benchbench.values.quantities import case_quantity

COLUMNS = ("init_ms", "added_mb", "size_mb")  # beside latency


def section(results: Results) -> Section | None:
    """None where no model has files of one scheme in two formats that ran on a device's CPU."""
    pairs = pairs_of(results.cases)
    if not pairs:
        return None
    scores = {tuple(row[name] for name in CELL): row for row in rows_of(results.tradeoffs)}
    content = {
        "interval": formatting.interval_title(
            int(side["launches"]) for pair in pairs for side in (pair.base, pair.new)
        ),
        "statistic": formatting.statistic_title(results.cases["statistic"]).capitalize(),
        "headings": [case_quantity(name).column_title for name in COLUMNS],
        "pairs": [_pair(results, pair, scores) for pair in pairs],
    }
    about = (
        "Files of one scheme in both formats, each on the fastest CPU path that was measured of its runtime, with the "
        f"same threads on the same device. Latency is the {statistic(results)} ({intervals(results)}); the ratios have "
        "95 % intervals, and are believed only with all of them in view."
    )
    return Section("formats", "The same network in both formats", "two_formats.html", about, content)


def _pair(results: Results, pair: Pair, scores: Mapping[tuple[Any, ...], Row]) -> dict[str, Any]:
    row = pair.base
    threads: str = "" if pd.isna(row["threads"]) else formatting.counted(int(row["threads"]), "thread")
    pinned = f"cores {row['affinity']}" if isinstance(row["affinity"], str) else ""
    named = (results.place(row["run"], row["device"]), shorten(row["family"]), row["scheme"], threads, pinned)
    return {
        "title": " · ".join(filter(None, named)),
        "told": _told(pair),
        "ratio": formatting.ratio(pair.speed.value),
        "sides": [_side(side, scores) for side in (pair.base, pair.new)],
    }


def _told(pair: Pair) -> str:
    """Which is faster, in words that claim no more than the verdict does."""
    base, new = (runtime_of_backend(str(side["kind"])).title for side in (pair.base, pair.new))
    value, interval = pair.speed.value, pair.speed.interval
    if interval is None:
        return f"{new} takes {formatting.ratio(value)} the time of {base}: too few launches to tell them apart"
    ends = f"[{formatting.ratio_number(interval.low)}, {formatting.ratio_number(interval.high)}]"
    match pair.speed.verdict:
        case "faster":
            ends = f"[{formatting.ratio_number(1 / interval.high)}, {formatting.ratio_number(1 / interval.low)}]"
            return f"{new} is {formatting.ratio(1 / value)} {ends} faster than {base}"
        case "slower":
            return f"{new} is {formatting.ratio(value)} {ends} slower than {base}"
        case "same":
            return f"{new} is as fast as {base}: {formatting.ratio(value)} {ends} its time"
        case _:
            return f"{new} takes {formatting.ratio(value)} {ends} the time of {base}: not to be told apart"


def _side(row: Row, scores: Mapping[tuple[Any, ...], Row]) -> dict[str, Any]:
    score = scores.get(tuple(row[name] for name in CELL))
    known = score is not None and not pd.isna(score["accuracy"])
    return {
        "variant": row["variant"],
        "runtime": runtime_of_backend(str(row["kind"])).title,
        "executor": row["executor"],
        "delegation": _delegation(row),
        "median": formatting.time(row["median_ms"]),
        "ends": formatting.interval(row["low_ms"], row["high_ms"]),
        "numbers": [
            formatting.NOTHING if pd.isna(row[name]) else case_quantity(name).cell(float(row[name])) for name in COLUMNS
        ],
        "accuracy": f"{METRICS[score['metric']].label} {measured(score)}" if known and score else formatting.NOTHING,
        "tool": row["tool"] if isinstance(row["tool"], str) else formatting.NOTHING,
    }


def _delegation(row: Row) -> str:
    """The verdict, with how many nodes were taken where it is known and not all."""
    taken, total = row["nodes_delegated"], row["nodes_total"]
    counted = row["verdict"] == "partial" and not pd.isna(taken) and not pd.isna(total)
    return f"{row['verdict']}, {int(taken)} of {int(total)} nodes" if counted else str(row["verdict"])
