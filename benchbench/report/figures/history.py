"""The same cases over several runs, by name and date."""

from __future__ import annotations

from benchbench.report.figures.base import BEST_HEADLINES, BOTH_ENDS, CASE_TIPS, Figure, Spec
from benchbench.report.figures.lines import lines_along
from benchbench.report.results import Results


def figure(results: Results) -> Figure:
    x: Spec = {
        "field": "run",
        "type": "ordinal",
        "sort": None,
        "title": None,
        "axis": {"labelAngle": -30, "labelLimit": 200, "labelExpr": BOTH_ENDS},
    }
    tips: list[Spec] = [{"field": "run", "title": "run"}, *CASE_TIPS]
    spec = lines_along(results, x, columns=3, width=250, transform=BEST_HEADLINES, tips=tips)
    alt = "Latency of {family} on {device} over the runs"
    return Figure(
        "history", "cases", ("device", "family"), "{device} · {family}", alt, spec,
        needs=("headline_ms",), varies="run", wide=False,
    )  # fmt: skip
