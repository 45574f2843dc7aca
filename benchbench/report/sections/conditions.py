"""What the devices went through."""

from __future__ import annotations

from benchbench.report.figures.conditions import figures, while_running
from benchbench.report.results import Results
from benchbench.report.sections.base import Section


def section(results: Results) -> Section:
    return Section(
        "conditions",
        "Conditions",
        "figures.html",
        "What each device went through in the order of its trials. A red triangle is a trial with a throttle flag; "
        "throttled and hot trials are left out of headline numbers.",
        figures=tuple(figure.name for figure in (*figures(results), *while_running(results))),
        undrawn="No conditions were recorded.",
    )
