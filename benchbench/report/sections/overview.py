"""All devices at a glance."""

from __future__ import annotations

from benchbench.report.results import Results
from benchbench.report.sections.base import Section, statistic


def section(results: Results) -> Section:
    return Section(
        "overview",
        "Overview",
        "figures.html",
        f"The {statistic(results)} of each device, at the fastest number of threads, of those "
        "as fast the fewest; colour compares within a device. "
        "A word in place of a time says why there is none; an empty cell was not asked for. A click on a cell "
        "chooses its device.",
        figures=("overview",),
        undrawn="There is one device.",
    )
