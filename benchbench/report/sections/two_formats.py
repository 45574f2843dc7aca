"""One network in both formats, side by side: each on the fastest CPU path of its runtime."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from benchbench.analysis.fastest import CELL
from benchbench.analysis.formatting import METRICS, measured, shorten
from benchbench.analysis.rows import Row, rows_of
from benchbench.analysis.two_formats import SAME_WITHIN, Pair, pairs_of
from benchbench.report.results import Results
from benchbench.report.sections.base import Section, intervals, shared_doubts, statistic
from benchbench.runtimes import runtime_of_backend
from benchbench.values import formatting
from benchbench.values.doubt import Doubt
from benchbench.values.quantities import case_quantity

COLUMNS = ("init_ms", "added_mb", "size_mb")  # beside latency
FACETS = ("device", "family", "variant", "delegate")  # with threads, by which the page selects
Common = Mapping[str, Sequence[Doubt]]  # of every measured case, by its place
Scores = Mapping[tuple[Any, ...], Row]  # rows of `tradeoffs` whose accuracy is known, by their cells


def section(results: Results) -> Section | None:
    """None where no model has files of one scheme in two formats that ran on a device's CPU."""
    pairs = pairs_of(results.cases)
    if not pairs:
        return None
    sides = [side for pair in pairs for side in (pair.base, pair.new)]
    scores = {_cell(row): row for row in rows_of(results.tradeoffs) if not pd.isna(row["accuracy"])}
    metrics = {scores[cell]["metric"] for cell in map(_cell, sides) if cell in scores}
    common = shared_doubts(results)
    content = {
        "interval": _capital(formatting.interval_title(int(side["launches"]) for side in sides)),
        "statistic": _capital(formatting.statistic_title(side["statistic"] for side in sides)),
        "headings": [case_quantity(name).column_title for name in COLUMNS],
        "accuracy": _capital(METRICS[next(iter(metrics))].label if len(metrics) == 1 else "accuracy"),
        "pairs": [_pair(results, pair, scores, common, named=len(metrics) > 1) for pair in pairs],
    }
    about = (
        "Files of one scheme in both formats, each on the fastest CPU path that was measured of its runtime, with the "
        f"same threads on the same device. Latency is the {statistic(results)} ({intervals(results)}); the ratios have "
        "95 % intervals, and are believed only with all of them in view."
    )
    return Section("formats", "The same network in both formats", "two_formats.html", about, content)


def _cell(row: Row) -> tuple[Any, ...]:
    return tuple(row[name] for name in CELL)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _pair(results: Results, pair: Pair, scores: Scores, common: Common, *, named: bool) -> dict[str, Any]:
    row = pair.base
    threads: str = "" if pd.isna(row["threads"]) else formatting.counted(int(row["threads"]), "thread")
    pinned = f"cores {row['affinity']}" if isinstance(row["affinity"], str) else ""
    place = results.place(row["run"], row["device"])
    return {
        "title": " · ".join(filter(None, (place, shorten(row["family"]), row["scheme"], threads, pinned))),
        "told": _told(pair),
        "doubts": [line for side in (pair.base, pair.new) for line in _doubts(side, common.get(place, ()))],
        "sides": [_side(side, scores, named=named) for side in (pair.base, pair.new)],
    }


def _doubts(row: Row, common: Sequence[Doubt]) -> Iterator[str]:
    """What speaks against believing the number of one side, but for what is said of every case of the device."""
    shared = {doubt.kind for doubt in common}
    title = runtime_of_backend(str(row["kind"])).title
    yield from (f"{title}: {doubt.kind}: {doubt}" for doubt in row["doubts"] if doubt.kind not in shared)


def _told(pair: Pair) -> str:
    """Which is faster, in words that claim no more than the verdict does."""
    base, new = (runtime_of_backend(str(side["kind"])).title for side in (pair.base, pair.new))
    value, interval = pair.speed.value, pair.speed.interval
    if interval is None:
        return f"{new} takes {formatting.ratio(value)} the time of {base}: too few launches to tell them apart"
    ends = _ends(interval.low, interval.high)
    match pair.speed.verdict:
        case "faster":
            turned = _ends(1 / interval.high, 1 / interval.low)
            return f"{new} is {formatting.ratio(1 / value)} {turned} faster than {base}"
        case "slower":
            return f"{new} is {formatting.ratio(value)} {ends} slower than {base}"
        case "same":
            within = formatting.percent(SAME_WITHIN)
            return f"{new} is as fast as {base} within {within}: it takes {formatting.ratio(value)} {ends} the time"
        case _:
            return f"{new} takes {formatting.ratio(value)} {ends} the time of {base}: not to be told apart"


def _ends(low: float, high: float) -> str:
    return f"[{formatting.ratio_number(low)}, {formatting.ratio_number(high)}]"


def _side(row: Row, scores: Scores, *, named: bool) -> dict[str, Any]:
    """A row of the table; `named`: with the metric of its accuracy, where the table has several."""
    score = scores.get(_cell(row))
    label = f"{METRICS[score['metric']].label} " if score is not None and named else ""
    threads: dict[str, int] = {} if pd.isna(row["threads"]) else {"threads": int(row["threads"])}
    return {
        "facets": {name: row[name] for name in FACETS} | threads,
        "variant": row["variant"],
        "runtime": runtime_of_backend(str(row["kind"])).title,
        "executor": row["executor"],
        "delegation": _delegation(row),
        "median": formatting.time(row["median_ms"]),
        "ends": formatting.interval(row["low_ms"], row["high_ms"]),
        "numbers": [case_quantity(name).cell(row[name]) for name in COLUMNS],
        "accuracy": formatting.NOTHING if score is None else f"{label}{measured(score)}",
        "tool": row["tool"] if isinstance(row["tool"], str) else formatting.NOTHING,
    }


def _delegation(row: Row) -> str:
    """The verdict, with how many nodes were taken where it is known and not all."""
    taken, total = row["nodes_delegated"], row["nodes_total"]
    counted = row["verdict"] == "partial" and not pd.isna(taken) and not pd.isna(total)
    return f"{row['verdict']}, {int(taken)} of {int(total)} nodes" if counted else str(row["verdict"])
