"""Two runs, case by case: what got faster, slower, or cannot be told; and what is to fail a build."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from benchbench.frames import Run
from benchbench.statistics import compare as compare_times

_IDENTITY = ("case", "device", "family", "variant", "delegate", "threads")
_NUMBERS = ("base_ms", "new_ms", "ratio", "ratio_low", "ratio_high", "p")
_COLUMNS = (*_IDENTITY, *_NUMBERS, "verdict", "why", "regressed", "doubts")


def compare(base: Run, new: Run, *, same_within: float = 0.03) -> pd.DataFrame:
    """One row per case of either run. ratio = new / base of the medians with its 95 % interval (ratio_low, ratio_high).

    verdict: faster, slower, same, cannot tell, only in base, only in new; `why` says why it cannot be told. Times are
    compared only where both numbers are headline numbers of the same executor; another model file or tool is a doubt.
    """
    old, now = _by_case(base), _by_case(new)
    rows = [_row(old.get(case), now.get(case), same_within) for case in dict.fromkeys([*old, *now])]
    return pd.DataFrame(rows, columns=list(_COLUMNS))


def regressions(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows that must fail a build: slower, or a number that was there and is not any more. Empty = exit code 0."""
    return frame[frame["regressed"]]


def _by_case(run: Run) -> dict[str, pd.Series]:
    return {str(row["case"]): row for _, row in run.cases.iterrows()}


def _row(base: pd.Series | None, new: pd.Series | None, same_within: float) -> dict[str, Any]:
    known = next(row for row in (new, base) if row is not None)
    row: dict[str, Any] = {key: known[key] for key in _IDENTITY}
    row |= {
        "base_ms": _median(base),
        "new_ms": _median(new),
        "ratio": math.nan,
        "ratio_low": math.nan,
        "ratio_high": math.nan,
    }
    row |= {"p": math.nan, "why": "", "regressed": False, "doubts": _doubts(base, new)}
    if base is None or new is None:
        return row | {"verdict": "only in new" if base is None else "only in base"}
    lost = _lost(base, new)
    if lost or (why := _incomparable(base, new)):
        return row | {"verdict": "cannot tell", "why": lost or why, "regressed": bool(lost)}
    found = compare_times(base["samples_ms"], new["samples_ms"], same_within=same_within)
    low, high = found.interval or (math.nan, math.nan)
    return row | {
        "ratio": found.value,
        "ratio_low": low,
        "ratio_high": high,
        "p": math.nan if found.p is None else found.p,
        "verdict": found.verdict,
        "why": _uncertain(base, new, found.interval is None) if found.verdict == "cannot tell" else "",
        "regressed": found.verdict == "slower",
    }


def _lost(base: pd.Series, new: pd.Series) -> str:
    """What the new run does not do any more that the base did; "" where nothing is lost."""
    if base["status"] == "ok" and new["status"] != "ok":
        return f"fails now: {new['error']}" if isinstance(new["error"], str) else "fails now"
    if base["verdict"] == "full" and new["verdict"] in {"partial", "none", "unavailable", "mixed"}:
        return f"delegation was {base['verdict']}, is {new['verdict']}: ran on {new['executor']}"
    if base["verdict"] == "partial" and new["verdict"] in {"none", "unavailable", "mixed"}:
        return f"delegation was {base['verdict']}, is {new['verdict']}: ran on {new['executor']}"
    return ""


def _incomparable(base: pd.Series, new: pd.Series) -> str:
    """Why two numbers must not be compared; "" where they may."""
    if base["status"] != "ok":
        return "the base has no number"
    if base["executor"] != new["executor"]:
        return f"base ran on {base['executor']}, new on {new['executor']}"
    for name, row in (("base", base), ("new", new)):
        if not row["headline"]:
            return f"the {name} number is no headline number: {row['verdict']}, or disturbed"
    return ""


def _uncertain(base: pd.Series, new: pd.Series, few: bool) -> str:
    if few:
        return f"{base['launches']} and {new['launches']} launches: three a side are the least, five are better"
    return "the spread of the launches is wider than the difference"


def _doubts(base: pd.Series | None, new: pd.Series | None) -> tuple[str, ...]:
    """The doubts of both sides, and what differs between them besides the time."""
    sides = [(name, row) for name, row in (("base", base), ("new", new)) if row is not None]
    said = [f"{name}: {doubt}" for name, row in sides for doubt in row["doubts"]]
    if base is None or new is None:
        return tuple(said)
    if _text(base["sha256"]) and _text(new["sha256"]) and base["sha256"] != new["sha256"]:
        said.append("not the same model file: the sha256 differ")
    if _text(base["tool"]) != _text(new["tool"]):
        said.append(f"measured by {_text(base['tool']) or 'an unknown tool'}, then {_text(new['tool']) or 'another'}")
    return tuple(said)


def _median(row: pd.Series | None) -> float:
    return math.nan if row is None else float(row["median_ms"])


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
