"""Accuracy over latency; the Pareto front is ringed and named."""

from __future__ import annotations

from benchbench.report.figures.base import CASE_TIPS, PAIR, PALE, TIME_AXIS, Figure, Spec, color_of
from benchbench.report.results import Results

_SHORT = "length(datum.variant) > 24 ? slice(datum.variant, 0, 11) + '…' + slice(datum.variant, -12) : datum.variant"


def figure(results: Results) -> Figure:
    front: list[Spec] = [
        {"filter": "datum.pareto"},
        {"aggregate": [{"op": "argmin", "field": "id", "as": "one"}], "groupby": ["median_ms", "score"]},
        {"calculate": "datum.one.variant", "as": "variant"},
        {"window": [{"op": "row_number", "as": "place_on_front"}], "sort": [{"field": "median_ms"}]},
        {"calculate": _SHORT, "as": "name"},
    ]

    # Neighbours on the front are named above and below in turn, so that names do not run into each other.
    def names(odd: int, dy: int) -> Spec:
        return {
            "transform": [*front, {"filter": f"datum.place_on_front % 2 === {odd}"}],
            "mark": {"type": "text", "dy": dy, "fontSize": 11},
            "encoding": {"text": {"field": "name"}},
        }

    broken: Spec = {
        "transform": [{"filter": "datum.broken"}, {"calculate": f"'✕ output broken: ' + ({_SHORT})", "as": "words"}],
        "mark": {"type": "text", "align": "left", "dx": 10, "fontSize": 11},
        "encoding": {"text": {"field": "words"}},
    }
    spec: Spec = {
        "height": 280,
        "encoding": {
            "x": {
                "field": "median_ms",
                "type": "quantitative",
                "title": "latency (logarithmic)",
                "scale": {"type": "log", "nice": False, "padding": 60},
                "axis": TIME_AXIS,
            },
            "y": {
                "field": "score",
                "type": "quantitative",
                "title": None,
                "scale": {"zero": False, "padding": 22},
                "axis": {"tickCount": 5},
            },
        },
        "layer": [
            {
                "mark": {"type": "point", "filled": True, "size": 70},
                "encoding": {
                    "color": color_of(results.colors),
                    "opacity": PALE,
                    "shape": {"condition": {"test": "datum.broken", "value": "cross"}, "value": "circle"},
                    "tooltip": [*CASE_TIPS, {"field": "measured", "title": "accuracy"}],
                },
            },
            {"transform": front[:1], "mark": {"type": "point", "size": 190, "strokeWidth": 1.4}},
            names(1, -16),
            names(0, 17),
            broken,
        ],
    }
    title = "{place} · {family}: {metric_title}"
    alt = "{metric_title} over latency of {family} on {place}; the Pareto front is ringed"
    return Figure("accuracy", "cases", PAIR, title, alt, spec, needs=("score", "median_ms"), varies="id")
