"""Accuracy over latency; the Pareto front is ringed and named."""

from __future__ import annotations

from benchbench.report.figures.base import CASE_TIPS, LOG_TIME_AXIS, PAIR, PALE, Figure, Spec, color_of
from benchbench.report.results import Results

_SHORT = "length(datum.variant) > 24 ? slice(datum.variant, 0, 11) + '…' + slice(datum.variant, -12) : datum.variant"
_ENDS = {f"{op}_{field}": (op, field) for field in ("median_ms", "score") for op in ("min", "max")}  # of both axes
_WITH_ENDS: Spec = {"joinaggregate": [{"op": op, "field": field, "as": name} for name, (op, field) in _ENDS.items()]}
_FRONT: list[Spec] = [
    {"filter": "datum.pareto"},
    {
        "aggregate": [{"op": "argmin", "field": "id", "as": "one"}],
        "groupby": ["median_ms", "score", *_ENDS],
    },
    {"calculate": "datum.one.variant", "as": "variant"},
    {"calculate": _SHORT, "as": "name"},
]


def _near(other: str) -> str:
    """Whether another of the front is so near that their names would run into each other on one line."""
    across = f"abs(log(datum.median_ms / datum.{other}_ms)) < 0.22 * log(datum.max_median_ms / datum.min_median_ms)"
    up = f"abs(datum.score - datum.{other}_score) <= 0.1 * (datum.max_score - datum.min_score)"
    return f"(isValid(datum.{other}_ms) && {across} && {up})"


# Neighbours on the front are named above and below in turn; of those on one side that are near, every other one is
# further off.
_NAMED: list[Spec] = [
    {
        "window": [
            {"op": "row_number", "as": "place"},
            *(
                {"op": op, "field": field, "param": 2, "as": f"{side}_{name}"}
                for op, side in (("lag", "before"), ("lead", "after"))
                for field, name in (("median_ms", "ms"), ("score", "score"))
            ),
        ],
        "sort": [{"field": "median_ms"}],
    },
    {"calculate": f"datum.place % 4 > 1 && ({_near('before')} || {_near('after')}) ? 31 : 17", "as": "off"},
]


def figure(results: Results) -> Figure:
    names: Spec = {
        "transform": [_WITH_ENDS, *_FRONT, *_NAMED],
        "mark": {"type": "text", "dy": {"expr": "datum.place % 2 ? 1 - datum.off : datum.off"}, "fontSize": 11},
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
                "axis": LOG_TIME_AXIS,
            },
            "y": {
                "field": "score",
                "type": "quantitative",
                "title": None,
                "scale": {"zero": False, "padding": 36},
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
            {"transform": _FRONT[:1], "mark": {"type": "point", "size": 190, "strokeWidth": 1.4}},
            names,
            broken,
        ],
    }
    title = "{place} · {family}: {metric_title}"
    alt = "{metric_title} over latency of {family} on {place}; the Pareto front is ringed"
    return Figure("accuracy", "cases", PAIR, title, alt, spec, needs=("score", "median_ms"), varies="id")
