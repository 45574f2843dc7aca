"""The latency of each variant and delegate, with its interval; where something else ran, a line of words and no bar."""

from __future__ import annotations

from benchbench.report.figures.base import (
    BEST,
    CASE_TIPS,
    PAIR,
    PALE,
    TIME_AXIS,
    Figure,
    Spec,
    color_of,
    rows_by,
    time_of,
)
from benchbench.report.results import Results

_ROOM = 1.4  # of the longest bar: for the words behind it
_ENDS: list[Spec] = [
    {"calculate": "datum.headline ? datum.median_ms : null", "as": "shown"},
    {"joinaggregate": [{"op": "max", "field": "shown", "as": "longest"}]},
    {"calculate": f"datum.longest > 0 ? {_ROOM} * datum.longest : 1", "as": "edge"},
    # A wild interval must not make all bars too short to read: the words tell where it ends.
    {"calculate": "isValid(datum.shown) && datum.high_ms > 0.9 * datum.edge", "as": "beyond"},
    {"calculate": "isValid(datum.shown) ? (datum.beyond || !isValid(datum.high_ms) ? datum.shown : datum.high_ms) : 0",
     "as": "end"},
    # Without a bar there is no colour to say whose row it is.
    {"calculate": "datum.status === 'ok' ? datum.label : datum.delegate + ': ' + datum.label", "as": "said"},
    {"calculate": f"datum.said + (datum.beyond ? ' · interval to ' + ({time_of('datum.high_ms')}) : '')",
     "as": "words"},
]  # fmt: skip


def figure(results: Results) -> Figure:
    x: Spec = {"type": "quantitative", "scale": {"zero": True, "nice": False}, "title": "latency", "axis": TIME_AXIS}
    shown: list[Spec] = [{"filter": "isValid(datum.shown)"}]
    spec: Spec = {
        "height": {"step": 17, "for": "offset"},
        "transform": [*BEST, *_ENDS],
        "encoding": {
            **rows_by(results),
        },
        "layer": [
            {"mark": {"type": "point", "opacity": 0}, "encoding": {"x": {**x, "field": "edge"}}},
            {
                "transform": shown,
                "mark": {"type": "bar", "cornerRadiusEnd": 2},
                "encoding": {
                    "x": {**x, "field": "shown"},
                    "color": color_of(results.colors),
                    "opacity": PALE,
                    "tooltip": CASE_TIPS,
                },
            },
            {
                "transform": shown,
                "mark": {"type": "rule", "strokeWidth": 1.5},
                "encoding": {"x": {**x, "field": "low_ms"}, "x2": {"field": "end"}},
            },
            {
                "mark": {"type": "text", "align": "left", "dx": 6, "fontSize": 11},
                "encoding": {
                    "x": {**x, "field": "end"},
                    "text": {"field": "words"},
                    "opacity": {"condition": {"test": "isValid(datum.shown)", "value": 1}, "value": 0.65},
                    "tooltip": CASE_TIPS,
                },
            },
        ],
    }
    return Figure(
        "latency", "cases", PAIR, "{place} · {family}", "Latency per variant and delegate of {family} on {place}", spec,
        needs=("launches_all",),
    )  # fmt: skip
