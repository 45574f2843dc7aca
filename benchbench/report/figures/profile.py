"""Where the time goes: the op types of one inference, and the partitions that a delegate took as one block."""

from __future__ import annotations

from benchbench.report.figures.base import PAIR, Figure, Spec
from benchbench.report.results import Results

_COLORS = [
    *("#3f7fbf", "#e08a3c", "#2fa084", "#b65a9c", "#c2a53a"),
    *("#8a93a3", "#cf5757", "#8c74c9", "#7d9b4e", "#a07850"),
]


def figure(_: Results) -> Figure:
    spec: Spec = {
        "height": {"step": 21},
        "mark": "bar",
        "encoding": {
            "y": {
                "field": "what",
                "type": "nominal",
                "title": None,
                "sort": None,
                "axis": {"labelLimit": 330, "labelPadding": 8},
            },
            "x": {
                "field": "percent",
                "type": "quantitative",
                "title": "share of the time, %",
                "scale": {"domain": [0, 100], "nice": False},
                "axis": {"tickCount": 6},
            },
            "order": {"field": "percent", "type": "quantitative", "sort": "descending"},
            "color": {
                "field": "op",
                "type": "nominal",
                "title": None,
                "sort": None,
                "scale": {"range": _COLORS},
                "legend": {"orient": "top", "columns": 4, "labelLimit": 240},
            },
            "tooltip": [
                {"field": "what", "title": "case"},
                {"field": "op", "title": "op type"},
                {"field": "percent", "title": "%", "format": ".1f"},
                {"field": "told", "title": "time"},
            ],
        },
    }
    alt = "Share of the time per op type of {family} on {place}"
    return Figure("profile", "operations", PAIR, "{place} · {family}", alt, spec)
