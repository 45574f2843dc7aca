"""The rows of the cases: what figures, cards and tables of a page know of each."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd

from benchbench.analysis.choices import Candidate
from benchbench.analysis.formatting import LIKENESS, METRICS, became, missing
from benchbench.analysis.rows import Row, rows_of
from benchbench.analysis.tradeoffs import is_broken
from benchbench.report.launches import launches_of
from benchbench.report.plain_values import number, rounded, text
from benchbench.report.profiled import shares_of_time
from benchbench.report.results import Results
from benchbench.report.tails import tails_of
from benchbench.report.tradeoff_texts import tradeoff_texts
from benchbench.runtimes import BACKENDS, backend_type, runtime_of_backend
from benchbench.values import formatting
from benchbench.values.quantities import PER_LAUNCH, SCORES, of_group
from benchbench.values.quantity import Quantity

_TEXTS = (
    *("device", "place", "family", "variant", "scheme", "delegate", "kind", "affinity", "case", "status", "verdict"),
    *("executor", "statistic", "runner", "tool", "error", "remedy", "evidence", "network", "relation", "because"),
    *("stopped", "ops_left"),
)
_NUMBERS = ("median_ms", "low_ms", "high_ms", "between_cv", "launches", "launches_all", "threads")
INNER = (
    *("id", "label", "cell", "ends", "symbol", "badge", "quoted", "run_number", "words", "equals", "rank", "as_fast"),
    *("became", "delegated", "lines", "tails"),
)
# Symbol and word, so that a verdict can be read without its colour.
_BADGES = {
    "full": ("●", "full"),
    "partial": ("◐", "partial"),
    "none": ("○", "none"),
    "unavailable": ("✕", "unavailable"),
    "unknown": ("?", "unconfirmed"),
    "mixed": ("◩", "mixed"),
}
_SHORT = {"none": "fell back", "unavailable": "unavailable", "mixed": "mixed", "unknown": "unconfirmed"}


def case_rows(results: Results) -> list[Row]:
    gains = {(row["run"], row["case"]): row for row in rows_of(results.tradeoffs)}
    candidates = {(choice.run, one.case): one for choice in results.choices for one in choice.candidates}
    quantities = [one for one in (*PER_LAUNCH, *SCORES) if one.case and one.case_column in results.cases]
    cases, numbers = results.rows, {run: n for n, run in enumerate(results.labels)}
    doubts = {doubt: n for n, doubt in enumerate(results.doubts)}
    ids = {(case["run"], case["case"]): n for n, case in enumerate(cases)}
    launches, tails = launches_of(results), tails_of(results)
    profiled = {run.id: shares_of_time(run) for run in results.runs}
    rows: list[Row] = []
    for case in cases:
        key = case["run"], case["case"]
        row = _numbers(case, quantities) | _about(case)
        row |= {"id": ids[key], "run": results.labels[case["run"]], "run_number": numbers[case["run"]]}
        row["doubts"] = [doubts[doubt] for doubt in case["doubts"]]
        row["tails"] = "; ".join(tails[key]) if key in tails else None
        row |= launches.get(key, {}) | _of_profile(row, profiled[case["run"]].get(case["case"], {}))
        if key in gains:
            row |= {"best": True} | _tradeoff(gains[key])
        if key in candidates:
            row |= _candidate(candidates[key], lambda name, run=case["run"]: ids[run, name])  # type: ignore[misc]
        rows.append(row)
    return rows


def _numbers(case: Row, quantities: Sequence[Quantity]) -> dict[str, Any]:
    """The numbers of a case, and those that a table shows also as they are shown there."""
    found: dict[str, Any] = {name: number(case[name]) for name in _NUMBERS}
    found["between_cv:text"] = None if found["between_cv"] is None else f"{100 * case['between_cv']:.1f} %"
    for one in quantities:
        column, value = one.case_column, number(case[one.case_column])
        found[column] = value
        if one.heading and value is not None:
            found[f"{column}:text"] = one.cell(float(case[column]))
    return found


def _about(case: Row) -> dict[str, Any]:
    """What else is told of a case, whether it was measured or not."""
    headline, memory = bool(case["headline"]), (*of_group("added"), *of_group("memory"))
    known = headline and any(not pd.isna(case[one.case_column]) for one in memory)
    symbol, badge = _badge(case)
    return {name: text(case.get(name)) for name in _TEXTS} | {
        "runtime": _runtime(case["kind"]),
        "became": became(case),
        "headline": headline,
        "headline_ms": number(case["median_ms"]) if headline else None,
        "why": missing(case),
        "broken": is_broken(case),
        "time": None if pd.isna(case["median_ms"]) else formatting.time(case["median_ms"]),
        "ends": None if pd.isna(case["low_ms"]) else formatting.interval(case["low_ms"], case["high_ms"]),
        "label": _label(case),
        "cell": _cell(case),
        "symbol": symbol,
        "badge": badge,
        "quoted": None if (quoted := shlex.quote(case["case"])) == case["case"] else quoted,
        "memory_known": True if known else None,
        "delegated": 1 if isinstance(case["kind"], str) and backend_type(case["kind"]).is_delegate else None,
        "samples_ms": [rounded(time, 4) for time in case["samples_ms"]],
    }


def _runtime(kind: Any) -> str | None:
    """What people call the runtime of a backend; None for a kind that nobody has, or that is not known."""
    return runtime_of_backend(kind).title if kind in BACKENDS else None


def _badge(case: Row) -> tuple[str, str]:
    symbol, word = _BADGES.get(case["verdict"], _BADGES["unknown"])
    if case["status"] != "ok" and case["verdict"] in {"full", "partial", "unknown"}:
        return "–", str(case["status"]) if case["launches_all"] == 0 else "no result"
    taken, total = case["nodes_delegated"], case["nodes_total"]
    counted = case["verdict"] == "partial" and not pd.isna(taken) and not pd.isna(total)
    return symbol, f"{word} {taken}/{total}" if counted else word


def _tradeoff(row: Row) -> dict[str, Any]:
    """What a row of `tradeoffs` says besides; `score` is the accuracy as an axis has it."""
    metric, accuracy = row["metric"], number(row["accuracy"])
    share = metric in {"accuracy_top1", "accuracy_agreement"}
    return tradeoff_texts(row) | {
        "pareto": bool(row["pareto"]),
        "metric": metric,
        "metric_title": f"{METRICS[metric].label}, %" if share else METRICS[metric].title if metric else None,
        "accuracy": accuracy,
        "score": None if accuracy is None else rounded(accuracy * (100 if share else 1)),
        "likeness": metric in LIKENESS,
        "is_base": row["case"] == row["accuracy_base"],
    }


def _candidate(one: Candidate, number_of: Callable[[str], int]) -> dict[str, Any]:
    """What the page needs to choose, or not to choose, a case."""
    return {
        "known": one.known,
        "loss": None if one.loss is None else number(one.loss),
        "too_few": one.too_few and [rounded(end) for end in one.too_few],
        "behind_float": one.behind_float,
        "equals": [number_of(name) for name in one.equals],
        "rank": one.rank,
        "as_fast": list(one.as_fast),
        "claims": list(one.claims[1:]),  # the first is its time
        "drawback": one.drawback,
    }


def _of_profile(row: Row, told: Row) -> dict[str, Any]:
    """What its op profile says beside the tool: the ops that were left only where the tool does not say which."""
    share = told.get("time_share")
    return {"time_share": share and rounded(share, 3), "ops_left": row["ops_left"] or told.get("ops_left")}


def _label(case: Row) -> str:
    """What stands at a case's bar: its time and threads, or why there is no bar."""
    if why := missing(case):
        time = "" if case["status"] != "ok" else f", {formatting.time(case['median_ms'])}"
        return why + time
    words = [formatting.time(case["median_ms"])]
    if not pd.isna(case["threads"]):
        words.append(formatting.counted(int(case["threads"]), "thread"))
    words += [f"cores {case['affinity']}"] if isinstance(case["affinity"], str) else []
    words += ["partial"] if case["verdict"] == "partial" else []
    words += ["✕ OUTPUT BROKEN"] if is_broken(case) else []
    return " · ".join(words)


def _cell(case: Row) -> str:
    """A case in a cell of the overview: its time, or in a word why there is none."""
    if missing(case) is None:
        return formatting.time(case["median_ms"]) + " ✕" * is_broken(case)
    if case["status"] != "ok":
        return became(case)
    return _SHORT.get(case["verdict"], "disturbed")


def shown_quantities(rows: Sequence[Row]) -> list[Quantity]:
    """The quantities that a table of cases has a column for: with a heading, and a value in some row."""
    return [
        one
        for one in (*PER_LAUNCH, *SCORES)
        if one.heading and one.case and any(row.get(one.case_column) is not None for row in rows)
    ]
