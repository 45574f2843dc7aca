"""What a device went through, in the order of its trials; throttled trials are marked."""

from __future__ import annotations

from benchbench.report.figures.base import Figure, Spec
from benchbench.report.results import Results
from benchbench.values.quantities import of_group

THROTTLED = "#cf5757"


def figures(_: Results) -> tuple[Figure, ...]:
    """One for each condition that is read before a trial."""
    return tuple(
        Figure(
            f"conditions-{one.name}", "conditions", ("place",), f"{{place}}: {one.title}",
            f"{one.title} over the trials on {{place}}", _spec(one.name, one.title), needs=(one.name,),
        )
        for one in of_group("before")
    )  # fmt: skip


def _spec(column: str, title: str) -> Spec:
    tips = [{"field": "case"}, {"field": column, "title": title}, {"field": "throttled"}]
    return {
        "height": 120,
        "encoding": {
            "x": {
                "field": "position",
                "type": "quantitative",
                "title": "trial, in the order of the run",
                "scale": {"nice": False},
            },
            "y": {
                "field": column,
                "type": "quantitative",
                "title": None,
                "scale": {"zero": False},
                "axis": {"tickCount": 4},
            },
        },
        "layer": [
            {"mark": {"type": "line", "strokeWidth": 1.2, "color": "#7d8aa0"}},
            {"mark": {"type": "point", "filled": True, "size": 14, "color": "#7d8aa0"}, "encoding": {"tooltip": tips}},
            {
                "transform": [{"filter": "isValid(datum.throttled)"}],
                "mark": {"type": "point", "shape": "triangle-up", "size": 64, "color": THROTTLED, "filled": True},
                "encoding": {"tooltip": tips},
            },
        ],
    }
