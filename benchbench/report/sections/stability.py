"""How far launches lie apart."""

from __future__ import annotations

from benchbench.report.results import Results
from benchbench.report.sections.base import Section


def section(_: Results) -> Section:
    return Section(
        "stability",
        "Stability of launches",
        "figures.html",
        "A line is a launch, which is one sample: how far it is from the median of its case.",
        figures=("stability",),
        undrawn="No case has three launches.",
    )
