"""One network in files of two formats: the best CPU path of each runtime, at equal scheme, threads and device."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

import pandas as pd

from benchbench.analysis.familywise import compare_all
from benchbench.analysis.intervals import Ratio
from benchbench.analysis.pairs import level_of
from benchbench.analysis.rows import Row, rows_of
from benchbench.analysis.tradeoffs import is_broken
from benchbench.runtimes import BACKENDS, FORMATS, runtime_of_backend

SAME_WITHIN = 0.03  # as fast: the threshold of `compare`
EQUAL = ("run", "device", "family", "scheme", "threads", "affinity")


@dataclass(frozen=True, slots=True)
class Pair:
    """Rows of the frame of cases, one of each format; `speed` is new / base: below 1, `new` is the faster one."""

    base: Row
    new: Row
    speed: Ratio


def pairs_of(cases: pd.DataFrame) -> tuple[Pair, ...]:
    """The pairs of all runs, in the order of the frame; their speeds are judged with all of them in view."""
    by_place: dict[tuple[Hashable, ...], dict[str, Row]] = {}
    for row in sorted(filter(_counts, rows_of(cases)), key=lambda row: float(row["median_ms"])):
        by_place.setdefault(_place(row), {}).setdefault(format_of(row), row)
    order = {place: n for n, place in enumerate(dict.fromkeys(map(_place, rows_of(cases))))}
    found: list[tuple[Row, Row]] = []
    for place in sorted(by_place, key=order.__getitem__):
        base, *others = (by_place[place][name] for name in FORMATS if name in by_place[place])
        found += [(base, other) for other in others]
    pairs = [(base["samples_ms"], new["samples_ms"]) for base, new in found]
    speeds = compare_all(pairs, same_within=SAME_WITHIN, level=level_of(row for pair in found for row in pair))
    return tuple(Pair(base, new, speed) for (base, new), speed in zip(found, speeds, strict=True))


def format_of(row: Row) -> str:
    """The format of a case's file, by its delegate."""
    return runtime_of_backend(str(row["kind"])).format


def _counts(row: Row) -> bool:
    """Whether a case ran on a CPU as it was asked to, with the family's own weights and sound outputs."""
    own = bool(row["headline"]) and row["network"] == "" and row["relation"] == "same" and not is_broken(row)
    return own and row["kind"] in BACKENDS and BACKENDS[row["kind"]].processor == "cpu"


def _place(row: Row) -> tuple[Hashable, ...]:
    """What is equal in a pair; what is missing equals what is missing."""
    return tuple(None if pd.isna(row[name]) else row[name] for name in EQUAL)
