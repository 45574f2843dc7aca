"""Several runs side by side: what became of each case in the last one."""

from __future__ import annotations

from typing import Any

import pandas as pd

from benchbench.analysis.comparison_text import about_sides, in_short, why_in_words
from benchbench.analysis.history import LEAST_RUNS, changes, read_history
from benchbench.report.comparison import Comparison
from benchbench.report.results import Results
from benchbench.report.sections.base import Section
from benchbench.values import formatting


def section(results: Results) -> Section | None:
    """None where there is nothing to compare."""
    found = results.comparison
    if found is None:
        return None
    content = {
        "steps": _steps(results),
        "rows": [_row(row, found) for _, row in found.frame.iterrows()],
        "changes": [
            *(str(change) for change in found.changes if change.verdict in {"better", "worse"}),
            *about_sides(found.frame),
        ],
        "short": in_short(found.frame, found.changes, found.failing),
        "statistic": formatting.statistic_title(found.frame["statistic"]).capitalize(),
    }
    return Section("comparison", "Runs compared", "comparison.html", _about(results, found), content, ("comparison",))


def _about(results: Results, found: Comparison) -> str:
    named = [results.labels[run.id] for run in found.bases]
    base = f"the base is {named[0]}" if len(named) == 1 else f"the base is {len(named)} runs, {named[0]} to {named[-1]}"
    return f"Each case in {results.labels[found.new.id]}; {base}. A ratio below 1 is faster."


def _steps(results: Results) -> list[str]:
    """Since which run the latency of a case is another, over so many runs that this can be told."""
    if len(results.runs) < 2 * LEAST_RUNS:
        return []
    folders = [run.folder.name for run in results.runs]
    named = {run.folder.name: results.labels[run.id] for run in results.runs if folders.count(run.folder.name) == 1}
    told = []
    for change in changes(read_history([run.folder for run in results.runs])):
        before, after = formatting.time(change.before_ms), formatting.time(change.after_ms)
        reasons = "".join(f"; {what} {was} → {now}" for what, was, now in change.reasons)
        since = named.get(change.folder) or change.started[:16].replace("T", " ")
        told.append(f"{change.case}: {before} → {after} since {since}{reasons}")
    return told


def _row(row: pd.Series, found: Comparison) -> dict[str, Any]:
    case = row["case"]
    known = formatting.known(row["ratio_low"])
    return {
        "case": case,
        "facets": {name: row[name] for name in ("device", "family", "variant", "delegate")},
        "base": float(row["base_ms"]),
        "new": float(row["new_ms"]),
        "ratio": float(row["ratio"]),
        "ratio_text": _ratio(row["ratio"]),
        "interval": f"{_ratio(row['ratio_low'])} – {_ratio(row['ratio_high'])}" if known else "",
        "verdict": row["verdict"],
        "fails": case in found.failing,
        "why": why_in_words(row, found.failing),
    }


def _ratio(value: float) -> str:
    """With a digit more than other ratios, as the terminal and report.md have it: changes of two runs are small."""
    return f"{formatting.number(value, 4)}×"
