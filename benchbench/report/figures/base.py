"""What a figure is: a Vega-Lite spec without its rows. The page draws it with the rows that are selected, and
`drawing` draws it to a file; nothing else knows how a chart looks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from benchbench.analysis.rows import Row
from benchbench.report.results import Results

Spec = dict[str, Any]
Table = Literal["cases", "operations", "conditions", "during", "comparison"]
PAIR = ("place", "family")
ROWS = "rows"  # the name of a figure's data
_LEGEND_PX = 420  # about as wide as a legend may be: one that is wider than its plot leaves none of it


@dataclass(frozen=True, slots=True)
class Figure:
    """A chart of rows of one `table`, drawn once for each combination of the columns `each`.

    It takes the rows in which every column of `needs` has a value, and is drawn where `varies`, if given, has two of
    them. {column} in `title` and `alt` stands for what the first row has there.
    """

    name: str
    table: Table
    each: tuple[str, ...]
    title: str
    alt: str
    spec: Spec
    needs: tuple[str, ...] = ()
    varies: str | None = None
    wide: bool = True  # as wide as the page; else as its rows need


def drawn_rows(figure: Figure, rows: Sequence[Row]) -> list[Row]:
    """The rows that a figure takes of these; none where it is not to be drawn."""
    taken = [row for row in rows if all(row.get(name) is not None for name in figure.needs)]
    varied = figure.varies is None or len({row[figure.varies] for row in taken}) > 1
    return taken if varied else []


def filled(words: str, row: Row) -> str:
    """A title with the names of what is shown."""
    for name in (part.partition("}")[0] for part in words.split("{")[1:]):
        words = words.replace(f"{{{name}}}", str(row[name]))
    return words


# Vega expressions. A time is in milliseconds wherever it stands in a row.
def time_of(value: str, digits: int = 3) -> str:
    """A time with the unit in which it reads best, to so many significant digits, for an axis or beside a mark."""
    form = f"'.{digits}~r'"
    return (
        f"{value} == 0 ? '0' : abs({value}) >= 1000 ? format({value} / 1000, {form}) + ' s' : "
        f"abs({value}) >= 1 ? format({value}, {form}) + ' ms' : format({value} * 1000, {form}) + ' µs'"
    )


# A long name gives way in its middle: its ends tell variants apart.
BOTH_ENDS = "length(datum.label) > 28 ? slice(datum.label, 0, 13) + '…' + slice(datum.label, -14) : datum.label"
TIME_AXIS: Spec = {
    "tickCount": 6,
    "labelExpr": time_of("datum.value", 5),  # ticks may stand close
    "labelOverlap": "greedy",
    "labelSeparation": 8,
}
# Of 1, 2 … 9 of each power of ten, Vega names as many as there is room for. Where an axis spans so little that its
# ticks are others (7.2, 7.4 …), it may name none of them: these keep their names.
_UNNAMED = r"datum.label === '' && test(/^[0.]*[1-9][0.]*$/, '' + datum.value)"
LOG_TIME_AXIS: Spec = {**TIME_AXIS, "labelExpr": f"{_UNNAMED} ? '' : {TIME_AXIS['labelExpr']}"}
NAMES: Spec = {"labelExpr": BOTH_ENDS, "labelLimit": 230, "labelPadding": 8}
PALE: Spec = {"condition": {"test": "datum.broken", "value": 0.3}, "value": 1}
# Of each variant and delegate the case with the fastest threads among headline numbers.
BEST: list[Spec] = [
    {
        "calculate": "(isValid(datum.median_ms) ? datum.median_ms : 1e12) + (datum.headline ? 0 : 1e13)",
        "as": "order",
    },
    {
        "window": [{"op": "row_number", "as": "rank"}],
        "sort": [{"field": "order"}],
        "groupby": ["place", "family", "variant", "delegate"],
    },
    {"filter": "datum.rank === 1"},
]
BEST_HEADLINES: list[Spec] = [{"filter": "datum.headline"}, *BEST]
CASE_TIPS: list[Spec] = [
    {"field": name, "type": "nominal", "title": title}
    for name, title in (
        ("variant", "variant"),
        ("delegate", "asked for"),
        ("executor", "ran on"),
        ("threads", "threads"),
        ("label", "latency"),
        ("ends", "interval"),
    )
]


def color_of(colors: Mapping[str, str]) -> Spec:
    """Delegates by their colours, named in a legend."""
    columns = max(1, _LEGEND_PX // (26 + 7 * min(28, max(map(len, colors), default=1))))
    return {
        "field": "delegate",
        "type": "nominal",
        "title": None,
        "scale": {"domain": list(colors), "range": list(colors.values())},
        "legend": {
            "orient": "top",
            "symbolType": "square",
            "symbolOpacity": 1,
            "labelExpr": BOTH_ENDS,
            "columns": columns,
        },
    }


def rows_by(results: Results) -> Spec:
    """A row per variant and delegate, in the order of the plan."""
    return {
        "y": {
            "field": "variant",
            "type": "nominal",
            "title": None,
            "sort": planned(results, "variant"),
            "axis": NAMES,
            "scale": {"paddingInner": 0.14},
        },
        "yOffset": {
            "field": "delegate",
            "type": "nominal",
            "sort": list(results.colors),
            "scale": {"paddingInner": 0.14},
        },
    }


def planned(results: Results, column: str) -> list[str]:
    """The values of a column in the order of the plan."""
    return [str(value) for value in results.cases[column].unique()]


def kinds_of(labels: Mapping[str, str]) -> tuple[list[Spec], Spec]:
    """Several columns of a row as marks of one chart: the transform, and the shapes with their legend."""
    names = ", ".join(f"{name!r}: {label!r}" for name, label in labels.items())
    fold: list[Spec] = [
        {"fold": list(labels), "as": ["kind", "value"]},
        {"filter": "isValid(datum.value)"},
        {"calculate": f"{{{names}}}[datum.kind]", "as": "named"},
    ]
    shapes = ["triangle-up", "diamond", "square", "circle", "cross", "triangle-down", "triangle-left", "triangle-right"]
    shape: Spec = {
        "field": "named",
        "type": "nominal",
        "title": None,
        "scale": {"domain": list(labels.values()), "range": shapes[: len(labels)]},
        "legend": {"orient": "top", "columns": 3, "labelLimit": 160},
    }
    return fold, shape
