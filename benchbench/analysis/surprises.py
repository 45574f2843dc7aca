"""What nobody would expect of a run, largest first; each only where an interval, or the tool itself, says so."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from benchbench.analysis.formatting import LIKENESS, change, describe, quality, shorten
from benchbench.analysis.intervals import Ratio, compare
from benchbench.analysis.medians import grouped_medians
from benchbench.analysis.rows import Row, grouped, rows_of
from benchbench.analysis.tradeoffs import WHERE, loss
from benchbench.runtimes import BACKENDS, ON_CPU, backend_type
from benchbench.values.case import LATENCY
from benchbench.values.formatting import in_a_line, interval, ratio, ratio_number, time
from benchbench.values.quantities import case_quantity

ACCELERATORS = [kind for kind, backend in BACKENDS.items() if backend.processor == "accelerator"]
NOTHING_TAKEN = 1e6  # the size of an accelerator that takes nothing: before all that only takes longer
LEAST_SMALLER = 1.05  # a file that is no smaller than this is as large
A_TENTH = 0.1  # a loss of so much accuracy stands beside a factor of two
LONG_INIT_MS = 1000.0  # what keeps a person waiting (Nielsen 1993, "Usability Engineering", 5.5)
MUCH_MB, TIMES_ITS_FILE = 100.0, 3.0  # of memory that a model adds: both, or it is simply a large model


@dataclass(frozen=True, slots=True)
class Surprise:
    """Something of a case that nobody would expect: `what` in words that other devices share, and what was measured.

    `size` orders them: a factor, as far as it is sure.
    """

    run: str
    device: str
    family: str
    case: str
    what: str
    figure: str
    size: float

    def __str__(self) -> str:
        return f"{self.what}: {self.figure}" if self.figure else self.what


def surprises_of(
    cases: pd.DataFrame, tradeoffs: pd.DataFrame, trials: pd.DataFrame, most: float
) -> tuple[Surprise, ...]:
    """All surprises of the frames of some runs, the largest first; `most` is the loss of accuracy that may be."""
    launched = grouped(cases[cases["launches_all"] > 0], WHERE)
    tables = grouped(tradeoffs, WHERE)
    found = [one for where, rows in launched.items() for one in surprises_in(rows, tables.get(where, ()), most)]
    return tuple(sorted([*found, *_of_launches(tradeoffs, trials)], key=lambda one: -one.size))


def surprises_in(cases: Sequence[Row], table: Sequence[Row], most: float) -> list[Surprise]:
    """Those of one device and family, by its cases and their rows of `tradeoffs`."""
    sound = [row for row in table if not row["broken"]]
    return [
        *_slower_schemes(sound),
        *_off_the_accelerator(fastest_of(cases)),
        *_broken(table),
        *_delegate_costs(sound),
        *_slower_delegates(sound),
        *_slower_threads(cases),
        *_no_smaller(sound),
        *_loses(sound, most),
    ]


def fastest_of(cases: Sequence[Row]) -> list[Row]:
    """Of each variant and delegate the fastest case, headline numbers first."""
    chosen: dict[tuple[Any, Any], Row] = {}
    for row in cases:
        path = row["variant"], row["delegate"]
        if path not in chosen or _later(row) < _later(chosen[path]):
            chosen[path] = row
    kept = {row["case"] for row in chosen.values()}
    return [row for row in cases if row["case"] in kept]


def _later(row: Row) -> tuple[bool, float]:
    return not row["headline"], math.inf if pd.isna(row["median_ms"]) else row["median_ms"]


def _of(row: Row, what: str, figure: str, size: float) -> Surprise:
    return Surprise(row["run"], row["device"], row["family"], row["case"], what, figure, size)


def _slower(base: Row, row: Row) -> Ratio | None:
    """How many times as long as `base` a case takes; None where nothing says that it does."""
    if not row["median_ms"] > base["median_ms"]:
        return None
    found = compare(base["samples_ms"], row["samples_ms"])
    return found if found.verdict == "slower" else None


def _times(value: float, low: float, high: float) -> str:
    return f"{ratio(value)} [{ratio_number(low)}, {ratio_number(high)}]"


def _slower_than(row: Row, found: Ratio, what: str) -> Surprise:
    low, high = found.interval or (math.nan, math.nan)
    return _of(row, what, _times(found.value, low, high), low)


def _slower_schemes(table: Sequence[Row]) -> Iterator[Surprise]:
    """Integers that are slower than float32 on the same delegate."""
    for row in table:
        if not str(row["scheme"] or "").startswith("float") and row["speedup_verdict"] == "slower":
            value, low, high = (1 / row[f"speedup{end}"] for end in ("", "_high", "_low"))
            yield _of(row, f"{describe(row)} is slower than float32 there", _times(value, low, high), low)


def _slower_delegates(table: Sequence[Row]) -> Iterator[Surprise]:
    """Delegates that are slower than the CPU without them."""
    for row in table:
        base = _without_delegate(row, table)
        if base is not None and (found := _slower(base, row)):
            there = describe(base).removeprefix(f"{shorten(base['variant'])} ")
            yield _slower_than(row, found, f"{describe(row)} is slower than {there}")


def _without_delegate(row: Row, table: Sequence[Row]) -> Row | None:
    """The fastest case of the variant on the CPU, of plain kernels for a delegate of the CPU itself; None: no such."""
    if not backend_type(row["kind"]).is_delegate:
        return None
    plain = [kind for kind in ON_CPU if row["kind"] not in ON_CPU or not backend_type(kind).is_delegate]
    alike = [one for one in table if one["variant"] == row["variant"] and one["kind"] in plain]
    return min(alike, key=lambda one: float(one["median_ms"]), default=None)


def _slower_threads(cases: Sequence[Row]) -> Iterator[Surprise]:
    """More threads that are slower than fewer, of each variant and delegate the worst number."""
    paths: dict[tuple[Any, ...], list[Row]] = {}
    for row in cases:
        if row["headline"] and not pd.isna(row["threads"]):
            paths.setdefault((row["variant"], row["delegate"], str(row["affinity"])), []).append(row)
    for rows in paths.values():
        ordered = sorted(rows, key=lambda row: int(row["threads"]))
        worst: Surprise | None = None
        for n, row in enumerate(ordered[1:], 1):
            base = min(ordered[:n], key=lambda one: float(one["median_ms"]))
            if found := _slower(base, row):
                where = f"{shorten(row['variant'])} on {shorten(row['delegate'])}"
                what = f"{where} is slower with {row['threads']} threads than with {base['threads']}"
                told = _slower_than(row, found, what)
                worst = told if worst is None or told.size > worst.size else worst
        if worst is not None:
            yield worst


def _no_smaller(table: Sequence[Row]) -> Iterator[Surprise]:
    """Variants of less precision whose file is as large as float32's."""
    size = case_quantity("size_mb")
    for row in {row["variant"]: row for row in reversed(table)}.values():
        plain = row["scheme"] in {"float32", None} or row["relation"] != "same"
        if not plain and not pd.isna(row["smaller"]) and row["smaller"] < LEAST_SMALLER:
            figure = f"{size.text(row['size_mb'])} against {size.text(row['size_mb'] * row['smaller'])}"
            yield _of(row, f"{shorten(row['variant'])} is no smaller than float32", figure, 1 / row["smaller"])


