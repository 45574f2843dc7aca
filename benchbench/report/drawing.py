"""What the plots share: style, figures with one plot under another, rows by variant, axes and legends."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.text import Annotation
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from benchbench.analysis.formatting import shorten
from benchbench.analysis.tradeoffs import is_broken
from benchbench.report.results import Panel, Results
from benchbench.values import formatting

STYLE: dict[Any, Any] = {
    "text.parse_math": False,  # a name may hold dollar signs
    "font.size": 9,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.edgecolor": "#c9ced6",
    "axes.labelcolor": "#4d5666",
    "xtick.color": "#4d5666",
    "ytick.color": "#1c2330",
    "grid.color": "#e8eaee",
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
}
WIDTH = 10.0  # inches
_DPI = 140
_CHARACTERS = 130  # of a legend in one line


def new_figure(width: float, height: float) -> Figure:
    figure = Figure(figsize=(width, height), dpi=_DPI, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def stack(rows: Sequence[int]) -> tuple[Figure, list[Axes]]:
    """A figure with one plot under another, each as high as its number of rows needs."""
    heights = [max(1.2, 0.17 * count) + 0.5 for count in rows]
    figure = new_figure(WIDTH, max(2.0, sum(heights) + 0.6))
    grid = figure.subplots(len(rows), 1, squeeze=False, gridspec_kw={"height_ratios": heights})
    return figure, [axis for line in grid for axis in line]


def rows_of(axis: Axes, panel: Panel) -> list[tuple[float, pd.Series]]:
    """The panel's cases with their place on the y axis, grouped by variant from the top; labels the axis."""
    placed: list[tuple[float, pd.Series]] = []
    ticks: list[tuple[float, str]] = []
    y = 0.0
    for name, group in panel.best.groupby("variant", sort=False):
        placed += [(y + n, row) for n, (_, row) in enumerate(group.iterrows())]
        ticks.append((y + (len(group) - 1) / 2, shorten(name, 30)))
        y += len(group) + 0.8
    axis.set_yticks([at for at, _ in ticks], [name for _, name in ticks])
    axis.set_ylim(y - 0.9, -0.9)
    axis.grid(visible=False, axis="y")
    axis.tick_params(axis="y", length=0)
    return placed


def logarithmic(axis: Axes) -> None:
    """A logarithmic x axis with plain numbers: 1, 2, 5, 10, …"""
    axis.set_xscale("log")
    axis.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.xaxis.set_major_formatter(FuncFormatter(lambda x, _: formatting.plain(x)))
    axis.xaxis.set_minor_locator(NullLocator())


def alpha(row: pd.Series) -> float:
    """Pale where an output is broken, so that its time is that of wrong answers."""
    return 0.3 if is_broken(row) else 1.0


def delegate_keys(results: Results) -> list[Any]:
    return [Patch(color=color, label=shorten(name, 32)) for name, color in results.colors.items()]


def with_legend(figure: Figure, keys: list[Any]) -> Figure:
    longest = max((len(key.get_label()) for key in keys), default=0)
    columns = max(1, min(len(keys), _CHARACTERS // (longest + 8)))
    figure.legend(handles=keys, loc="outside upper center", ncols=columns, fontsize=8.5)
    return figure


def keep_inside(figure: Figure) -> None:
    """Move words that would run past the right edge back by as much; the layout stays as it is after that."""
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    points = 72 / figure.dpi
    for words in figure.findobj(Annotation):
        over = words.get_window_extent().x1 + 4 - figure.bbox.x1
        if over > 0:
            x, y = words.xyann
            words.xyann = (x - over * points, y)
