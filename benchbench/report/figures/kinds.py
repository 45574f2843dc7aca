"""The phases of a launch and the kinds of memory: a row per variant and delegate, a mark per kind."""

from __future__ import annotations

from benchbench.report.figures.base import (
    BEST_HEADLINES,
    CASE_TIPS,
    LOG_TIME_AXIS,
    PAIR,
    PALE,
    Figure,
    Spec,
    color_of,
    kinds_of,
    rows_by,
    time_of,
)
from benchbench.report.results import Results, phases_of
from benchbench.values.quantities import of_group


def phases(results: Results) -> Figure:
    """Initialisation, first inference, warm-up and steady state, on a logarithmic axis."""
    labels = {one.case_column: one.label for one in phases_of(results.cases["statistic"])}
    x: Spec = {
        "scale": {"type": "log", "nice": False, "padding": 10},
        "title": "time (logarithmic)",
        "axis": LOG_TIME_AXIS,
    }
    spec = _marks(results, labels, x, time_of("datum.value"), positive=True)
    alt = "Phases of a launch per variant and delegate of {family} on {place}"
    return Figure("phases", "cases", PAIR, "{place} · {family}", alt, spec, needs=("median_ms",))


def memory(results: Results) -> Figure:
    """What the model adds as a bar, each further kind as a mark, from zero."""
    added, *_ = of_group("added")
    labels = {one.case_column: one.label for one in (added, *of_group("memory"))}
    has = {name: label for name, label in labels.items() if results.cases[name].notna().any()}
    x: Spec = {"scale": {"zero": True, "nice": False}, "title": "MB", "axis": {"tickCount": 6}}
    spec = _marks(results, has, x, "format(datum.value, '.3~r') + ' MB'", positive=False)
    bar: Spec = {
        "transform": [{"filter": f"datum.kind === '{added.case_column}'"}],
        "mark": {"type": "bar", "opacity": 0.35},
        "encoding": {"x": {**x, "field": "value", "type": "quantitative"}, "color": color_of(results.colors)},
    }
    spec["layer"].insert(0, bar)
    alt = "Memory by kind per variant and delegate of {family} on {place}"
    return Figure("memory", "cases", PAIR, "{place} · {family}", alt, spec, needs=("memory_known",))


def _marks(results: Results, labels: dict[str, str], x: Spec, told: str, *, positive: bool) -> Spec:
    fold, shape = kinds_of(labels)
    axis: Spec = {**x, "type": "quantitative"}
    tips = [{"field": "named", "title": "what"}, {"field": "told", "title": "value"}, *CASE_TIPS[:4]]
    return {
        "height": {"step": 17, "for": "offset"},
        "transform": [
            *BEST_HEADLINES,
            *fold,
            *([{"filter": "datum.value > 0"}] if positive else []),
            {"calculate": told, "as": "told"},
            {
                "joinaggregate": [
                    {"op": "min", "field": "value", "as": "least"},
                    {"op": "max", "field": "value", "as": "most"},
                ],
                "groupby": ["variant", "delegate"],
            },
        ],
        "encoding": rows_by(results),
        "layer": [
            {
                "mark": {"type": "rule", "strokeWidth": 1.2, "opacity": 0.4},
                "encoding": {
                    "x": {**axis, "field": "least"},
                    "x2": {"field": "most"},
                    "color": color_of(results.colors),
                },
            },
            {
                "mark": {"type": "point", "filled": True, "size": 46},
                "encoding": {
                    "x": {**axis, "field": "value"},
                    "color": color_of(results.colors),
                    "shape": shape,
                    "opacity": PALE,
                    "tooltip": tips,
                },
            },
        ],
    }
