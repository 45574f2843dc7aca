"""The same cases over several runs."""

from __future__ import annotations

from benchbench.report.results import Results
from benchbench.report.sections.base import Section, statistic


def section(results: Results) -> Section:
    return Section(
        "history",
        "History",
        "figures.html",
        f"The {statistic(results)} in each run.",
        figures=("history",),
        undrawn="There is one run.",
    )
