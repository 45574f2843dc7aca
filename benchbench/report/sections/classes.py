"""Accuracy class by class."""

from __future__ import annotations

from benchbench.report.classes import class_tables
from benchbench.report.results import Results
from benchbench.report.sections.base import Section


def section(results: Results) -> Section:
    tables = class_tables(results)
    return Section(
        "classes",
        "Classes",
        "classes.html",
        "What quantization costs is seldom shared out evenly. Recall: the share of a class's samples that was found.",
        data={"panels": tables.panels, "names": tables.names, "left": tables.left},
        empty=None if tables.panels else "Nothing is known of single classes: give the model a dataset with labels.",
    )
