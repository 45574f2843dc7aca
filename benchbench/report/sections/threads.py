"""Latency over the number of threads."""

from __future__ import annotations

from benchbench.report.results import Results
from benchbench.report.sections.base import Section, pale, statistic


def section(results: Results) -> Section:
    return Section(
        "threads",
        "Threads",
        "figures.html",
        f"Latency over the number of threads: the {statistic(results)}." + pale(results),
        figures=("threads",),
        undrawn="Only one number of threads was measured.",
    )
