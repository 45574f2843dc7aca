"""What a device went through, in the order of its trials; throttled trials are marked."""

from __future__ import annotations

from benchbench.report.figures.base import Figure, Spec
from benchbench.report.results import Results
from benchbench.values.quantities import of_group

THROTTLED, PLAIN = "#cf5757", "#7d8aa0"


def figures(_: Results) -> tuple[Figure, ...]:
    """One for each condition that is read before a trial."""
    return tuple(
        Figure(
            f"conditions-{one.name}", "conditions", ("place",), f"{{place}}: {one.title}",
            f"{one.title} over the trials on {{place}}", _spec(one.name, one.title), needs=(one.name,),
        )
        for one in of_group("before")
    )  # fmt: skip


def while_running(_: Results) -> tuple[Figure, ...]:
    """The hottest sensor, and the clock of each cluster of cores, while trials ran."""
    told = (("temperature", "hottest sensor while trials ran, °C"), ("clock", "lowest clock while trials ran, MHz"))
    return tuple(
        Figure(
            f"during-{what}", "during", ("place",), f"{{place}}: {title}", f"{title}, on {{place}}",
            _over_the_run(what), needs=(what,),
        )
        for what, title in told
    )  # fmt: skip


def _over_the_run(what: str) -> Spec:
    by_cluster: Spec = {"field": "of", "type": "nominal", "title": None, "legend": {"orient": "right"}}
    of: Spec = {"color": by_cluster if what == "clock" else {"value": PLAIN}}
    return {
        "height": 120,
        "mark": {"type": "line", "strokeWidth": 1.2, "point": {"size": 14}},
        "encoding": {
            "x": {
                "field": "minute",
                "type": "quantitative",
                "title": "minutes since the first look",
                "scale": {"nice": False},
                "axis": {"tickCount": 10},
            },
            "y": {
                "field": what,
                "type": "quantitative",
                "title": None,
                "scale": {"zero": False},
                "axis": {"tickCount": 4},
            },
            **of,
            "tooltip": [{"field": "sensor"}, {"field": what}, {"field": "case"}],
        },
    }


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
                "axis": {"tickMinStep": 1, "labelOverlap": "greedy", "labelSeparation": 8},
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
            {"mark": {"type": "line", "strokeWidth": 1.2, "color": PLAIN}},
            {"mark": {"type": "point", "filled": True, "size": 14, "color": PLAIN}, "encoding": {"tooltip": tips}},
            {
                "transform": [{"filter": "isValid(datum.throttled)"}],
                "mark": {"type": "point", "shape": "triangle-up", "size": 64, "color": THROTTLED, "filled": True},
                "encoding": {"tooltip": tips},
            },
        ],
    }
