"""What it takes to choose a case under any limits: the page does, as they are moved, and `recommend` under its own."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement

import pandas as pd

from benchbench.analysis.doubts import common_doubts
from benchbench.analysis.fastest import told_apart
from benchbench.analysis.pitfalls import expected_pitfalls
from benchbench.analysis.recommend import LOSES_AT_MOST, as_fast, cannot_choose, claims, drawback, own_and_known
from benchbench.analysis.rows import Row, grouped
from benchbench.analysis.tradeoffs import WHERE, by_faithfulness, loss, loss_interval, slower_than_best_float


@dataclass(frozen=True, slots=True)
class Candidate:
    """A case of a device and family that may be chosen, or that must be told why it is not.

    `equals`: which of the known ones cannot be told apart from it in speed; `rank`: its place among the known ones
    by faithfulness; `as_fast`: what is said of its other threads. A loss of accuracy is a share.
    """

    case: str
    known: bool  # its outputs are sound and of known accuracy
    loss: float | None
    too_few: tuple[float, float] | None  # losses between which its samples cannot tell
    behind_float: bool  # slower than the device's best float case
    equals: tuple[str, ...]
    rank: int | None
    as_fast: tuple[str, ...]
    claims: tuple[str, ...]
    drawback: str


@dataclass(frozen=True, slots=True)
class Choice:
    """The candidates of one device and family, fastest first; `why` = why nothing can be chosen, whatever the limits.

    `shared` as that of a recommendation; `pitfalls` as there, without the surprises, which the page tells together.
    """

    run: str
    device: str
    family: str
    why: str
    candidates: tuple[Candidate, ...]
    pitfalls: tuple[str, ...]
    shared: tuple[str, ...]


def choices_of(cases: pd.DataFrame, tradeoffs: pd.DataFrame) -> tuple[Choice, ...]:
    """One for each run, device and family that was launched."""
    launched = cases[cases["launches_all"] > 0]
    tables = grouped(tradeoffs, WHERE)
    measured = launched[launched["status"] == "ok"].groupby(WHERE[:2])["doubts"]
    shared = {where: tuple(doubt.kind for doubt in common_doubts(doubts)) for where, doubts in measured}
    found = []
    for where, rows in grouped(launched, WHERE).items():
        run, device, family = map(str, where)
        table = tables.get(where, [])
        own, known = own_and_known(table)
        why = cannot_choose(rows, own, known)
        equal, ranked = _equal(known), [row["case"] for row in by_faithfulness(known)]
        candidates = tuple(
            _candidate(row, own, ranked, equal) for row in sorted(own, key=lambda row: float(row["median_ms"]))
        )
        pitfalls = expected_pitfalls(rows, table, LOSES_AT_MOST)
        found.append(Choice(run, device, family, why, candidates, pitfalls, shared.get((run, device), ())))
    return tuple(found)


def _equal(known: Sequence[Row]) -> frozenset[frozenset[str]]:
    """Which of these cannot be told apart in speed, pair by pair."""
    pairs = combinations_with_replacement(known, 2)
    return frozenset(
        frozenset((one["case"], other["case"]))
        for one, other in pairs
        if not told_apart(one["samples_ms"], other["samples_ms"])
    )


def _candidate(row: Row, own: Sequence[Row], ranked: Sequence[str], equal: Container[frozenset[str]]) -> Candidate:
    is_known = row["case"] in ranked
    low, high = loss_interval(row)
    equals = (case for case in ranked if frozenset((row["case"], case)) in equal)
    return Candidate(
        case=row["case"],
        known=is_known,
        loss=loss(row) if is_known else None,
        too_few=None if pd.isna(low) else (low, high),
        behind_float=slower_than_best_float(row),
        equals=tuple(equals) if is_known else (),
        rank=ranked.index(row["case"]) if is_known else None,
        as_fast=as_fast(row),
        claims=tuple(claims(row, own)) if is_known else (),
        drawback=drawback(row),
    )