def _loses(table: Sequence[Row], most: float) -> Iterator[Surprise]:
    """Variants that surely lose more accuracy than may be, each on the delegate where it loses most."""
    worst: dict[str, tuple[float, Row]] = {}
    for row in table:
        likened = row["metric"] == "accuracy_agreement" and not pd.isna(row["accuracy_high"])
        lost = loss(row) if likened else -row["accuracy_change_high"]
        if row["scheme"] != "float32" and lost > max(most, worst.get(row["variant"], (0.0,))[0]):
            worst[row["variant"]] = lost, row
    for lost, row in worst.values():
        what = "departs from the reference" if row["metric"] in LIKENESS else "loses accuracy"
        yield _of(row, f"{describe(row)} {what}", change(row), 1 + lost / A_TENTH)


def _delegate_costs(table: Sequence[Row]) -> Iterator[Surprise]:
    """float32 itself, on a delegate whose arithmetic changes what comes out."""
    for row in table:
        if row["scheme"] != "float32" or row["kind"] in ON_CPU:
            continue
        base = row["accuracy"] - row["accuracy_change"]
        lost = base - row["accuracy_high"] if row["metric"] == "accuracy_agreement" else -row["accuracy_change_high"]
        if lost > 0:
            what = f"{shorten(row['delegate'])} itself costs {quality([row['metric']])}, float32 too"
            yield _of(row, what, change(row), 1 + lost / A_TENTH)


