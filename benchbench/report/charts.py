"""The interactive charts, as Vega-Lite specs; width follows the page, colours of text and grid follow its theme."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt
import pandas as pd

from benchbench.analysis.formatting import METRICS, measured, shorten
from benchbench.analysis.tradeoffs import is_broken
from benchbench.report.results import Panel, Results, bar_end, label, missing, phases_of, reach
from benchbench.values import formatting
from benchbench.values.formatting import TimeUnit, time_unit
from benchbench.values.quantities import of_group
from benchbench.values.quantity import Quantity

_ROW = 17  # pixels per bar
_FEW = alt.Axis(tickCount=8)
# A long name gives way in its middle, as `shorten` has it: its ends tell variants apart.
_BOTH_ENDS = "length(datum.label) > 28 ? slice(datum.label, 0, 13) + '…' + slice(datum.label, -14) : datum.label"
_PALE = alt.condition(alt.datum.broken, alt.value(0.3), alt.value(1))
_BROKEN = ", output broken"
_SHAPES = ["triangle-up", "diamond", "square", "circle", "cross", "triangle-down", "triangle-left", "triangle-right"]


@dataclass(frozen=True, slots=True)
class Chart:
    """A spec with its title and the words for those who do not see it."""

    title: str
    alt: str
    spec: dict[str, Any]


def latency(results: Results, panel: Panel) -> Chart:
    """Bars of the latency with its interval per variant and delegate; what ran elsewhere is a line of text, no bar."""
    edge = reach(panel)
    per_ms = panel.unit.per_ms
    rows = [
        _row(row, panel.unit) | {"text": label(row, edge), "at": bar_end(row, edge) * per_ms}
        for _, row in panel.best.iterrows()
    ]
    base = alt.Chart(_data(rows)).encode(y=_variants(panel), yOffset=_delegates(panel))
    scale = alt.Scale(domain=[0, edge * per_ms], nice=False)
    x = alt.X("time:Q", title=f"{_latency(panel)}, {panel.unit.name}", scale=scale, axis=_FEW)
    shown = base.transform_filter("datum.shown")
    bars = shown.mark_bar(cornerRadiusEnd=2, height={"band": 0.86}).encode(
        x=x, color=_color(results), opacity=_PALE, tooltip=_tooltip("latency", "interval", "threads", "ran")
    )
    ends = shown.mark_rule(strokeWidth=1.5).encode(x="low:Q", x2="at:Q")
    text = base.mark_text(align="left", dx=6, fontSize=11).encode(x=alt.X("at:Q"), text="text:N")
    layers = [bars, ends, text]
    if not any(row["shown"] for row in rows):
        layers = [text.encode(x=alt.X("at:Q", axis=None, scale=scale))]
    return _chart(
        panel.title,
        f"{_latency(panel).capitalize()} per variant and delegate on {panel.title}.",
        alt.layer(*layers).properties(height=_height(panel)),
    )


def threads(results: Results, panel: Panel) -> Chart | None:
    """Latency over threads, one small chart per variant; None where only one number of threads was measured."""
    cases = panel.cases[panel.cases["headline"] & panel.cases["threads"].notna()]
    if cases["threads"].nunique() < 2:
        return None
    rows = [_row(row, panel.unit) | {"n": int(row["threads"])} for _, row in cases.iterrows()]
    base = alt.Chart().encode(
        x=alt.X("n:O", title="threads", axis=alt.Axis(labelAngle=0)),
        y=alt.Y(
            "time:Q",
            title=f"{panel.statistic}, {panel.unit.name}",
            scale=alt.Scale(zero=True),
            axis=alt.Axis(tickCount=3, labelFlush=True),
        ),
        color=_color(results),
        opacity=_PALE,
        tooltip=_tooltip("latency", "interval", "threads", "ran"),
    )
    lines = base.mark_line(strokeWidth=2)
    dots = base.mark_point(filled=True, size=36)
    ends = base.mark_rule(strokeWidth=1.2).encode(y="low:Q", y2="high:Q")
    order = list(dict.fromkeys(row["variant"] for row in rows))
    # Rows without gaps where that can be: Vega-Lite draws an axis also where no chart stands.
    columns = min(len(order), 3 if len(order) % 3 == 0 and len(order) % 4 else 4)
    grid = (
        alt.layer(lines, ends, dots, data=_data(rows))
        .properties(width=860 // columns if columns > 2 else 300, height=120)
        .facet(
            alt.Facet("variant:N", title=None, sort=order, header=alt.Header(labelExpr=_BOTH_ENDS)),
            columns=columns,
            spacing={"row": 16, "column": 24},
        )
        .resolve_scale(y="independent")
    )
    return Chart(panel.title, f"Latency by number of threads per variant on {panel.title}.", grid.to_dict())


def phases(panel: Panel, results: Results) -> Chart | None:
    """Initialisation, first inference, warm-up and steady state, each its own mark on a logarithmic axis."""
    found = phases_of(panel.cases["statistic"])
    unit = time_unit(panel.best.loc[panel.best["headline"], [one.case_column for one in found]].max())
    return _kinds(results, panel, found, unit, "Phases of a launch", log=True)


def memory(panel: Panel, results: Results) -> Chart | None:
    """Each kind of memory by its own mark and name."""
    return _kinds(results, panel, of_group("memory"), None, "Memory by kind", log=False)


def accuracy(results: Results, panel: Panel) -> Chart | None:
    """Accuracy over latency with intervals; the Pareto front is ringed and named."""
    table = results.tradeoffs_of(panel)
    if table.empty or table["accuracy"].isna().all():
        return None
    rows = [
        _row(row, panel.unit)
        | {"accuracy": float(row["accuracy"]), "pareto": bool(row["pareto"]), "measured": measured(row)}
        for _, row in table[table["accuracy"].notna() & (table["median_ms"] > 0)].iterrows()
    ]
    front_rows = sorted((row for row in rows if row["pareto"]), key=lambda row: row["time"])
    for n, row in enumerate(front_rows):
        row |= {"above": row["variant"] if n % 2 else "", "below": "" if n % 2 else row["variant"]}
    name = METRICS[table["metric"].iloc[0]].title
    base = alt.Chart(_data(rows)).encode(
        x=alt.X(
            "time:Q",
            title=f"{_latency(panel)}, {panel.unit.name} (logarithmic)",
            scale=alt.Scale(type="log", nice=False, padding=24),
            axis=_FEW,
        ),
        y=alt.Y("accuracy:Q", title=name, scale=alt.Scale(zero=False, padding=14)),
    )
    dots = base.mark_point(filled=True, size=70).encode(
        color=_color(results),
        opacity=_PALE,
        shape=alt.condition(alt.datum.broken, alt.value("cross"), alt.value("circle")),
        tooltip=[*_tooltip("latency", "interval", "threads", "ran"), alt.Tooltip("measured:N", title=name)],
    )
    front = base.transform_filter("datum.pareto")
    rings = front.mark_point(size=190, strokeWidth=1.4)
    # Neighbours on the front are named above and below in turn, so that names do not run into each other.
    names = front.mark_text(align="left", dx=10, dy=-9, fontSize=11).encode(text="above:N")
    under = front.mark_text(align="left", dx=10, dy=11, fontSize=11).encode(text="below:N")
    layers = [dots, rings, names, under]
    if any(row["broken"] for row in rows):
        wrong = base.transform_filter("datum.broken").transform_calculate(words="'✕ output broken: ' + datum.variant")
        layers.append(wrong.mark_text(align="left", dx=10, fontSize=11).encode(text="words:N"))
    chart = alt.layer(*layers).properties(height=260)
    return _chart(panel.title, f"{name} over latency on {panel.title}; the Pareto front is ringed.", chart)


def profile(title: str, rows: list[dict[str, Any]]) -> Chart:
    """Where the time goes, per op type or delegate partition, as shares of one inference."""
    known = [row | {"case": shorten(row["case"], 60), "time": formatting.time(row["mean_ms"])} for row in rows]
    order = list(dict.fromkeys(row["case"] for row in known))
    chart = (
        alt.Chart(_data(known))
        .mark_bar()
        .encode(
            y=alt.Y("case:N", title=None, sort=order, axis=alt.Axis(labelLimit=330)),
            x=alt.X("percent:Q", title="share of the time, %", scale=alt.Scale(domain=[0, 100], nice=False), axis=_FEW),
            order=alt.Order("percent:Q", sort="descending"),
            color=alt.Color("op:N", title=None, legend=alt.Legend(orient="top", columns=4, labelLimit=240)),
            tooltip=["case:N", "op:N", "percent:Q", alt.Tooltip("time:N", title="time")],
        )
        .properties(height=22 * len(order))
    )
    return _chart(title, f"Share of the time per op type on {title}.", chart)


def conditions(place: str, trials: pd.DataFrame, condition: Quantity) -> Chart | None:
    """One condition over the order of the trials; throttled trials are marked."""
    column, title = condition.name, condition.title
    known = trials[trials[column].notna()].sort_values("position")
    if known.empty:
        return None
    rows = [
        {
            "position": int(row["position"]),
            "value": float(row[column]),
            "trial": shorten(row["trial"], 80),
            "throttled": row["throttled"],
        }
        for _, row in known.iterrows()
    ]
    base = alt.Chart(_data(rows)).encode(
        x=alt.X("position:Q", title="trial, in the order of the run", scale=alt.Scale(nice=False)),
        y=alt.Y("value:Q", title=title, scale=alt.Scale(zero=False), axis=alt.Axis(tickCount=4)),
    )
    line = base.mark_line(strokeWidth=1.2, color="#7d8aa0")
    dots = base.mark_point(filled=True, size=14, color="#7d8aa0").encode(tooltip=["trial:N", "value:Q", "throttled:N"])
    layers = [line, dots]
    if any(row["throttled"] for row in rows):  # a layer without a mark makes Vega complain
        hot = base.transform_filter("datum.throttled != ''")
        layers.append(hot.mark_point(shape="triangle-up", size=64, color="#cf5757", filled=True))
    return _chart(
        f"{place}: {title}", f"{title} over the trials on {place}.", alt.layer(*layers).properties(height=120)
    )


def _kinds(
    results: Results, panel: Panel, kinds: Sequence[Quantity], unit: TimeUnit | None, about: str, *, log: bool
) -> Chart | None:
    """A row per variant and delegate, a mark per kind, times in `unit`; only of what ran where it was asked to."""
    title = f"{unit.name if unit else kinds[0].unit.symbol}{' (logarithmic)' * log}"
    rows = [
        _row(row, panel.unit)
        | {"kind": kind.label, "value": value * (unit.per_ms if unit else 1.0), "said": kind.text(value)}
        for _, row in panel.best[panel.best["headline"]].iterrows()
        for kind in kinds
        if not pd.isna(value := row[kind.case_column]) and (value > 0 or not log)
    ]
    if not rows:
        return None
    base = alt.Chart(_data(rows)).encode(y=_variants(panel), yOffset=_delegates(panel), color=_color(results))
    scale = alt.Scale(type="log", nice=False, padding=10) if log else alt.Scale(zero=False, nice=False, padding=10)
    x = alt.X("value:Q", title=title, scale=scale, axis=_FEW)
    span = base.mark_rule(strokeWidth=1.2, opacity=0.5).encode(x=alt.X("min(value):Q", title=title), x2="max(value):Q")
    named = [kind.label for kind in kinds if any(row["kind"] == kind.label for row in rows)]
    shape = alt.Shape(
        "kind:N",
        title=None,
        scale=alt.Scale(domain=named, range=_SHAPES[: len(named)]),
        legend=alt.Legend(orient="top", columns=4, labelLimit=220),
    )
    tips = [*_tooltip("threads", "ran"), alt.Tooltip("kind:N"), alt.Tooltip("said:N", title="value")]
    dots = base.mark_point(filled=True, size=46).encode(x=x, shape=shape, opacity=_PALE, tooltip=tips)
    return _chart(
        panel.title,
        f"{about} per variant and delegate on {panel.title}.",
        (span + dots).properties(height=_height(panel)),
    )


def _latency(panel: Panel) -> str:
    return "latency" if panel.statistic == "latency" else f"{panel.statistic} latency"


def _row(row: pd.Series, unit: TimeUnit) -> dict[str, Any]:
    """What every chart needs of a case, as plain JSON values, times in `unit`; NaN becomes null."""
    name = formatting.interval_name(int(row["launches"]))
    interval = formatting.interval(row["low_ms"], row["high_ms"])
    return {
        "variant": shorten(row["variant"], 32),
        "delegate": shorten(row["delegate"], 32),
        "time": _number(row["median_ms"], unit),
        "latency": f"{formatting.time(row['median_ms'])} ({row['statistic']})",
        "low": _number(row["low_ms"], unit),
        "high": _number(row["high_ms"], unit),
        "shown": missing(row) is None,
        "interval": name if interval == formatting.NOTHING else f"{interval} ({name})",
        "threads": None if pd.isna(row["threads"]) else int(row["threads"]),
        "ran": (row["executor"] if isinstance(row["executor"], str) else "nothing") + _BROKEN * is_broken(row),
        "broken": is_broken(row),
    }


def _number(value: Any, unit: TimeUnit) -> float | None:
    return None if value is None or math.isnan(value) else float(f"{value * unit.per_ms:.6g}")


def _data(rows: list[dict[str, Any]]) -> alt.InlineData:
    return alt.InlineData(values=rows)


def _variants(panel: Panel) -> alt.Y:
    order = list(dict.fromkeys(shorten(name, 32) for name in panel.cases["variant"]))
    return alt.Y("variant:N", title=None, sort=order, axis=alt.Axis(labelLimit=220, labelPadding=8))


def _delegates(panel: Panel) -> alt.YOffset:
    return alt.YOffset("delegate:N", sort=list(dict.fromkeys(shorten(name, 32) for name in panel.cases["delegate"])))


def _color(results: Results) -> alt.Color:
    names = [shorten(name, 32) for name in results.colors]
    scale = alt.Scale(domain=names, range=list(results.colors.values()))
    return alt.Color(
        "delegate:N", title=None, scale=scale, legend=alt.Legend(orient="top", symbolType="square", symbolOpacity=1)
    )


def _tooltip(*fields: str) -> list[alt.Tooltip]:
    return [alt.Tooltip(f"{field}:N") for field in ("variant", "delegate", *fields)]


def _height(panel: Panel) -> int:
    """Pixels for a row per variant and delegate, with air between the variants."""
    return int(panel.best["variant"].nunique() * (_ROW * panel.best["delegate"].nunique() + 10))


def _chart(title: str, words: str, chart: Any) -> Chart:
    """A chart as wide as the page."""
    fit = alt.AutoSizeParams(type="fit-x", contains="padding")
    return Chart(title, words, chart.properties(width="container", autosize=fit).to_dict())
