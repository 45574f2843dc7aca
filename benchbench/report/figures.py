"""The page's plots as PNG, drawn with matplotlib's objects (no pyplot, no display)."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from benchbench.analysis.formatting import METRICS, shorten
from benchbench.report.classes import per_class
from benchbench.report.drawing import (
    STYLE,
    WIDTH,
    alpha,
    delegate_keys,
    keep_inside,
    logarithmic,
    new_figure,
    rows_of,
    stack,
    with_legend,
)
from benchbench.report.results import (
    Panel,
    Results,
    bar_end,
    label,
    missing,
    phases_of,
    profile_rows,
    reach,
)
from benchbench.values import formatting
from benchbench.values.formatting import time_unit
from benchbench.values.quantities import of_group
from benchbench.values.quantity import Quantity

_COLUMNS = 4  # small plots side by side
_OPS = ("#3f7fbf", "#e08a3c", "#2fa084", "#b65a9c", "#c2a53a", "#8a93a3", "#cf5757", "#8c74c9", "#7d9b4e", "#a07850")
_MARKS = "^DsoPvX*"
_TINTS = LinearSegmentedColormap.from_list("tints", ["#e89a9a", "#ffffff", "#93c9ab"])  # worse, as the base, better


def write_figures(results: Results, folder: Path) -> tuple[Path, ...]:
    """Write each plot that has data as <name>.png into the folder; returns their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    with mpl.rc_context(STYLE), warnings.catch_warnings():
        # Such as a name in a script that the font lacks: it shows as boxes, and nobody at the terminal can mend it.
        warnings.simplefilter("ignore")
        logging.getLogger("matplotlib").setLevel(logging.ERROR)
        for name, draw in _PLOTS.items():
            figure = draw(results)
            if figure is None:
                continue
            path = folder / f"{name}.png"
            keep_inside(figure)
            figure.savefig(path)
            written.append(path)
    return tuple(written)


def _latency(results: Results) -> Figure | None:
    panels = results.panels
    if not panels:
        return None
    figure, axes = stack([len(panel.best) + panel.best["variant"].nunique() for panel in panels])
    for axis, panel in zip(axes, panels, strict=True):
        edge, per_ms = reach(panel), panel.unit.per_ms
        for y, row in rows_of(axis, panel):
            if shown := missing(row) is None:
                color, pale = results.colors[row["delegate"]], alpha(row)
                axis.barh(y, row["median_ms"] * per_ms, height=0.86, color=color, alpha=pale)
                axis.hlines(y, row["low_ms"] * per_ms, bar_end(row, edge) * per_ms, color="#1c2330", linewidth=1.1)
            style: dict[str, Any] = {} if shown else {"style": "italic", "color": "#7b8494"}
            at = (bar_end(row, edge) * per_ms, y)
            axis.annotate(label(row, edge), at, (4, 0), textcoords="offset points", va="center", fontsize=7.5, **style)
        axis.set_xlim(0, edge * per_ms)
        interval = formatting.intervals_explained(panel.best["launches"])
        axis.set_xlabel(f"{panel.statistic} latency, {panel.unit.name}: median over launches (line: {interval})")
        axis.set_title(panel.title)
    return with_legend(figure, delegate_keys(results))


def _threads(results: Results) -> Figure | None:
    lines: list[list[tuple[Panel, str, pd.DataFrame]]] = []
    for panel in results.panels:
        cases = panel.cases[panel.cases["headline"] & panel.cases["threads"].notna()]
        if cases["threads"].nunique() > 1:
            parts = [(panel, str(name), part) for name, part in cases.groupby("variant", sort=False)]
            lines += [parts[n : n + _COLUMNS] for n in range(0, len(parts), _COLUMNS)]
    if not lines:
        return None
    figure = new_figure(WIDTH, 2.0 * len(lines) + 0.6)
    for y, line in enumerate(lines):
        for x, (panel, name, part) in enumerate(line):
            axis = figure.add_subplot(len(lines), _COLUMNS, y * _COLUMNS + x + 1)
            axis.set_title(f"{shorten(panel.title, 24)}\n{shorten(name, 24)}", fontsize=8)
            _thread_lines(axis, part, results, panel.unit.per_ms)
            axis.set_ylabel(f"{panel.statistic}, {panel.unit.name}", fontsize=8)
            axis.set_xlabel("threads", fontsize=8)
    return with_legend(figure, delegate_keys(results))


