"""How far the launches of a case lie apart: each against the case's median."""

from __future__ import annotations

from benchbench.report.figures.base import (
    BEST_HEADLINES,
    CASE_TIPS,
    PAIR,
    Figure,
    Spec,
    color_of,
    rows_by,
)
from benchbench.report.results import Results


def figure(results: Results) -> Figure:
    spec: Spec = {
        "height": {"step": 15, "for": "offset"},
        "transform": [
            *BEST_HEADLINES,
            {"flatten": ["samples_ms"], "as": ["sample"]},
            {"calculate": "100 * (datum.sample / datum.median_ms - 1)", "as": "off"},
        ],
        "mark": {"type": "tick", "thickness": 2, "bandSize": 11, "opacity": 1},
        "encoding": {
            **rows_by(results),
            "x": {
                "field": "off",
                "type": "quantitative",
                "title": "launch against the median of its case, %",
                "scale": {"nice": False, "padding": 8},
                "axis": {"tickCount": 8, "labelExpr": "(datum.value > 0 ? '+' : '') + format(datum.value, '~r')"},
            },
            "color": color_of(results.colors),
            "tooltip": [*CASE_TIPS, {"field": "off", "title": "off, %", "format": "+.1f"}],
        },
    }
    alt = "Launches against the median of their case, of {family} on {place}"
    return Figure("stability", "cases", PAIR, "{place} · {family}", alt, spec, needs=("headline_ms", "low_ms"))
