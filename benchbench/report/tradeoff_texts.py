"""What a case gains and costs, in the words of a table's cells; None where there is nothing to say."""

from __future__ import annotations

import re
from typing import Any

import pandas as pd

from benchbench.analysis.formatting import LIKENESS, METRICS, measured, samples
from benchbench.analysis.rows import Row
from benchbench.values import formatting
from benchbench.values.formatting import points

_OUTPUT = re.compile(r"output (['\"]).*?\1: ")


def tradeoff_texts(row: Row) -> dict[str, str | None]:
    """The cells of a row of `tradeoffs`."""
    metric = row["metric"]
    known = metric is not None and not pd.isna(row["accuracy"])
    return {
        "speedup_text": _gain(row, "speedup", "float32"),
        "over_best_text": _gain(row, "over_best", "best_float"),
        "change_text": _change(row),
        "smaller_text": _smaller(row["smaller"]),
        "metric_name": METRICS[metric].label if metric else None,
        "measured": measured(row) if known else None,
        "samples_text": samples(row) if known else None,
        "kin": _kin(row),
        "flags": _flags(row),
    }


def _gain(row: Row, name: str, base: str) -> str | None:
    """How many times faster than the case in `base`; None where there is no such case."""
    value, low, high = (row[f"{name}{end}"] for end in ("", "_low", "_high"))
    if pd.isna(value):
        return None
    if row["case"] == row[base]:
        return "baseline"
    verdict = row[f"{name}_verdict"]
    words = {"cannot tell": "cannot tell ", "same": "same ", "seems faster": "≈ ", "seems slower": "≈ "}
    said = words.get(verdict, "")
    ends = "" if pd.isna(low) else f" [{formatting.ratio_number(low)}, {formatting.ratio_number(high)}]"
    return f"{said}{formatting.ratio(value)}{ends}"


def _change(row: Row) -> str | None:
    """The change of accuracy in points: with its interval, or else whole points; None where it is none of points."""
    low, high = row["accuracy_change_low"], row["accuracy_change_high"]
    if pd.isna(row["accuracy_change"]) or row["metric"] in LIKENESS:
        return None
    if row["case"] == row["accuracy_base"]:
        return "baseline"
    if pd.isna(low):
        return f"≈ {round(100 * row['accuracy_change']):+d}".replace("-", "−")
    return f"{points(row['accuracy_change'])} [{points(low)}, {points(high)}]"


def _smaller(ratio: float) -> str | None:
    return None if pd.isna(ratio) or 0.95 <= ratio <= 1.05 else formatting.factor(ratio, "smaller", "larger")


def _kin(row: Row) -> str | None:
    """What is said of a file that is not simply the family's network in another scheme."""
    if row["network"]:
        return f"not compared: {row['because']}"
    return f"{row['relation']}: {row['because']}" if row["relation"] != "same" else None


def _flags(row: Row) -> str | None:
    """What is odd with the outputs, without the output's name where all is about one."""
    said: Any = row.get("accuracy_flags")
    if not isinstance(said, str) or not said:
        return "its outputs are wrong" if row["broken"] else None
    parts = said.split("; ")
    names = [found.group() if (found := _OUTPUT.match(part)) else "" for part in parts]
    return "; ".join(part.removeprefix(names[0]) for part in parts) if len(set(names)) == 1 else said