def _thread_lines(axis: Axes, part: pd.DataFrame, results: Results, per_ms: float) -> None:
    for delegate, line in part.groupby("delegate", sort=False):
        ordered = line.sort_values("threads")
        n, times = ordered["threads"].astype(int), ordered["median_ms"] * per_ms
        axis.plot(n, times, marker="o", markersize=3.5, linewidth=1.4, color=results.colors[str(delegate)])
        axis.vlines(n, ordered["low_ms"] * per_ms, ordered["high_ms"] * per_ms, color="#1c2330", linewidth=0.9)
    axis.set_xticks(sorted(part["threads"].astype(int).unique()))
    axis.set_ylim(bottom=0)
    axis.tick_params(labelsize=7)


def _phases(results: Results) -> Figure | None:
    return _marks(results, phases_of(results.cases["statistic"]), log=True)


def _memory(results: Results) -> Figure | None:
    return _marks(results, of_group("memory"), log=False)


def _marks(results: Results, kinds: Sequence[Quantity], *, log: bool) -> Figure | None:
    """A row per variant and delegate, a mark per kind, times logarithmic; only of what ran where it was asked to."""
    panels = [(panel, panel.best[panel.best["headline"]]) for panel in results.panels]
    names = {kind.case_column: kind.label for kind in kinds}
    panels = [(panel, best) for panel, best in panels if best[list(names)].notna().any(axis=None)]
    if not panels:
        return None
    used = [kind for kind in names if any(best[kind].notna().any() for _, best in panels)]
    figure, axes = stack([len(best) + best["variant"].nunique() for _, best in panels])
    for axis, (panel, best) in zip(axes, panels, strict=True):
        unit = time_unit(best[used].max()) if log else None
        per_ms = unit.per_ms if unit else 1.0
        for y, row in rows_of(axis, Panel(panel.title, panel.cases, best)):
            known = [
                (row[kind] * per_ms, _MARKS[used.index(kind) % len(_MARKS)])
                for kind in used
                if _drawable(row[kind], log)
            ]
            color = results.colors[row["delegate"]]
            if known:
                values = [value for value, _ in known]
                axis.hlines(y, min(values), max(values), color=color, linewidth=0.9, alpha=0.5)
            for value, mark in known:
                axis.plot(value, y, mark, color=color, markersize=5, alpha=alpha(row))
        if log:
            logarithmic(axis)
        axis.set_xlabel(f"{unit.name} (logarithmic)" if unit else kinds[0].unit.symbol)
        axis.set_title(panel.title)
    shapes = [
        Line2D([], [], marker=_MARKS[used.index(kind) % len(_MARKS)], linestyle="", color="#4d5666", label=names[kind])
        for kind in used
    ]
    return with_legend(figure, [*shapes, *delegate_keys(results)])


def _accuracy(results: Results) -> Figure | None:
    table = results.tradeoffs
    table = table[table["accuracy"].notna() & (table["median_ms"] > 0)]
    if table.empty:
        return None
    places = list(table.groupby(["place", "family"], sort=False))
    figure, axes = stack([16] * len(places))
    for axis, ((place, family), group) in zip(axes, places, strict=True):
        unit = time_unit(group["median_ms"])
        for _, row in group.iterrows():
            edge = "#1c2330" if row["pareto"] else "none"
            mark: dict[str, Any] = {"marker": "X" if row["broken"] else "o", "alpha": alpha(row), "edgecolor": edge}
            axis.scatter(
                row["median_ms"] * unit.per_ms, row["accuracy"], s=42, color=results.colors[row["delegate"]], **mark
            )
            if row["broken"]:
                at = (row["median_ms"] * unit.per_ms, row["accuracy"])
                words = f"✕ output broken: {shorten(row['variant'], 24)}"
                axis.annotate(words, at, (6, 0), textcoords="offset points", fontsize=7.5, va="center")
        front = group[group["pareto"]].drop_duplicates(["median_ms", "accuracy"]).sort_values("median_ms")
        for n, (_, row) in enumerate(front.iterrows()):
            at = (row["median_ms"] * unit.per_ms, row["accuracy"])
            # Above and below in turn, so that neighbours do not run into each other.
            aside = (5, 5 if n % 2 else -11)
            axis.annotate(shorten(row["variant"], 24), at, aside, textcoords="offset points", fontsize=7.5)
        logarithmic(axis)
        axis.margins(0.08, 0.15)
        axis.set_xlabel(f"{formatting.statistic_title(group['statistic'])} latency, {unit.name} (logarithmic)")
        axis.set_ylabel(METRICS[group["metric"].iloc[0]].title)
        axis.set_title(f"{place} · {shorten(family)} (ringed: Pareto front)")
    return with_legend(figure, delegate_keys(results))


