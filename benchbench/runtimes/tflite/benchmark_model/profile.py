"""The op profile: the tables of every layout, their csv form, and the binary form, with recomputed percentages."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchbench.runtimes.tflite.backends import UNASKED
from benchbench.runtimes.tflite.backends.owners import kernel_owner, operator_owner
from benchbench.runtimes.tflite.benchmark_model.log_events import Event, events
from benchbench.runtimes.tflite.benchmark_model.log_patterns import NUMBER
from benchbench.runtimes.tflite.benchmark_model.log_prefixes import strip, to_lines
from benchbench.values.outcome import OpTime, Profile

_VALUE = rf"(?:{NUMBER}|-?nan)%?"
_END = re.compile(r"Number of nodes executed|Timings \(microseconds\)|nodes observed|={5}")
_COLUMNS = 5  # count, average, least, most and total µs
_ROUNDING = 0.05  # points of percent


@dataclass(frozen=True, slots=True)
class _Row:
    """A row as it is printed; `calls` may count one inference or all of a launch."""

    name: str
    type: str
    average_us: float
    share: float | None  # percent
    calls: float


@dataclass(frozen=True, slots=True)
class _Scale:
    """How a profile's numbers become those of one inference."""

    inferences: float = 1  # that the calls are counted over
    total_us: float | None = None  # of all rows over these inferences, where the shares are of that


def executor(kind: str, name: str) -> str | None:
    """Who executes a row of a profile: a delegate, by its kernel's name or that of its operator; None = nobody's."""
    owner = kernel_owner(kind.removeprefix("Delegate/")) or operator_owner(kind)
    delegated = kind.startswith("Delegate/") or name.startswith(("Delegate/", "[Delegate]"))
    return owner or (UNASKED if delegated else None)


def of_tables(lines: Sequence[str], found: Sequence[Event]) -> Profile | None:
    """The profile of the regular runs; where only one profile was kept without its title, that one."""
    found = _of_regular_runs(found)
    tables: dict[str, list[_Row]] = {}
    for event in found:
        if event.kind == "table":
            tables.setdefault(event.values["title"], _table(lines, event.at + 1))
    run_order, top = tables.get("Run Order", []), tables.get("Top by Computation Time", [])
    summary = tables.get("Summary by node type", [])
    printed = top if len(top) > len(run_order) else run_order
    scale = _scale(printed or summary, found)
    totals = _statistics(lines, found)
    ranks = {(row.name, row.type): rank for rank, row in enumerate(top)}
    ordered = sorted(printed, key=lambda row: (-_mean_us(row, scale), ranks.get((row.name, row.type), len(top))))
    rows = [_op(row, scale) for row in ordered]
    types = _by_type(rows, [_type(row, scale, totals, rows) for row in summary])
    whole_us = _whole_us(rows, types, found) if scale == _Scale() else 0.0
    shares = {(row.name, row.type): row.share for row in [*printed, *summary]}
    return _profile(rows, types, whole_us, shares)


def _of_regular_runs(found: Sequence[Event]) -> Sequence[Event]:
    start = [e.at for e in found if e.kind == "profile" and e.values["phase"] == "Initialization"]
    regular = [e.at for e in found if e.kind == "profile" and e.values["phase"] != "Initialization"]
    if regular:
        return [event for event in found if event.kind == "count" or event.at > regular[0]]
    return [event for event in found if event.at < start[0]] if start else found


def _scale(rows: Sequence[_Row], found: Sequence[Event]) -> _Scale:
    """LiteRT's tool counts calls over warm-up and runs, and its total is that of all of them."""
    fewest = min((row.calls for row in rows if row.calls), default=1)
    launched = sum(int(event.values.get("count", "0")) for event in found if event.kind == "count")
    over_all = any(e.kind == "statistics" for e in found) or any(row.type.startswith("Delegate/") for row in rows)
    if fewest <= 1 or not (over_all or fewest == launched):
        return _Scale()
    inferences = launched if any(row.calls == launched for row in rows) else fewest
    sums = [event.values for event in found if event.kind == "timings"]
    known = sums and "curr" in sums[0] and "avg" not in sums[0]
    return _Scale(inferences, float(sums[0]["curr"]) if known else None)


def _mean_us(row: _Row, scale: _Scale) -> float:
    """One inference's time: a share of the total is more exact than an average in thousandths of a millisecond."""
    if scale.total_us is not None and row.share is not None:
        return round(scale.total_us / scale.inferences * row.share / 100, 6)
    return round(row.average_us * row.calls / scale.inferences, 6)


def _op(row: _Row, scale: _Scale) -> OpTime:
    who = executor(row.type, row.name)
    calls = row.calls / scale.inferences
    return OpTime(name=row.name, type=row.type, mean_us=_mean_us(row, scale), percent=0, calls=calls, executor=who)


