"""The phases of a launch."""

from __future__ import annotations

from benchbench.report.results import Results
from benchbench.report.sections.base import Section, pale


def section(results: Results) -> Section:
    return Section(
        "phases",
        "Phases",
        "figures.html",
        "Initialisation, first inference, warm-up and steady state of a launch, medians over launches." + pale(results),
        figures=("phases",),
        undrawn="No case has a number that ran where it was asked to.",
    )
