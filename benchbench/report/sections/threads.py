"""Latency over the number of threads."""

from __future__ import annotations

from benchbench.report import charts
from benchbench.report.results import Results
from benchbench.report.sections.base import Section, pale, statistic


def section(results: Results) -> Section:
    found = [chart for panel in results.panels if (chart := charts.threads(results, panel))]
    return Section(
        "threads",
        "Threads",
        "charts.html",
        f"Latency over the number of threads: the {statistic(results)}." + pale(results),
        charts=found,
        empty=None if found else "Only one number of threads was measured.",
    )
