"""Where the time goes, op by op."""

from __future__ import annotations

from benchbench.report import charts
from benchbench.report.results import Results, profile_rows
from benchbench.report.sections.base import Section


def section(results: Results) -> Section:
    found = [charts.profile(panel.title, rows) for panel in results.panels if (rows := profile_rows(results, panel))]
    return Section(
        "profile",
        "Where the time goes",
        "charts.html",
        "Share of each op type in one inference, with op profiling on. A delegate's partition is one block.",
        charts=found,
        empty=None if found else "No op profile was taken: set profile = true in [measure].",
    )
