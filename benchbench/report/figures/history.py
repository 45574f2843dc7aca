"""The same cases over several runs, by name and date."""

from __future__ import annotations

from benchbench.report.figures.base import (
    BEST_HEADLINES,
    BOTH_ENDS,
    CASE_TIPS,
    TIME_AXIS,
    Figure,
    Spec,
    color_of,
    planned,
)
from benchbench.report.results import Results


def figure(results: Results) -> Figure:
    spec: Spec = {
        "facet": {
            "field": "variant",
            "type": "nominal",
            "title": None,
            "sort": planned(results, "variant"),
            "header": {"labelExpr": BOTH_ENDS},
        },
        "columns": 3,
        "spacing": {"row": 16, "column": 24},
        "resolve": {"scale": {"y": "independent"}},
        "spec": {
            "width": 250,
            "height": 120,
            "transform": BEST_HEADLINES,
            "encoding": {
                "x": {
                    "field": "run",
                    "type": "ordinal",
                    "sort": None,
                    "title": None,
                    "axis": {"labelAngle": -30, "labelLimit": 200, "labelExpr": BOTH_ENDS},
                },
                "y": {
                    "field": "median_ms",
                    "type": "quantitative",
                    "title": None,
                    "scale": {"zero": True},
                    "axis": {**TIME_AXIS, "tickCount": 3},
                },
                "color": color_of(results.colors),
            },
            "layer": [
                {"mark": {"type": "line", "strokeWidth": 1.5}},
                {
                    "mark": {"type": "rule", "strokeWidth": 1.2},
                    "encoding": {"y": {"field": "low_ms", "title": None}, "y2": {"field": "high_ms"}},
                },
                {
                    "mark": {"type": "point", "filled": True, "size": 36},
                    "encoding": {"tooltip": [{"field": "run", "title": "run"}, *CASE_TIPS]},
                },
            ],
        },
    }
    alt = "Latency of {family} on {device} over the runs"
    return Figure(
        "history", "cases", ("device", "family"), "{device} · {family}", alt, spec,
        needs=("headline_ms",), varies="run", wide=False,
    )  # fmt: skip
