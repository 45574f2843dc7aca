"""Where the time goes: the op types of one inference, and the partitions that a delegate took as one block."""

from __future__ import annotations

from benchbench.report.figures.base import PAIR, Figure, Spec
from benchbench.report.results import Results

_COLORS = [
    *("#3f7fbf", "#e08a3c", "#2fa084", "#b65a9c", "#c2a53a"),
    *("#8a93a3", "#cf5757", "#8c74c9", "#7d9b4e", "#a07850"),
]


_MOST = 9  # op types with a colour of their own, of those in one chart that take most time
_OTHERS = "all others"
_RANKED: list[Spec] = [
    {"joinaggregate": [{"op": "sum", "field": "percent", "as": "sum"}], "groupby": ["op"]},
    {
        "window": [{"op": "dense_rank", "as": "rank"}],
        "sort": [{"field": "sum", "order": "descending"}, {"field": "op", "order": "ascending"}],
    },
    {"calculate": f"datum.op === '{_OTHERS}' || datum.rank > {_MOST} ? '{_OTHERS}' : datum.op", "as": "named"},
    {"calculate": f"datum.named === '{_OTHERS}' ? {_MOST + 1} : datum.rank", "as": "place"},
]


def figure(_: Results) -> Figure:
    spec: Spec = {
        "height": {"step": 21},
        "transform": _RANKED,
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
            "order": {"field": "place", "type": "quantitative"},
            "color": {
                "field": "named",
                "type": "nominal",
                "title": None,
                "sort": {"field": "place", "op": "min"},
                "scale": {"range": _COLORS},
                "legend": {"orient": "top", "columns": 2, "labelLimit": 200},
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
