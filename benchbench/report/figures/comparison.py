"""The last of several runs against those before it: new / base of each case, with its interval."""

from __future__ import annotations

from benchbench.report.figures.base import NAMES, Figure, Spec
from benchbench.report.results import Results

VERDICT_COLORS = {"faster": "#2f8f5b", "slower": "#cf5757", "same": "#7d8aa0", "cannot tell": "#c2a53a"}


def figure(_: Results) -> Figure:
    spec: Spec = {
        "height": {"step": 18},
        "encoding": {"y": {"field": "named", "type": "nominal", "title": None, "sort": None, "axis": NAMES}},
        "layer": [
            {
                "mark": {"type": "rule", "strokeWidth": 1.4},
                "transform": [{"filter": "isValid(datum.ratio_low)"}],
                "encoding": {
                    "x": {
                        "field": "ratio_low",
                        "type": "quantitative",
                        "title": "new / base (below 1 is faster)",
                        "scale": {"type": "log", "nice": False, "padding": 24},
                        "axis": {"tickCount": 6, "format": "~r"},
                    },
                    "x2": {"field": "ratio_high"},
                },
            },
            {
                "mark": {"type": "point", "filled": True, "size": 60},
                "encoding": {
                    "x": {"field": "ratio", "type": "quantitative"},
                    "color": {
                        "field": "verdict",
                        "type": "nominal",
                        "title": None,
                        "scale": {"domain": list(VERDICT_COLORS), "range": list(VERDICT_COLORS.values())},
                        "legend": {"orient": "top"},
                    },
                    "tooltip": [
                        {"field": "case"},
                        {"field": "ratio", "title": "new / base"},
                        {"field": "verdict"},
                        {"field": "why"},
                    ],
                },
            },
            # So that an axis is no narrower: a percent must not look like news.
            *(
                {"mark": {"type": "rule", "opacity": 0}, "encoding": {"x": {"datum": at}, "y": None}}
                for at in (0.9, 1.1)
            ),
            {
                "mark": {"type": "rule", "strokeDash": [4, 3], "color": "#7d8aa0"},
                "encoding": {"x": {"datum": 1}, "y": None},
            },
        ],
    }
    alt = "Latency of {family} on {device} in the last run against those before it"
    return Figure("comparison", "comparison", ("device", "family"), "{device} · {family}", alt, spec, needs=("ratio",))
