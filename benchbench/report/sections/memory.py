"""The kinds of memory."""

from __future__ import annotations

from benchbench.report import charts
from benchbench.report.results import Results
from benchbench.report.sections.base import Section, pale


def section(results: Results) -> Section:
    found = [chart for panel in results.panels if (chart := charts.memory(panel, results))]
    return Section(
        "memory",
        "Memory",
        "charts.html",
        "Each kind by its own name; they measure different things and cannot be compared with one another."
        + pale(results),
        charts=found,
        empty=None if found else "The tools gave no memory figures.",
    )
