"""Accuracy over latency; the Pareto front is ringed and named."""

from __future__ import annotations

from benchbench.report.figures.base import CASE_TIPS, LOG_TIME_AXIS, PAIR, PALE, Figure, Spec, color_of
from benchbench.report.results import Results

_SHORT = "length(datum.variant) > 24 ? slice(datum.variant, 0, 11) + '…' + slice(datum.variant, -12) : datum.variant"
# The room for names above 100 % and above a cosine of 1 has no numbers.
_POSSIBLE = "(datum.value > 1 && datum.value < 1.01) || (datum.value > 100 && datum.value < 105) ? '' : datum.label"
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


# A name stands above its mark. Of neighbours on the front that are so near that their names would run into each other
# or into the other's mark, the first, which is the lower, is named below, the second above, the third further above.
_NEAR = (
    "isValid(datum.ms_before)"
    " && log(datum.median_ms / datum.ms_before) < 0.22 * log(datum.max_median_ms / datum.min_median_ms)"
    " && abs(datum.score - datum.score_before) < 0.18 * (datum.max_score - datum.min_score)"
)
_BY_LATENCY: list[Spec] = [{"field": "median_ms"}]
_NAMED: list[Spec] = [
    {
        "window": [
            {"op": "lag", "field": "median_ms", "as": "ms_before"},
            {"op": "lag", "field": "score", "as": "score_before"},
        ],
        "sort": _BY_LATENCY,
    },
    {"calculate": f"{_NEAR} ? 0 : 1", "as": "apart"},
    {"window": [{"op": "sum", "field": "apart", "as": "cluster"}], "sort": _BY_LATENCY},
    {"window": [{"op": "row_number", "as": "place"}], "groupby": ["cluster"], "sort": _BY_LATENCY},
    {"joinaggregate": [{"op": "count", "as": "together"}], "groupby": ["cluster"]},
]
_SHIFT = "datum.together === 1 ? -16 : [31, 17, -16, -30][datum.place % 4]"


def figure(results: Results) -> Figure:
    names: Spec = {
        "transform": [_WITH_ENDS, *_FRONT, *_NAMED],
        "mark": {"type": "text", "dy": {"expr": _SHIFT}, "fontSize": 11},
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
                "axis": {"tickCount": 5, "labelExpr": _POSSIBLE},
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
