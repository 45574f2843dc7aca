"""The latency of each variant and delegate."""

from __future__ import annotations

from benchbench.report.results import Results
from benchbench.report.sections.base import Section, intervals, pale, statistic


def section(results: Results) -> Section:
    return Section(
        "latency",
        "Latency",
        "figures.html",
        f"The {statistic(results)}, with its interval ({intervals(results)}), at the fastest number of threads, "
        "of those as fast the fewest. A delegate "
        "has a bar only where it really took the graph; where something else ran, the row says what." + pale(results),
        figures=("latency",),
        undrawn="Nothing was measured.",
    )
