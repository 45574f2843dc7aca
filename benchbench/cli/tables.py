"""What the commands print on stdout: devices, models, cases, comparisons as tables."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rich.console import OverflowMethod
from rich.markup import escape
from rich.measure import Measurement
from rich.progress import BarColumn, DownloadColumn, TextColumn
from rich.progress import Progress as Bar
from rich.table import Table
from rich.text import Text

from benchbench.cli.console import err, out
from benchbench.cli.wrapping import wrapped
from benchbench.values import formatting
from benchbench.values.formatting import NOTHING, number

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console

    from benchbench.analysis.compare_quantities import QuantityChange
    from benchbench.analysis.gate import Failing
    from benchbench.execution.status import DeviceStatus
    from benchbench.runtimes.quantizing.manifest import Family
    from benchbench.runtimes.tool import Fetched, Tool
    from benchbench.values.doubt import Doubt
    from benchbench.values.model import ModelInfo, TensorInfo
    from benchbench.values.quantity import Quantity


LONGEST_ABOUT = 120  # characters
_SHORT = 40  # characters of what is not broken into two lines


def table_of(*columns: str, right: Sequence[str] = (), whole: Sequence[str] = ()) -> Table:
    """The first column names the row: it is never cut off, nor are those that are to be `whole`."""
    table = Table(box=None, pad_edge=False)
    for column in columns:
        overflow: OverflowMethod = "fold" if column in {columns[0], *whole} else "ellipsis"
        table.add_column(column, justify="right" if column in right else "left", overflow=overflow)
    return table


def add(table: Table, *cells: object) -> None:
    table.add_row(*[NOTHING if cell is None or cell == "" else escape(str(cell)) for cell in cells])


def show(table: Table, console: Console | None = None) -> None:
    """A table; on a terminal that is too narrow for it a few lines for each row instead, so that no word is cut."""
    console = console or out()
    needed = Measurement.get(console, console.options.update(max_width=sys.maxsize), table).maximum
    if not console.is_terminal or needed <= console.width:
        console.print(table)
        return
    headings = [str(column.header) for column in table.columns[1:]]
    for name, *cells in zip(*(column.cells for column in table.columns), strict=True):
        shown = [(heading, _plain(cell)) for heading, cell in zip(headings, cells, strict=True)]
        words = " · ".join(_together(f"{heading} {cell}") for heading, cell in shown if cell != NOTHING)
        for line in (*wrapped(_plain(name), console.width, indent="  ", at_slashes=True), f"  {words}"):
            console.print(line, markup=False)


def _together(words: str) -> str:
    """A number and its unit stay in one line."""
    return words.replace(" ", "\u00a0") if len(words) < _SHORT else words


def _plain(cell: object) -> str:
    return Text.from_markup(str(cell)).plain


def show_looks(looks: Sequence[DeviceStatus]) -> None:
    """One row a device, and under the table why something is not possible there."""
    table = table_of("device", "reached", "state", "model", "SoC", "system", "ABI", "cores", "memory", "°C", "runner")
    for look in looks:
        add(table, *_device_cells(look))
    console = out()
    show(table, console)
    for look in looks:
        for line in _device_lines(look):
            console.print(line, markup=False)


def _device_cells(look: DeviceStatus) -> tuple[object, ...]:
    named = (look.device.name, look.device.address.reached, look.state)
    warm = look.temperature_c and f"{look.temperature_c:.0f}"
    if look.prepared is None:
        return (*named, *[None] * 6, warm, None)
    traits, toolchains = look.prepared.traits, look.prepared.toolchains.values()
    cores = (f"{len(c.cores)}" + (f" x {c.max_mhz:.0f} MHz" if c.max_mhz else "") for c in traits.clusters)
    return (
        *named,
        traits.model,
        traits.soc,
        " ".join([traits.os_version or traits.os, *([f"SDK {traits.sdk}"] if traits.sdk else [])]),
        traits.abi,
        " + ".join(cores),
        traits.memory_mb and f"{traits.memory_mb / 1024:.1f} GiB",
        warm,
        ", ".join(f"{toolchain.runner.kind} ({toolchain.tool_version})" for toolchain in toolchains),
    )


def _device_lines(look: DeviceStatus) -> Iterator[str]:
    """What is wrong with a device, which delegates it has, and what each says of itself."""
    yield f"\n{look.device.name}"
    if look.problem:
        yield f"  {look.problem}"
    possible = [name for name, answer in look.delegates.items() if answer.possible]
    if possible:
        yield f"  delegates: {', '.join(possible)}"
    if look.prepared and look.prepared.toolchains:
        for name, answer in look.delegates.items():
            if answer.said:
                said = formatting.in_a_line(answer.said)
                yield f"  {'' if answer.possible else 'no '}{name}: {said}"


def show_models(infos: Sequence[ModelInfo]) -> None:
    """What is in each file, as a person wants to read it."""
    console = out()
    for info in infos:
        console.print(f"{info.path}", markup=False)
        weights = "parameters unknown (compiled)" if info.parameters is None else f"{info.parameters:,} parameters"
        unknown = f"MACs unknown ({info.macs_note})"
        macs = unknown if info.macs is None else f"{formatting.number(info.macs / 1e6)} M MACs"
        scheme = info.scheme + (f", weights {info.granularity}" if info.granularity else "")
        console.print(f"  scheme    {scheme}", markup=False)
        for about in filter(None, (info.description, *(f"{key}: {text}" for key, text in info.about.items()))):
            console.print(f"  about     {formatting.in_a_line(about, LONGEST_ABOUT)}", markup=False)
        console.print(f"  size      {info.size_mb:.3f} MB, {weights}, {macs}", markup=False)
        for name, tensors in (("input", info.inputs), ("output", info.outputs)):
            for tensor in tensors:
                console.print(f"  {name:<9} {_tensor(tensor)}", markup=False)
        for index, graph in enumerate(info.subgraphs):
            ops = ", ".join(f"{op} x {count}" if count > 1 else op for op, count in graph.ops.items())
            title = "ops" if index == 0 else f"graph {index}"
            console.print(f"  {title:<9} {sum(graph.ops.values())}{': ' if ops else ''}{ops}", markup=False)
        for signature in info.signatures:
            console.print(f"  signature {signature.key}", markup=False)
        for title, names in (("custom", info.custom_ops), ("flex", info.flex_ops), ("packed", info.packed_files)):
            if names:
                console.print(f"  {title:<9} {', '.join(names)}", markup=False)
        if info.zero_weights is not None and info.zero_weights > 0.3:
            console.print(f"  sparsity  {formatting.percent(info.zero_weights)} of the weights are zero", markup=False)
        for note in info.notes:
            console.print(f"  note      {note}", markup=False)
        console.print(f"  sha256    {info.sha256}", markup=False)


def _tensor(tensor: TensorInfo) -> str:
    sizes = tensor.signature if -1 in tensor.signature else tensor.shape
    names = tensor.symbols or [""] * len(sizes)
    shape = ", ".join(name or str(size) for name, size in zip(names, sizes, strict=True))
    scale = f", scale {tensor.scale:.6g}, zero point {tensor.zero_point}" if tensor.scale else ""
    return f"{tensor.name}: {tensor.dtype} [{shape}]{scale}"


def show_cases(cases: pd.DataFrame) -> None:
    """The result of a run: one row a case with its latency; under the table what to doubt and what to do about it."""
    from benchbench.values.quantities import quantity

    rows = cases.to_dict("records")
    scored = [one for one in (quantity("accuracy_top1"),) if one.case_column in cases]
    interval = formatting.interval_title(row["launches"] for row in rows)
    statistic = formatting.statistic_title(row["statistic"] for row in rows)
    columns = ["case", "ran on", statistic, interval, "launches", *(one.column_title for one in scored), "doubts"]
    table = table_of(*columns, right=columns[2:-1])
    measured = [{doubt.kind for doubt in row["doubts"]} for row in rows if row["status"] == "ok"]
    common = set.intersection(*measured) if len(measured) > 1 else set()  # said once, below
    for row in rows:
        add(table, *_case_cells(row, scored, common, named=statistic == "latency"))
    show(table)
    tried = [(row["case"], row["doubts"]) for row in rows if row["launches_all"] > 0]
    _show_doubts(tried, common)


def _show_doubts(cases: Sequence[tuple[str, Sequence[Doubt]]], common: Set[str] = frozenset()) -> None:
    """Each kind of doubt once, with an example of it and what to do about it; `common` are those of all measured."""
    first = {doubt.kind: (case, doubt) for case, doubts in reversed(cases) for doubt in doubts}
    for kind, (case, doubt) in first.items():
        alike = [d for _, doubts in cases for d in doubts if d.kind == kind]
        every = "every case" if len(alike) == len(cases) else "every measured case"
        of_all = len(alike) == len(cases) or kind in common
        where = every if of_all else f"{len(alike)} of {len(cases)} cases, e.g. {case}"
        example = "e.g. " if of_all and len({d.text for d in alike}) > 1 else ""
        text = formatting.in_a_line(doubt.text)
        out().print(f"{kind} ({where}): {example}{text}. Remedy: {doubt.remedy}.", markup=False)


def _latency(ms: float | None, statistic: object, *, named: bool) -> str:
    """`named`: with its statistic, where the heading does not say it."""
    shown = formatting.time(ms)
    return f"{shown} {statistic}" if named and shown != formatting.NOTHING else shown


def _case_cells(
    row: Mapping[Any, Any], scored: Sequence[Quantity], common: Set[str], *, named: bool
) -> tuple[object, ...]:
    from benchbench.analysis.formatting import ran_on

    interval = formatting.interval(row["low_ms"], row["high_ms"])
    accuracy = [one.cell(row[one.case_column]) for one in scored]
    ran = formatting.in_a_line(ran_on(row), 80)
    doubts = ", ".join(doubt.kind for doubt in row["doubts"] if doubt.kind not in common)
    latency = _latency(row["median_ms"], row["statistic"], named=named)
    return (row["case"], ran, latency, interval, row["launches"], *accuracy, doubts)


def show_comparison(frame: pd.DataFrame, changes: Sequence[QuantityChange], failing: Failing) -> None:
    """One row a case: base, new, the ratio with its interval, what can be said and why no more; what else changed in a
    line each; the end in one line.

    Cases that neither run measured are counted there, and have no row.
    """
    from benchbench.analysis.comparison_text import about_sides, in_short, why_in_words

    rows = [row for row in frame.to_dict("records") if row["verdict"] != "not measured"]
    statistic = formatting.statistic_title(row["statistic"] for row in rows)
    times = [f"{side} {statistic}" for side in ("base", "new")]
    table = table_of("case", *times, "new / base", "verdict", "why", right=(*times, "new / base"), whole=["why"])
    for row in rows:
        ends = [number(row[f"ratio_{end}"], 4) for end in ("low", "high") if formatting.known(row[f"ratio_{end}"])]
        interval = f" [{', '.join(ends)}]" if ends else ""
        shown = [
            _latency(row[f"{side}_ms"], row["statistic"], named=statistic == "latency") for side in ("base", "new")
        ]
        verdict = row["verdict"] + (" (regression)" if row["case"] in failing else "")
        add(table, row["case"], *shown, f"{number(row['ratio'], 4)}{interval}", verdict, why_in_words(row, failing))
    console = out()
    show(table, console)
    for change in changes:
        if change.verdict in {"better", "worse"}:
            console.print(str(change), markup=False)
    for line in about_sides(frame):
        console.print(line, markup=False)
    console.print(in_short(frame, changes, failing), markup=False)


def show_family(family: Family) -> None:
    """What was made and how true it is to float32, and what could not be made and why."""
    from benchbench.values.quantities import quantity

    table = table_of("scheme", "file", "MB", "SQNR to float32", "made with", right=("MB", "SQNR to float32"))
    for made in family.made:
        sqnr = made.fidelity and quantity("accuracy_sqnr_db").text(made.fidelity.sqnr_db)
        add(table, made.scheme, made.file, f"{made.size_bytes / 1e6:.3f}", sqnr, made.tool)
    console = out()
    show(table, console)
    for skipped in family.skipped:
        console.print(f"skipped {skipped.scheme}: {skipped.reason}", markup=False)


def tool_record(tool: Tool) -> dict[str, str]:
    return {**asdict(tool), "path": str(tool.path)}


def show_tools(tools: Sequence[Tool]) -> None:
    """The binaries at hand."""
    if not tools:
        err().print("no benchmark_model in the cache: `benchbench tools --get DEVICE` fetches one", markup=False)
        return
    table = table_of("tool", "version", "sha256", "from", "path")
    for tool in tools:
        add(table, tool.name, tool.version, tool.sha256[:16], tool.source, tool.path)
    show(table)


@contextmanager
def download_progress(name: str) -> Iterator[Fetched]:
    """A bar on stderr for a download."""
    console = err()
    with Bar(TextColumn("{task.description}"), BarColumn(), DownloadColumn(), console=console, transient=True) as bar:
        task = bar.add_task(f"benchmark_model for {escape(name)}", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
