"""The table of all cases."""

from __future__ import annotations

from benchbench.report.results import Results
from benchbench.report.sections.base import Section, nothing, statistic


def section(results: Results) -> Section:
    return Section(
        "cases",
        "All cases",
        "cases.html",
        f"One row a case. A latency is the {statistic(results)}. A number in parentheses is no number of the delegate "
        "that was asked for. The arrow of a row opens its evidence, its launches, its raw log and how to do it again.",
        empty=nothing(results),
    )
