"""The same cases over several runs, by name and date."""

from __future__ import annotations

from benchbench.report.figures.base import BEST_HEADLINES, BOTH_ENDS, CASE_TIPS, Figure, Spec
from benchbench.report.figures.lines import lines_along
from benchbench.report.results import Results

_LETTER, _LONGEST = 7, 200  # pixels


def figure(results: Results) -> Figure:
    x: Spec = {
        "field": "run",
        "type": "ordinal",
        "sort": None,
        "title": None,
        "axis": {"labelAngle": -30, "labelLimit": _LONGEST, "labelExpr": BOTH_ENDS},
    }
    tips: list[Spec] = [{"field": "run", "title": "run"}, *CASE_TIPS]
    longest = min(_LONGEST, max(_LETTER * len(label) for label in results.labels.values()))
    below = 16 + longest // 2  # as high as it is at that angle
    spec = lines_along(results, x, columns=3, width=250, below=below, transform=BEST_HEADLINES, tips=tips)
    alt = "Latency of {family} on {device} over the runs"
    return Figure(
        "history", "cases", ("device", "family"), "{device} · {family}", alt, spec,
        needs=("headline_ms",), varies="run", wide=False,
    )  # fmt: skip
