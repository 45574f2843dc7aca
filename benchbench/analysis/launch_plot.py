"""`Run.plot`: every launch of a quantity on a matplotlib Axes, for notebooks that go on with it.

Figures of the page are Vega-Lite (`benchbench.figure`), and none of them is this one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Protocol

import pandas as pd

from benchbench.analysis.cases import counted_by_purpose
from benchbench.analysis.disturbances import Disturbance
from benchbench.analysis.formatting import missing, shorten
from benchbench.analysis.intervals import FEWEST, Interval, median_interval
from benchbench.analysis.rows import Row, rows_of
from benchbench.analysis.tradeoffs import is_broken
from benchbench.run_folder.manifest import Manifest
from benchbench.values.errors import InputError, NothingToDo
from benchbench.values.formatting import interval_title, known
from benchbench.values.outcome import Outcome
from benchbench.values.quantities import PER_LAUNCH
from benchbench.values.quantity import Quantity
from benchbench.values.visible import visible

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_NAMED = ("device", "variant", "delegate", "threads", "affinity")  # what may tell one case from another
_WIDTH_IN, _MARGINS_IN, _LINE_IN = 8.0, 1.3, 0.34


class Launched(Protocol):
    """A run, as far as its launches are drawn."""

    @property
    def name(self) -> str: ...

    @property
    def manifest(self) -> Manifest: ...

    @property
    def outcomes(self) -> Sequence[Outcome]: ...

    @property
    def disturbances(self) -> Mapping[str, Disturbance]: ...

    @property
    def trials(self) -> pd.DataFrame: ...

    @property
    def cases(self) -> pd.DataFrame: ...


@dataclass(frozen=True, slots=True)
class _Line:
    """One case: the launches behind its number, and those that are in none."""

    place: int  # from the top
    label: str
    delegate: str
    counted: Sequence[float]
    left_out: Sequence[float]
    interval: Interval | None


def plot_launches(run: Launched, name: str, cases: pd.DataFrame | None, ax: Axes | None) -> Axes:
    """See `Run.plot`."""
    quantity, rows = _quantity(run, name), _rows(run, cases)
    lines = _lines(run, rows, quantity)
    if not any(line.counted for line in lines):
        raise NothingToDo(f"no launch of these cases has {name}", remedy="choose others: cases=run.cases[…]")
    if ax is None:
        from matplotlib import pyplot

        size = (_WIDTH_IN, _MARGINS_IN + _LINE_IN * len(lines))
        _, ax = pyplot.subplots(figsize=size, layout="constrained")
    _draw(ax, lines)
    if quantity.better:  # an amount: it is compared from zero
        ax.set_xlim(left=0)
    ax.set_xlabel(_axis_title(quantity, lines), loc="right", multialignment="right")
    ax.set_title(_title(rows), parse_math=False)
    return ax


def _quantity(run: Launched, name: str) -> Quantity:
    has = {one.name: one for one in PER_LAUNCH if run.trials[one.name].notna().any()}
    if name not in has:
        raise InputError(f"no launch of {run.name!r} has a quantity {name!r}", remedy=f"write {', '.join(has)}")
    return has[name]


def _rows(run: Launched, cases: pd.DataFrame | None) -> list[Row]:
    """Those of the cases that were launched; all of one family."""
    tried = run.cases[run.cases["launches_all"] > 0]
    rows: list[Row] = [*rows_of(tried if cases is None else tried[tried["case"].isin(cases["case"])])]
    families = list(dict.fromkeys(str(row["family"]) for row in rows))
    if len(families) > 1:
        raise InputError(
            f"an axis shows one model family, and these cases are of {len(families)}: {', '.join(families)}",
            remedy=f"choose one: cases=run.cases[run.cases.family == {families[0]!r}]",
        )
    return rows


def _lines(run: Launched, rows: Sequence[Row], quantity: Quantity) -> list[_Line]:
    launches: dict[str, list[Outcome]] = {row["case"]: [] for row in rows}
    for outcome in run.outcomes:
        if outcome.case in launches:
            launches[outcome.case].append(outcome)
    told = zip(run.trials["trial"], run.trials[quantity.name].astype("float64"), strict=True)
    values = {trial: value for trial, value in told if known(value)}
    varied = {name for name in _NAMED if len({row[name] for row in rows if not pd.isna(row[name])}) > 1}
    measure = run.manifest.measure
    by_need = measure is not None and measure.precision is not None
    lines = []
    for place, row in enumerate(rows):
        every = [outcome for outcome in launches[row["case"]] if outcome.status == "ok"]
        own = [outcome for outcome in every if outcome.purpose == quantity.purpose]
        behind = {o.trial for o in counted_by_purpose(every, run.disturbances).get(quantity.purpose, ())}
        counted = [values[o.trial] for o in own if o.trial in values and o.trial in behind]
        left_out = [values[o.trial] for o in own if o.trial in values and o.trial not in behind]
        interval = median_interval(counted, by_need=by_need)
        label = _label(row, varied, known=bool(counted))
        lines.append(_Line(place, label, str(row["delegate"]), counted, left_out, interval))
    return lines


def _label(row: Row, varied: Iterable[str], *, known: bool) -> str:
    """What tells a case from the others here, and what ran where that is not what was asked for."""
    shown = {name: row[name] for name in (*varied, "variant", "delegate") if not pd.isna(row[name])}
    if "threads" in shown:
        shown["threads"] = f"t{row['threads']}"
    words = " · ".join(shorten(shown[name], 28) for name in _NAMED if name in shown)
    remarks = [why] if (why := missing(row)) else [] if known else ["its tool does not say"]
    remarks += ["output broken"] if is_broken(row) else []
    return visible("\n".join([words, *["; ".join(remarks)] * bool(remarks)]))


def _title(rows: Sequence[Row]) -> str:
    devices = {str(row["device"]) for row in rows}
    names = [str(rows[0]["family"]), *(devices if len(devices) == 1 else ())]
    return visible(" · ".join(shorten(name) for name in names if name))


def _axis_title(quantity: Quantity, lines: Sequence[_Line]) -> str:
    unit = f", {quantity.unit.symbol}" if quantity.unit.symbol else ""
    counts = [len(line.counted) for line in lines]
    bar = f" · bar: {interval_title(counts)}" if max(counts) >= FEWEST else ""
    crosses = " · crosses: left out" if any(line.left_out for line in lines) else ""
    return f"{quantity.label}{unit}\ndots: launches · stroke: median{bar}{crosses}"


def _draw(ax: Axes, lines: Sequence[_Line]) -> None:
    """A row a case, and for each delegate a colour of the user's style."""
    for number, delegate in enumerate(dict.fromkeys(line.delegate for line in lines)):
        color, own = f"C{number % 10}", [line for line in lines if line.delegate == delegate and line.counted]
        dots = [(value, line.place) for line in own for value in line.counted]
        ax.plot(*_columns(dots), "o", color=color, alpha=0.5, markersize=4, label=visible(delegate))
        medians = [(median(line.counted), line.place) for line in own]
        ax.plot(*_columns(medians), "|", color=color, markersize=13, markeredgewidth=2)
        for line in own:
            if line.interval:
                ax.hlines(line.place, *line.interval, color=color, linewidth=2)
    crosses = [(value, line.place) for line in lines for value in line.left_out]
    if crosses:
        ax.plot(*_columns(crosses), "x", color="0.55", markersize=5, label="left out")
    ax.set_yticks(range(len(lines)), [line.label for line in lines], parse_math=False)
    ax.set_ylim(len(lines) - 0.5, -0.5)
    ax.grid(visible=True, axis="x", alpha=0.3)


def _columns(points: Sequence[tuple[float, int]]) -> tuple[list[float], list[int]]:
    return [x for x, _ in points], [y for _, y in points]
