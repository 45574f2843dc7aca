"""Latency along something else: a small chart per variant, a line per delegate, each point with its interval."""

from __future__ import annotations

from collections.abc import Sequence

from benchbench.report.figures.base import BOTH_ENDS, PALE, TIME_AXIS, Spec, color_of, planned
from benchbench.report.results import Results


def lines_along(
    results: Results, x: Spec, *, columns: int, width: int, below: int, transform: Sequence[Spec], tips: Sequence[Spec]
) -> Spec:
    """The charts in so many columns, each so many pixels wide, with `below` of them for what is written on the x axis.

    Their rows are those that `transform` leaves.
    """
    return {
        "facet": {
            "field": "variant",
            "type": "nominal",
            "title": None,
            "sort": planned(results, "variant"),
            "header": {"labelExpr": BOTH_ENDS},
        },
        "columns": columns,
        "bounds": "flush",  # plots stand in a grid, whatever is written on their axes
        "spacing": {"row": below + 36, "column": 64},  # and the title of the next
        "resolve": {"scale": {"y": "independent"}, "axis": {"x": "independent"}},
        "spec": {
            "width": width,
            "height": 120,
            "transform": list(transform),
            "encoding": {
                "x": x,
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
                {"mark": {"type": "point", "filled": True, "size": 36}, "encoding": {"tooltip": list(tips)}},
            ],
        },
    }
