"""`history`: the same cases over many runs."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from benchbench.cli.options import AS_JSON, print_json
from benchbench.values.formatting import counted

if TYPE_CHECKING:
    import pandas as pd

    from benchbench.analysis.history import Change

BLOCKS = "▁▂▃▄▅▆▇█"
COLUMNS = 40  # of a chart: a run each, or the median of some


@click.command()
@click.argument("reports", nargs=-1, required=True, type=click.Path(path_type=Path, file_okay=False))
@click.option("--case", "cases", multiple=True, metavar="GLOB", help="Only cases whose id fits, each with its chart.")
@AS_JSON
def history(reports: tuple[Path, ...], cases: tuple[str, ...], as_json: bool) -> None:
    """Show cases over many runs, and since when their latency changed.

    REPORTS are run folders, or the folders they are in.
    """
    from benchbench.analysis.history import changes, read_history, run_folders
    from benchbench.cli.console import err

    points = read_history(run_folders(reports), cases)
    for damage in points.attrs["damage"]:
        err().print(f"left out: {damage}", markup=False)
    found = changes(points)
    if as_json:
        told = [{**asdict(change), "ratio": change.ratio} for change in found]
        print_json({"changes": told, "left_out": points.attrs["left_out"], "points": points.to_dict("records")})
        return
    _show(points, found, charts=bool(cases))


def _show(points: pd.DataFrame, found: tuple[Change, ...], *, charts: bool) -> None:
    """A row a change, the latest first; a line of blocks a case that changed, or that was asked for."""
    from benchbench.analysis.history import LEAST_RUNS
    from benchbench.cli.console import out
    from benchbench.cli.tables import add, show, table_of
    from benchbench.values import formatting

    console = out()
    if found:
        times = ("before", "after", "after / before")
        table = table_of("case", "since", "run", *times, "with it", right=times)
        for change in found:
            reasons = "; ".join(f"{what}: {was} -> {now}" for what, was, now in change.reasons)
            before, after = formatting.time(change.before_ms), formatting.time(change.after_ms)
            ratio = formatting.number(change.ratio, 3)
            add(table, change.case, change.started[:10], change.folder, before, after, ratio, reasons)
        show(table, console)
    shown = points if charts else points[points["case"].isin([change.case for change in found])]
    for (case, _), own in shown.groupby(["case", "statistic"]):
        low, high = own["latency_ms"].min(), own["latency_ms"].max()
        ran = ", ".join(own["executor"].dropna().unique())
        told = f"{formatting.time(low)} to {formatting.time(high)}"
        line = f"{case}  {chart(own['latency_ms'].tolist())}  {told}, on {ran or 'an unknown executor'}"
        console.print(line, markup=False)
    runs, everything = points["folder"].nunique(), points["case"].nunique()
    told = f"{counted(runs, 'run')}, {counted(everything, 'case')}: {counted(len(found), 'change')}"
    if left_out := points.attrs["left_out"]:
        told += f"; without {counted(left_out, 'disturbed launch', 'disturbed launches')}"
    more = "" if runs >= 2 * LEAST_RUNS else f" (a change needs {LEAST_RUNS} runs before it and as many after it)"
    console.print(told + more, markup=False)


def chart(values: list[float]) -> str:
    """Latencies as blocks, from the lowest to the highest; 40 wide at most."""
    from itertools import pairwise
    from statistics import median

    width = min(COLUMNS, len(values))
    edges = [len(values) * k // width for k in range(width + 1)]
    columns = [median(values[low:high]) for low, high in pairwise(edges)]
    low, high = min(columns), max(columns)
    # A tenth of the middle at least, so that noise does not look like news.
    scale = max(high - low, median(columns) / 10)
    return "".join(BLOCKS[min(7, int((value - low) / scale * 8))] for value in columns)
