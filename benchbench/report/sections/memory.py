"""The kinds of memory."""

from __future__ import annotations

from benchbench.report.results import Results
from benchbench.report.sections.base import Section, pale


def section(results: Results) -> Section:
    return Section(
        "memory",
        "Memory",
        "figures.html",
        "A bar is what the model adds to the process that holds it. The marks are further kinds, each by its own name; "
        "they measure different things and cannot be compared with one another." + pale(results),
        figures=("memory",),
        undrawn="The tools gave no memory figures.",
    )