def _classes(results: Results) -> Figure | None:
    """Recall per class, tinted by its difference from the base: which classes a variant forgets."""
    panels = [found for panel in results.panels if (found := per_class(results, panel))]
    if not panels:
        return None
    figure, axes = stack([len(panel.rows) + 6 for panel in panels])
    for axis, panel in zip(axes, panels, strict=True):
        tints = [[cell.tint if cell else 0.0 for cell in row.cells] for row in panel.rows]
        axis.imshow(tints, cmap=_TINTS, vmin=-1, vmax=1, aspect="auto")
        for y, row in enumerate(panel.rows):
            for x, cell in enumerate(row.cells):
                axis.text(x, y, f"{100 * cell.share:.0f}" if cell else "–", ha="center", va="center", fontsize=7.5)
        marks = [" (baseline)" * row.base + " ✕ output broken" * row.broken for row in panel.rows]
        titles = [shorten(f"{row.variant} · {row.ran}", 40) for row in panel.rows]
        axis.set_yticks(range(len(titles)), [a + b for a, b in zip(titles, marks, strict=True)], fontsize=7.5)
        names = [shorten(name, 20) for name in panel.names]
        axis.set_xticks(range(len(names)), names, fontsize=7.5, rotation=30, ha="right", rotation_mode="anchor")
        axis.grid(visible=False)
        axis.set_title(f"{panel.title}: recall per class, %")
    return figure


def _profile(results: Results) -> Figure | None:
    """Stacked shares of the op types per case."""
    groups = [(panel.title, rows) for panel in results.panels if (rows := profile_rows(results, panel))]
    if not groups:
        return None
    ops = list(dict.fromkeys(row["op"] for _, rows in groups for row in rows))
    figure, axes = stack([len({row["case"] for row in rows}) for _, rows in groups])
    for axis, (title, rows) in zip(axes, groups, strict=True):
        cases = list(dict.fromkeys(row["case"] for row in rows))
        done = dict.fromkeys(cases, 0.0)
        for row in rows:
            y, color = cases.index(row["case"]), _OPS[ops.index(row["op"]) % len(_OPS)]
            axis.barh(y, row["percent"], left=done[row["case"]], height=0.82, color=color)
            done[row["case"]] += row["percent"]
        axis.set_yticks(range(len(cases)), [shorten(case, 44) for case in cases], fontsize=7.5)
        axis.set_ylim(len(cases) - 0.4, -0.6)
        axis.set_xlim(0, 100)
        axis.grid(visible=False, axis="y")
        axis.set_xlabel("share of the time, %")
        axis.set_title(title)
    keys = [Patch(color=_OPS[n % len(_OPS)], label=shorten(op, 36)) for n, op in enumerate(ops)]
    return with_legend(figure, keys)


def _conditions(results: Results) -> Figure | None:
    found = [
        (str(place), condition.name, condition.title, trials[trials[condition.name].notna()].sort_values("position"))
        for place, trials in results.trials.groupby("place", sort=False)
        for condition in of_group("before")
        if trials[condition.name].notna().any()
    ]
    if not found:
        return None
    figure, axes = stack([8] * len(found))
    for axis, (place, column, title, trials) in zip(axes, found, strict=True):
        axis.plot(trials["position"], trials[column], color="#7d8aa0", linewidth=1, marker=".", markersize=3)
        bad = trials[trials["throttled"] != ""]
        axis.plot(bad["position"], bad[column], "^", color="#cf5757", markersize=6)
        axis.set_title(f"{place}: {title}", fontsize=9)
    axes[-1].set_xlabel("trial, in the order of the run", fontsize=8)
    flag = Line2D([], [], marker="^", linestyle="", color="#cf5757", label="throttle flag seen")
    return with_legend(figure, [flag])


_PLOTS: dict[str, Callable[[Results], Figure | None]] = {
    "latency": _latency,
    "threads": _threads,
    "phases": _phases,
    "memory": _memory,
    "accuracy": _accuracy,
    "classes": _classes,
    "profile": _profile,
    "conditions": _conditions,
}


def _drawable(value: float, log: bool) -> bool:
    return not pd.isna(value) and (value > 0 or not log)
