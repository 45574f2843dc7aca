"""Accuracy class by class."""

from __future__ import annotations

from benchbench.report.classes import per_class
from benchbench.report.results import Results
from benchbench.report.sections.base import Section


def section(results: Results) -> Section:
    found = [known for panel in results.panels if (known := per_class(results, panel))]
    return Section(
        "classes",
        "Classes",
        "classes.html",
        "What quantization costs is seldom shared out evenly. Recall: the share of a class's samples that was found.",
        content={"panels": found},
        empty=None if found else "Nothing is known of single classes: give the model a dataset with labels.",
    )
