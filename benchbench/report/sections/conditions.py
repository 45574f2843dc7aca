"""What the devices went through."""

from __future__ import annotations

from benchbench.report import charts
from benchbench.report.results import Results
from benchbench.report.sections.base import Section
from benchbench.values.quantities import of_group


def section(results: Results) -> Section:
    found = [
        chart
        for place, trials in results.trials.groupby("place", sort=False)
        for condition in of_group("before")
        if (chart := charts.conditions(str(place), trials, condition))
    ]
    return Section(
        "conditions",
        "Conditions",
        "charts.html",
        "What each device went through in the order of its trials. A red triangle is a trial with a throttle flag; "
        "throttled and hot trials are left out of headline numbers.",
        charts=found,
        empty=None if found else "No conditions were recorded.",
    )
