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
    kinds = of_group("memory")
    has = {one.case_column: one.label for one in kinds if results.cases[one.case_column].notna().any()}
    x: Spec = {"scale": {"zero": True}, "title": "MB", "axis": {"tickCount": 6}}
    told = "format(datum.value, '.3~r') + ' MB'"
    spec = _marks(results, has, x, told, positive=False)
    bar: Spec = {
        "transform": [{"calculate": f"datum.{added.case_column}", "as": "value"}, {"calculate": told, "as": "told"}],
        "mark": {"type": "bar", "opacity": 0.35},
        "encoding": {
            "x": {**x, "field": added.case_column, "type": "quantitative"},
            "color": color_of(results.colors),
            "tooltip": [{"field": "told", "title": added.label}, *CASE_TIPS[:4]],
        },
    }
    spec["layer"].insert(0, bar)
    alt = "Memory by kind per variant and delegate of {family} on {place}"
    return Figure("memory", "cases", PAIR, "{place} · {family}", alt, spec, needs=("memory_known",))


def _marks(results: Results, labels: dict[str, str], x: Spec, told: str, *, positive: bool) -> Spec:
    fold, shape = kinds_of(labels)
    kinds: list[Spec] = [
        *fold,
        *([{"filter": "datum.value > 0"}] if positive else []),
        {"calculate": told, "as": "told"},
    ]
    ends: Spec = {
        "joinaggregate": [
            {"op": "min", "field": "value", "as": "least"},
            {"op": "max", "field": "value", "as": "most"},
        ],
        "groupby": ["variant", "delegate"],
    }
    axis: Spec = {**x, "type": "quantitative"}
    tips = [{"field": "named", "title": "what"}, {"field": "told", "title": "value"}, *CASE_TIPS[:4]]
    return {
        "height": {"step": 17, "for": "offset"},
        "transform": BEST_HEADLINES,
        "encoding": rows_by(results),
        "layer": [
            {
                "transform": [*kinds, ends],
                "mark": {"type": "rule", "strokeWidth": 1.2, "opacity": 0.4},
                "encoding": {
                    "x": {**axis, "field": "least"},
                    "x2": {"field": "most"},
                    "color": color_of(results.colors),
                },
            },
            {
                "transform": kinds,
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
