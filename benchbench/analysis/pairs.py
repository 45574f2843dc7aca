"""Whether a case of two runs may be compared, and why not: what was measured, what is lost, and what is another."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pandas as pd

from benchbench.analysis.comparison_doubts import other_model, other_tool
from benchbench.analysis.doubts import DOUBT_OF
from benchbench.analysis.familywise import LEVEL, LEVEL_BY_NEED
from benchbench.analysis.rows import Row

_TRIED = frozenset(("ok", "failed", "incomplete"))


def tried(row: pd.Series | None) -> bool:
    return row is not None and row["status"] in _TRIED


def measured(row: pd.Series | None) -> bool:
    return row is not None and row["status"] == "ok"


def lost(base: pd.Series, new: pd.Series) -> str:
    """What the new run does not do any more that the base did; "" where nothing is lost."""
    if not measured(new):
        return f"fails now: {text(new['error']) or 'no reason recorded'}"
    lesser = {"full": {"partial", "none", "unavailable", "mixed"}, "partial": {"none", "unavailable", "mixed"}}
    if new["verdict"] in lesser.get(base["verdict"], ()):
        return f"delegation was {base['verdict']}, is {new['verdict']}: ran on {new['executor']}"
    return ""


def incomparable(base: pd.Series, new: pd.Series) -> str:
    """Why two numbers must not be compared; "" where they may."""
    if base["executor"] != new["executor"]:
        return f"base ran on {base['executor']}, new on {new['executor']}"
    for name, row in (("base", base), ("new", new)):
        if not row["headline"]:
            return f"the {name} number is no headline number: {_no_headline(row)}"
    if not (base["samples_ms"] and new["samples_ms"]):
        return "there is no statistic of a launch that both sides have"
    return ""


def unlike(base: pd.Series | None, new: pd.Series) -> str:
    """Why a base run says nothing of a case that the new run measured; "" where it does."""
    if base is None or not measured(base):
        return "it has no number of them"
    return incomparable(base, new) or another(base, new)


def another(base: pd.Series, new: pd.Series) -> str:
    """By which other tool, model file or inputs a case was measured; "" by the same."""
    if tool := other_tool(base, new):
        return f"{tool.kind}: {tool.text}"
    model = other_model(base, new)
    return model.kind if model else ""


def level_of(rows: Iterable[Row]) -> float:
    """The level at which these cases are compared: a stricter one where rounds of any of them went by need."""
    return LEVEL_BY_NEED if any(row["stopped"] for row in rows) else LEVEL


def text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _no_headline(row: pd.Series) -> str:
    if row["verdict"] in {"full", "partial"}:
        told = next(
            (doubt.text for doubt in row["doubts"] if doubt.kind in DOUBT_OF.values()), "launches were disturbed"
        )
        return told.partition(";")[0]
    return "nothing says what ran" if row["verdict"] == "unknown" else f"delegation {row['verdict']}"
