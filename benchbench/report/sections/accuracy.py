"""Speed against accuracy, and what each variant gains and costs."""

from __future__ import annotations

import re
from typing import Any

import pandas as pd

from benchbench.analysis.formatting import LIKENESS, METRICS, describe, measured, quality
from benchbench.report import charts
from benchbench.report.results import Panel, Results
from benchbench.report.sections.base import Section, intervals
from benchbench.report.sections.cells import number, text
from benchbench.values import formatting
from benchbench.values.formatting import points
from benchbench.values.quantities import of_group, quantity
from benchbench.values.quantity import Quantity

_NO_OUTPUTS = "No outputs were compared: give the model a dataset in the matrix."
_LIKENESS = tuple(quantity(f"accuracy_{name}") for name in ("agreement", "cosine", "sqnr_db"))
_MEMORY = tuple(one for one in (*of_group("added"), *of_group("memory")) if one.heading)
_OUTPUT = re.compile(r"output (['\"]).*?\1: ")


def section(results: Results) -> Section:
    found = [chart for panel in results.panels if (chart := charts.accuracy(results, panel))]
    tables = [table for panel in results.panels if (table := _table(results, panel))]
    metrics = list(results.tradeoffs["metric"])
    none = "" if any(isinstance(metric, str) for metric in metrics) else _NO_OUTPUTS
    return Section(
        "accuracy",
        f"Speed against {quality(metrics)}",
        "accuracy.html",
        "On the path that was timed: same variant, delegate and device. Brackets of a time are its "
        f"interval ({intervals(results)}), of ratios and shares 95 % intervals; “cannot tell”: "
        "the launches are too few, or vary too much, to say which is faster." + (f" {none}" if none else ""),
        content={"tables": tables},
        charts=found,
        empty=None if tables else none or "There is nothing to compare with one another.",
    )


def _table(results: Results, panel: Panel) -> dict[str, Any] | None:
    """The table of one panel: what it is about, which columns it has, and its rows; None with nothing to compare."""
    table = results.tradeoffs_of(panel)
    metric = table["metric"].iloc[0] if len(table) else None
    if metric is None and (len(table) < 2 or table["over_best"].isna().all()):
        return None
    memory = next((kind for kind in _MEMORY if table[kind.case_column].notna().any()), None)
    base = table[table["case"].isin(table["accuracy_base"].dropna())]
    rows = [_row(row, memory) for _, row in table.iterrows()]
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


def _row(row: pd.Series, memory: Quantity | None) -> dict[str, Any]:
    """A row of `tradeoffs`; `memory` is the one kind of memory that is shown."""
    numbers = ("median_ms", "low_ms", "high_ms", "size_mb", "smaller")
    flags = _terse(text(row.get("accuracy_flags")))
    return {
        **{key: number(row[key]) for key in numbers},
        "variant": row["variant"],
        "scheme": text(row["scheme"]),
        "delegate": row["delegate"],
        "threads": None if pd.isna(row["threads"]) else int(row["threads"]),
        "affinity": text(row["affinity"]),
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
        "memory": None if memory is None else memory.cell(number(row[memory.case_column])),
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
    value, low, high = (number(row[f"{name}{end}"]) for end in ("", "_low", "_high"))
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
