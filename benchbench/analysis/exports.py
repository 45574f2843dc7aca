"""The cases of a run in the formats of others: for dashboards, trackers of benchmarks, and spreadsheets."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, get_args

import pandas as pd

from benchbench.analysis.formatting import missing
from benchbench.analysis.frames import Run
from benchbench.analysis.rows import rows_of
from benchbench.values.formatting import counted
from benchbench.values.quantities import QUANTITIES
from benchbench.values.quantity import CELSIUS, MEGABYTES, MILLISECONDS, SECONDS, Quantity

Format = Literal["bmf", "github-action-benchmark", "openmetrics", "csv"]
FORMATS = get_args(Format)
# What stands for a case and has a better end: a tracker can say which way a change goes.
EXPORTED = tuple(one for one in QUANTITIES if one.case is not None and one.better is not None)
_LATENCY = "typical_ms"
_LABELS = ("device", "family", "variant", "scheme", "delegate", "threads", "affinity", "executor")
_LARGEST = 1e300  # what is more fits no other unit
_BASE_UNITS = {MILLISECONDS: ("seconds", 1e-3), SECONDS: ("seconds", 1.0), MEGABYTES: ("bytes", 1e6)}
_BASE_UNITS |= {CELSIUS: ("celsius", 1.0)}


@dataclass(frozen=True, slots=True)
class Value:
    """One number of one case, with its 95 % interval where it has one."""

    case: str
    quantity: Quantity
    value: float
    low: float | None
    high: float | None
    labels: dict[str, str]


def export(run: Run, form: Format) -> str:
    """The cases of a run as text: those with a headline number, of which a tracker makes series by case; in csv all."""
    match form:
        case "bmf":
            return _bmf(run)
        case "github-action-benchmark":
            return _github_action_benchmark(run)
        case "openmetrics":
            return _openmetrics(run)
        case "csv":
            return str(run.cases.drop(columns=["samples_ms", "doubts"]).to_csv(index=False))


def left_out(run: Run, form: Format) -> str:
    """How many cases have no headline number and are in no series, and why; "" where there is none, as in csv."""
    reasons = Counter(why for row in rows_of(run.cases) if (why := missing(row)) is not None)
    if form == "csv" or not reasons:
        return ""
    named = "; ".join(f"{count} {why}" for why, count in reasons.most_common())
    return f"{reasons.total()} of {counted(len(run.cases), 'case')} without a headline number left out: {named}"


def _values(run: Run) -> Iterator[Value]:
    for row in run.cases[run.cases["headline"]].to_dict("records"):
        labels = {key: str(row[key]) for key in _LABELS if pd.notna(row[key]) and row[key] != ""}
        for quantity in EXPORTED:
            value = row.get(quantity.case_column)
            if value is None or pd.isna(value) or abs(value) > _LARGEST:
                continue
            ends = (row["low_ms"], row["high_ms"]) if quantity.name == _LATENCY else (None, None)
            low, high = (float(end) if end is not None and pd.notna(end) else None for end in ends)
            yield Value(str(row["case"]), quantity, float(value), low, high, labels)


def _bmf(run: Run) -> str:
    """Bencher Metric Format (https://bencher.dev/docs/reference/bencher-metric-format/); `latency` in nanoseconds."""
    found: dict[str, dict[str, dict[str, float]]] = {}
    for one in _values(run):
        latency = one.quantity.name == _LATENCY
        name, factor = ("latency", 1e6) if latency else (one.quantity.case_column, 1.0)
        ends = {"lower_value": one.low, "upper_value": one.high}
        numbers = {"value": one.value} | {key: end for key, end in ends.items() if end is not None}
        found.setdefault(one.case, {})[name] = {key: factor * number for key, number in numbers.items()}
    return json.dumps(found, indent=1, allow_nan=False) + "\n"


def _github_action_benchmark(run: Run) -> str:
    """For its tool `customSmallerIsBetter` (https://github.com/benchmark-action/github-action-benchmark)."""
    rows = []
    for one in _values(run):
        if one.quantity.better != "lower":
            continue
        row = {"name": f"{one.case} {one.quantity.label}", "unit": one.quantity.unit.symbol, "value": one.value}
        if one.low is not None and one.high is not None:
            row["range"] = f"{one.low:.6g} to {one.high:.6g}"
        rows.append(row | {"extra": f"run {run.id}, ran on {one.labels.get('executor', 'unknown')}"})
    return json.dumps(rows, indent=1, allow_nan=False) + "\n"


def _openmetrics(run: Run) -> str:
    """OpenMetrics 1.0 (https://prometheus.io/docs/specs/om/open_metrics_spec/): a gauge a quantity, in base units.

    By hand, since prometheus_client, by which the tests read it, would be a dependency for these lines.
    """
    families: dict[str, list[str]] = {}
    abouts: dict[str, str] = {}
    for one in _values(run):
        unit, factor = _BASE_UNITS.get(one.quantity.unit, ("", 1.0))
        stem = "latency" if one.quantity.name == _LATENCY else one.quantity.case_column.removesuffix("_ms")
        name = "_".join(part for part in ("benchbench", stem.removesuffix("_mb").removesuffix("_c"), unit) if part)
        labels = ",".join(f'{key}="{_escaped(text)}"' for key, text in ({"case": one.case} | one.labels).items())
        families.setdefault(name, []).append(f"{name}{{{labels}}} {factor * one.value:.9g}")
        unit_line = f"# UNIT {name} {unit}\n" if unit else ""
        abouts[name] = f"# TYPE {name} gauge\n{unit_line}# HELP {name} {_escaped(one.quantity.about)}"
    blocks = ["\n".join((abouts[name], *lines)) for name, lines in families.items()]
    return "\n".join((*blocks, "# EOF")) + "\n"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