def _off_the_accelerator(best: Sequence[Row]) -> Iterator[Surprise]:
    """Accelerators that took a part of a graph, or none of it, or that do not run what they run of floats."""
    there = [row for row in best if row["kind"] in ACCELERATORS]
    taking = {row["delegate"] for row in there if row["verdict"] in {"full", "partial"}}
    floats = {row["delegate"] for row in there if row["headline"] and row["scheme"] in {"float32", "float16"}}
    for row in there:
        name, delegate = shorten(row["variant"]), shorten(row["delegate"])
        failed = row["status"] != "ok" or row["verdict"] == "unavailable"
        if row["delegate"] in taking and not failed and row["verdict"] in {"none", "partial", "mixed"}:
            yield _of(row, f"{name} falls off {delegate}", *_taken(row))
        elif failed and row["delegate"] in floats and "int" in str(row["scheme"]):
            why = row["error"] if isinstance(row["error"], str) else row["evidence"]
            figure = in_a_line(str(why), 200)
            yield _of(row, f"{name} does not run on {delegate}, where float does", figure, NOTHING_TAKEN)
    none = [row for row in there if row["status"] == "ok" and row["verdict"] in {"none", "unavailable"}]
    idle = {row["delegate"]: row for row in reversed(none) if row["delegate"] not in taking}
    for delegate, row in idle.items():
        figure = f"{row['executor'] or 'nothing'} ran {shorten(row['variant'])}"
        yield _of(row, f"{shorten(delegate)} was asked for, and took nothing", figure, NOTHING_TAKEN)


def _taken(row: Row) -> tuple[str, float]:
    """Who ran what a delegate did not take all of, and how many nodes there are to one that it took."""
    known: bool = not pd.isna(row["nodes_total"]) and not pd.isna(row["nodes_delegated"])
    nodes: str = f", {row['nodes_delegated']} of {row['nodes_total']} nodes" if known else ""
    size = row["nodes_total"] / row["nodes_delegated"] if known and row["nodes_delegated"] else NOTHING_TAKEN
    return f"{row['executor'] or 'nothing'} ran it{nodes}", size if known else 1.0


def _broken(table: Sequence[Row]) -> Iterator[Surprise]:
    whole: dict[str, Row] = {}
    for row in table:
        if not row["broken"] and row["kind"] in ON_CPU:
            whole.setdefault(row["variant"], row)
    for row in (row for row in table if row["broken"]):
        if row["kind"] in ON_CPU or row["variant"] not in whole:
            yield _of(row, f"{describe(row)} breaks an output", broken_words(row), math.inf)
            continue
        half = backend_type(row["kind"]).half_precision and str(row["scheme"]).startswith("float")
        why = " (it may compute in float16)" if half else ""
        name, there = shorten(row["variant"]), shorten(row["delegate"])
        sound = shorten(whole[row["variant"]]["delegate"])
        yield _of(row, f"{there} breaks an output of {name} that is sound on {sound}{why}", broken_words(row), math.inf)


def broken_words(row: Row) -> str:
    """What is wrong with the outputs of a row, at most a few lines of it."""
    flags = row.get("accuracy_flags")
    return in_a_line(flags, 300) if isinstance(flags, str) and flags else "its outputs are wrong"


def _of_launches(tradeoffs: pd.DataFrame, trials: pd.DataFrame) -> Iterator[Surprise]:
    """Long initialisations and much memory, by the intervals of their medians: of each delegate the most."""
    counted = trials[(trials["purpose"] == LATENCY) & (trials["status"] == "ok") & (trials["disturbed"] == "")]
    rows = rows_of(tradeoffs)
    worst: dict[tuple[Any, ...], Surprise] = {}
    for column, told in (("init_ms", _long_init), ("added_mb", _much_memory)):
        medians = grouped_medians(counted, ["run", "case"], column)
        ends = {(one["run"], one["case"]): (one["low"], one["high"]) for one in rows_of(medians)}
        for row in rows:
            found = told(row, *ends.get((row["run"], row["case"]), (math.nan, math.nan)))
            key = column, row["run"], row["device"], row["family"], row["delegate"]
            if found and (key not in worst or found.size > worst[key].size):
                worst[key] = found
    yield from worst.values()


def _long_init(row: Row, low: float, high: float) -> Surprise | None:
    if not low >= LONG_INIT_MS:
        return None
    figure = f"{time(row['init_ms'])} [{interval(low, high)}] for {shorten(row['variant'])}"
    return _of(row, f"{shorten(row['delegate'])} initialises for longer than a second", figure, low / LONG_INIT_MS)


def _much_memory(row: Row, low: float, high: float) -> Surprise | None:
    added = case_quantity("added_mb")
    if not low >= max(MUCH_MB, TIMES_ITS_FILE * row["size_mb"]):
        return None
    figure = f"{added.text(row['added_mb'])} [{added.cell(low)}, {added.cell(high)}] for {shorten(row['variant'])}"
    what = f"{shorten(row['delegate'])} adds more than {MUCH_MB:g} MB to its process"
    return _of(row, what, f"{figure}, a file of {case_quantity('size_mb').text(row['size_mb'])}", low / MUCH_MB)
