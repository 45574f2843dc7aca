"""Where the time goes, op by op."""

from __future__ import annotations

from benchbench.report.results import Results
from benchbench.report.sections.base import Section


def section(_: Results) -> Section:
    return Section(
        "profile",
        "Where the time goes",
        "figures.html",
        "Share of each op type in one inference, with op profiling on. A delegate’s partition is one block.",
        figures=("profile",),
        undrawn="No op profile was taken: set profile = true in [measure].",
    )
