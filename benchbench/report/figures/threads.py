"""Latency over the number of threads, a small chart per variant."""

from __future__ import annotations

from benchbench.report.figures.base import BOTH_ENDS, CASE_TIPS, PAIR, PALE, TIME_AXIS, Figure, Spec, color_of, planned
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
        "columns": 4,
        "spacing": {"row": 16, "column": 24},
        "resolve": {"scale": {"y": "independent"}},
        "spec": {
            "width": 190,
            "height": 120,
            "transform": [{"filter": "datum.headline"}],
            "encoding": {
                "x": {"field": "threads", "type": "ordinal", "title": "threads", "axis": {"labelAngle": 0}},
                "y": {
                    "field": "median_ms",
                    "type": "quantitative",
                    "title": None,
                    "scale": {"zero": True},
                    "axis": {**TIME_AXIS, "tickCount": 3},
                },
                "color": color_of(results.colors),
                "opacity": PALE,
            },
            "layer": [
                {"mark": {"type": "line", "strokeWidth": 2}},
                {
                    "mark": {"type": "rule", "strokeWidth": 1.2},
                    "encoding": {"y": {"field": "low_ms", "title": None}, "y2": {"field": "high_ms"}},
                },
                {"mark": {"type": "point", "filled": True, "size": 36}, "encoding": {"tooltip": CASE_TIPS}},
            ],
        },
    }
    alt = "Latency by number of threads per variant of {family} on {place}"
    return Figure(
        "threads", "cases", PAIR, "{place} · {family}", alt, spec,
        needs=("threads", "headline_ms"), varies="threads", wide=False,
    )  # fmt: skip
