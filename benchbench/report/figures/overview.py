"""All devices at a glance: a row a device, a column a variant and delegate, of one family."""

from __future__ import annotations

from benchbench.report.figures.base import BEST, BOTH_ENDS, CASE_TIPS, NAMES, Figure, Spec, planned
from benchbench.report.results import Results

FAST, SLOW = "#1f78b4", "#d9822b"
_CELL, _PAGE = 72, 1000  # pixels across


def _columns(results: Results) -> int:
    """How many variants stand side by side on a page, where names of devices stay in sight."""
    widest = max(results.cases.groupby("variant")["delegate"].nunique(), default=1)
    return max(1, _PAGE // (_CELL * int(widest)))


def figure(results: Results) -> Figure:
    spec: Spec = {
        "transform": [
            *BEST,
            {"calculate": "datum.headline ? datum.median_ms : null", "as": "shown"},
            {"joinaggregate": [{"op": "min", "field": "shown", "as": "fastest"}], "groupby": ["place"]},
            {"calculate": "isValid(datum.shown) ? log(datum.shown / datum.fastest) / log(2) : null", "as": "slower"},
        ],
        "facet": {
            "field": "variant",
            "type": "nominal",
            "title": None,
            "sort": planned(results, "variant"),
            "header": {"labelExpr": BOTH_ENDS, "labelFontWeight": 600},
        },
        "columns": _columns(results),
        "spacing": {"row": 16, "column": 8},
        "resolve": {"scale": {"x": "independent"}},
        "spec": {
            "width": {"step": _CELL},
            "height": {"step": 20},
            "encoding": {
                "y": {
                    "field": "place",
                    "type": "nominal",
                    "sort": planned(results, "place"),
                    "title": None,
                    "axis": {**NAMES, "ticks": False, "domain": False},
                },
                "x": {
                    "field": "delegate",
                    "type": "nominal",
                    "sort": list(results.colors),
                    "title": None,
                    "axis": {"orient": "top", "labelAngle": 0, "ticks": False, "domain": False, "labelLimit": 70},
                },
            },
            "layer": [
                {
                    "mark": {"type": "rect", "cornerRadius": 2, "stroke": None},
                    "encoding": {
                        "color": {
                            "field": "slower",
                            "type": "quantitative",
                            "title": "times as long as the device’s fastest",
                            "scale": {
                                "domain": [0, 1, 3.33],
                                "range": [FAST, "#b9b3ab", SLOW],
                                "clamp": True,
                                "interpolate": "rgb",  # through no further hue
                            },
                            "legend": {
                                "orient": "top",
                                "type": "symbol",
                                "symbolType": "square",
                                "symbolSize": 180,
                                "symbolStrokeWidth": 0,
                                "symbolOpacity": 0.55,
                                "direction": "horizontal",
                                "values": [0, 1, 2, 3.32],
                                "labelExpr": "format(pow(2, datum.value), '.2~r') + '×'",
                                "titleLimit": 260,
                            },
                        },
                        "opacity": {"condition": {"test": "isValid(datum.slower)", "value": 0.55}, "value": 0},
                        "tooltip": [{"field": "place", "type": "nominal", "title": "device"}, *CASE_TIPS],
                    },
                },
                {
                    "mark": {"type": "text", "fontSize": 11, "limit": 71},
                    "encoding": {
                        "text": {"field": "cell"},
                        "opacity": {"condition": {"test": "datum.cell === 'unselected'", "value": 0.5}, "value": 1},
                        "tooltip": [{"field": "place", "type": "nominal", "title": "device"}, *CASE_TIPS],
                    },
                },
            ],
        },
    }  # fmt: skip
    return Figure(
        "overview", "cases", ("family",), "{family}", "Latency of {family} by device, variant and delegate", spec,
        varies="place", wide=False,
    )  # fmt: skip
