"""The phases of a launch."""

from __future__ import annotations

from benchbench.report import charts
from benchbench.report.results import Results
from benchbench.report.sections.base import Section, pale


def section(results: Results) -> Section:
    found = [chart for panel in results.panels if (chart := charts.phases(panel, results))]
    return Section(
        "phases",
        "Phases",
        "charts.html",
        "Initialisation, first inference, warm-up and steady state of a launch, medians over launches." + pale(results),
        charts=found,
        empty=None if found else "No case has a number that ran where it was asked to.",
    )