def _type(row: _Row, scale: _Scale, totals: Mapping[str, float], rows: Sequence[OpTime]) -> OpTime:
    """A row of the summary by type: there the average is already that of all nodes of the type, but in LiteRT's."""
    if row.type in totals:
        mean_us = round(totals[row.type] / scale.inferences, 6)
    else:
        mean_us = row.average_us if scale == _Scale() else _mean_us(row, scale)
    executors = {op.executor for op in rows if op.type == row.type} or {executor(row.type, row.name)}
    who = executors.pop() if len(executors) == 1 else None
    calls = row.calls / scale.inferences
    return OpTime(name=row.type, type=row.type, mean_us=mean_us, percent=0, calls=calls, executor=who)


def _statistics(lines: Sequence[str], found: Sequence[Event]) -> dict[str, float]:
    """Total µs by type: LiteRT's second table, where nothing is rounded to a thousandth of a millisecond."""
    totals: dict[str, float] = {}
    for event in found:
        if event.kind == "statistics":
            for line in lines[event.at + 1 :]:
                cells = strip(line).body.rsplit(maxsplit=_COLUMNS)
                if len(cells) > _COLUMNS and cells[-1].isdigit():
                    totals[cells[0]] = float(cells[-1])
                elif totals or _END.search(line):
                    break
    return totals


def _whole_us(rows: Sequence[OpTime], types: Sequence[OpTime], found: Sequence[Event]) -> float:
    """The time of one inference where the rows are only a part of it, as those of the top are; 0 = they are all."""
    kept, summed = sum(row.mean_us for row in rows), sum(row.mean_us for row in types)
    executed = max((int(e.values["nodes"]) for e in found if e.kind == "executed"), default=0)
    if executed <= len(rows) and summed <= 1.02 * kept:
        return 0.0
    timings = [event.values for event in found if event.kind == "timings"]
    said = float(timings[0].get("avg") or timings[0].get("curr") or 0) if timings else 0.0
    agrees = max(kept, summed) <= 1.02 * said and (summed <= 1.02 * kept or said <= 1.1 * summed)
    return said if agrees else summed


def of_csv(text: str) -> Profile | None:
    """The profile in a file of the csv mode (which is the tables with commas)."""
    lines = to_lines(text)
    return of_tables(lines, events(lines))


def from_ops(rows: Sequence[OpTime]) -> Profile | None:
    """A profile of rows whose times are known exactly."""
    ordered = sorted(rows, key=lambda row: -row.mean_us)
    return _profile(ordered, _by_type(ordered, []), 0.0, {})


def _table(lines: Sequence[str], at: int) -> list[_Row]:
    """The rows below a table's title: columns by their header, separated by tabs, blanks or commas."""
    rows: list[_Row] = []
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


def _row(body: str, columns: list[str]) -> _Row | None:
    gap = r",\s*" if re.search(rf",\s*{_VALUE},\s", body) else r"\s+"
    pattern = rf"(?P<type>\S.*?)(?P<values>(?:{gap}{_VALUE}){{{len(columns)}}})(?:{gap}(?P<name>\S.*))?$"
    match = re.match(pattern, body) if len(body) < 2000 else None
    if match is None:
        return None
    values = dict(zip(columns, (text.rstrip("%") for text in re.findall(_VALUE, match["values"])), strict=True))
    kind, name = match["type"].strip(), (match["name"] or match["type"]).strip()
    if "avg ms" not in values or "nan" in values["avg ms"]:
        return None
    share = values.get("%", values.get("avg %", "nan"))
    called = float(values.get("times called", "1")) or float(values.get("count", "1")) or 1.0
    return _Row(name, kind, float(values["avg ms"]) * 1000, None if "nan" in share else float(share), called)


def _profile(
    rows: Sequence[OpTime],
    types: Sequence[OpTime],
    whole_us: float,
    printed: Mapping[tuple[str, str], float | None],
) -> Profile | None:
    if not rows and not types:
        return None
    return Profile(by_op=_shares(rows, whole_us, printed), by_type=_shares(types, whole_us, printed))


def _by_type(rows: Sequence[OpTime], summary: Sequence[OpTime]) -> list[OpTime]:
    """The tool's own summary, unless it lacks a type, or is that of 2018, which divides by the runs once more."""
    complete = {row.type for row in rows} <= {row.type for row in summary}
    if summary and complete and sum(row.mean_us for row in summary) >= 0.5 * sum(row.mean_us for row in rows):
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


def _shares(
    rows: Sequence[OpTime], whole_us: float, printed: Mapping[tuple[str, str], float | None]
) -> tuple[OpTime, ...]:
    """Shares from the times; of a part of the rows, a printed one stands where the times agree with it."""
    total = sum(row.mean_us for row in rows)
    part = whole_us > total
    found = []
    for row in rows:
        percent = 100 * row.mean_us / max(total, whole_us) if total else 0.0
        said = printed.get((row.name, row.type)) if part else None
        agrees = said is not None and abs(said - percent) <= _ROUNDING
        found.append(row.model_copy(update={"percent": said if agrees else percent}))
    return tuple(found)
