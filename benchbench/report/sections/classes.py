"""Accuracy class by class."""

from __future__ import annotations

from itertools import islice

from benchbench.report.classes import per_class
from benchbench.report.results import Results
from benchbench.report.sections.base import Section

MOST_PANELS = 6  # devices and families: of a lab's 72 phones the rest is in a file


def section(results: Results) -> Section:
    every = (known for panel in results.panels if (known := per_class(results, panel)))
    found = [*islice(every, MOST_PANELS)]
    more = " Shown for the first devices; all are in classes.csv." if next(every, None) else ""
    return Section(
        "classes",
        "Classes",
        "classes.html",
        "What quantization costs is seldom shared out evenly. Recall: the share of a class's samples that was found."
        + more,
        content={"panels": found},
        empty=None if found else "Nothing is known of single classes: give the model a dataset with labels.",
    )
