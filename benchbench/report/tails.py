"""The slowest inferences within a launch, in words: bounds of percentiles, or why nobody knows one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import pandas as pd

from benchbench.analysis.rows import Row
from benchbench.modes.latency import TAIL
from benchbench.modes.tail import needed
from benchbench.report.results import Results
from benchbench.values.outcome import Timings
from benchbench.values.quantities import case_quantity


def tails_of(results: Results) -> dict[tuple[str, str], list[str]]:
    """By run and case, of those that were measured: a sentence for each percentile, with the value of the frame."""
    launches: defaultdict[tuple[str, str], list[tuple[Timings, int]]] = defaultdict(list)
    for run in results.runs:
        for outcome in run.outcomes:
            if outcome.timed and outcome.status == "ok":
                launches[run.id, outcome.case].append((outcome.measurement.timings, outcome.measurement.runs or 0))
    measured = {(row["run"], row["case"]): row for row in results.rows if row["status"] == "ok"}
    return {key: [_text(column, row, launches[key]) for column in TAIL] for key, row in measured.items()}


def _text(column: str, row: Row, launches: Sequence[tuple[Timings, int]]) -> str:
    quantity = case_quantity(column)
    if not pd.isna(row[column]):
        return f"{quantity.label} {quantity.text(row[column])}"
    return f"{quantity.label.removesuffix(', at most')} unknown: {_unknown(TAIL[column], launches)}"


def _unknown(percentile: float, launches: Sequence[tuple[Timings, int]]) -> str:
    each = [inferences for times, inferences in launches if times.of_each]
    if not each:
        return "its tool tells no series of inferences"
    if max(each) < needed(percentile):
        return f"needs {needed(percentile)} inferences a launch"
    return "the benchbench that measured it did not take it"
