"""The op profile: the tables of every layout, their csv form, and the binary form, with recomputed percentages."""

from __future__ import annotations

import re
from collections.abc import Sequence

from benchbench.outcome import OpTime, Profile
from benchbench.runners.benchmark_model.lines import Event, events
from benchbench.runners.benchmark_model.prefixes import strip, to_lines
from benchbench.runners.benchmark_model.wordings import NUMBER

_VALUE = rf"(?:{NUMBER}|-?nan)%?"
_END = re.compile(r"Number of nodes executed|Timings \(microseconds\)|nodes observed|={5}")
KINDS = {  # the kernel that a delegate puts into the graph -> the delegate
    "tflitexnnpackdelegate": "xnnpack",
    "tflitegpudelegate": "gpu",
    "tflitennapidelegate": "nnapi",
    "tflitehexagondelegate": "hexagon",
    "tflitecoremldelegate": "coreml",
    "tfliteflexdelegate": "flex",
    "tfliteynnpackdelegate": "ynnpack",
    "edgetpudelegateforcustomop": "edgetpu",
    "dispatchdelegate": "npu",
}


def kernel_owner(name: str) -> str | None:
    """The delegate behind a kernel's name; "external" for one that is nobody's, None for what is no delegate."""
    plain = re.sub(r"[^a-z0-9]", "", name.lower())
    for kernel, kind in KINDS.items():
        if plain.startswith(kernel):
            return kind
    if re.search(r"gpu|opencl|webgpu|litertcl", plain):
        return "gpu"
    if re.search(r"npu|dispatch", plain):
        return "npu"
    return "external" if "delegate" in plain else None


def of_tables(lines: Sequence[str], found: Sequence[Event]) -> Profile | None:
    """The profile of the regular runs; where only one profile was kept without its title, that one."""
    tables = [event for event in found if event.kind == "table"]
    titles = [event for event in found if event.kind == "profile"]
    start = [event.at for event in titles if event.values["phase"] == "Initialization"]
    regular = [event.at for event in titles if event.values["phase"] != "Initialization"]
    if regular:
        tables = [table for table in tables if table.at > regular[0]]
    elif start:
        tables = [table for table in tables if table.at < start[0]]
    rows: dict[str, list[OpTime]] = {}
    for table in tables:
        rows.setdefault(table.values["title"], _table(lines, table.at + 1))
    return _profile(
        rows.get("Run Order", []), rows.get("Top by Computation Time", []), rows.get("Summary by node type", [])
    )


def of_csv(text: str) -> Profile | None:
    """The profile in a file of the csv mode (which is the tables with commas)."""
    lines = to_lines(text)
    return of_tables(lines, events(lines))


def from_ops(rows: Sequence[OpTime]) -> Profile | None:
    """A profile of rows whose times are known exactly."""
    return _profile(list(rows), [], [])


def _table(lines: Sequence[str], at: int) -> list[OpTime]:
    """The rows below a table's title: columns by their header, separated by tabs, blanks or commas."""
    rows: list[OpTime] = []
    columns: list[str] = []
    for position in range(at, len(lines)):
        body = strip(lines[position]).body
        if _END.search(body):
            break
        if not columns:
            columns = _columns(body)
            continue
        if row := _row(body, columns):
            rows.append(row)
    return rows


def _columns(header: str) -> list[str]:
    """Names of the columns after the node type, without the name at the end: "[first]" and "first" alike."""
    names = re.findall(r"\[([^\]]+)\]", header) if "[" in header else header.split(",")
    plain = [name.strip().lower().replace("_", " ") for name in names]
    return [name for name in plain[1:] if name != "name"] if plain and plain[0] == "node type" else []


def _row(body: str, columns: list[str]) -> OpTime | None:
    gap = r",\s*" if re.search(rf",\s*{_VALUE},\s", body) else r"\s+"
    pattern = rf"(?P<type>\S.*?)(?P<values>(?:{gap}{_VALUE}){{{len(columns)}}})(?:{gap}(?P<name>\S.*))?$"
    match = re.match(pattern, body) if len(body) < 2000 else None
    if match is None:
        return None
    values = dict(zip(columns, (text.rstrip("%") for text in re.findall(_VALUE, match["values"])), strict=True))
    kind, name = match["type"].strip(), (match["name"] or match["type"]).strip()
    if "avg ms" not in values or "nan" in values["avg ms"]:
        return None
    calls = 1.0 if "count" in values else float(values.get("times called", "1")) or 1.0
    mean_us = float(values["avg ms"]) * 1000 * calls
    owner = kernel_owner(kind) or ("xnnpack" if name.startswith("Delegate/") else None)
    called = float(values.get("times called", "1")) or float(values.get("count", "1")) or 1.0
    return OpTime(name=name, type=kind, mean_us=round(mean_us, 6), percent=0, calls=called, executor=owner)


def _profile(run_order: list[OpTime], top: list[OpTime], summary: list[OpTime]) -> Profile | None:
    rows = run_order or top
    if not rows and not summary:
        return None
    ranks = {(row.name, row.type): rank for rank, row in enumerate(top)}
    rows = sorted(rows, key=lambda row: (-row.mean_us, ranks.get((row.name, row.type), len(top))))
    return Profile(by_op=_shares(rows), by_type=_shares(_by_type(rows, summary)))


def _by_type(rows: list[OpTime], summary: list[OpTime]) -> list[OpTime]:
    """The tool's own summary, unless it is that of 2018, which divides by the runs once more."""
    total = sum(row.mean_us for row in rows)
    if summary and (not rows or 0.5 < sum(row.mean_us for row in summary) / (total or 1) < 2):
        return sorted(summary, key=lambda row: -row.mean_us)
    times: dict[str, list[OpTime]] = {}
    for row in rows:
        times.setdefault(row.type, []).append(row)
    merged = [
        OpTime(
            name=kind,
            type=kind,
            mean_us=round(sum(row.mean_us for row in same), 6),
            percent=0,
            calls=sum(row.calls for row in same),
            executor=same[0].executor,
        )
        for kind, same in times.items()
    ]
    return sorted(merged, key=lambda row: -row.mean_us)


def _shares(rows: list[OpTime]) -> tuple[OpTime, ...]:
    total = sum(row.mean_us for row in rows)
    return tuple(row.model_copy(update={"percent": 100 * row.mean_us / total if total else 0.0}) for row in rows)
