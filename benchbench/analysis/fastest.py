"""Which of two cases is faster, as far as can be told, and which thread count stands for a variant on a delegate."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from benchbench.analysis.doubts import NOISY
from benchbench.analysis.formatting import described_time
from benchbench.analysis.intervals import Ratio, compare
from benchbench.analysis.rows import Row, rows_of

CELL = ["run", "device", "family", "variant", "delegate"]
TOLD_APART = frozenset({"faster", "slower", "seems faster", "seems slower"})


def speed_against(base: Sequence[float], new: Sequence[float], *, same_within: float = 0.03) -> tuple[Ratio, str]:
    """new / base, with the verdict of `compare`.

    It is "seems faster" or "seems slower" where launches too few for an interval lie apart, and their medians further
    than noise.
    """
    found = compare(base, new, same_within=same_within)
    if found.interval is None and base and new:
        if found.value < 1 / (1 + NOISY) and max(new) < min(base):
            return found, "seems faster"
        if found.value > 1 + NOISY and min(new) > max(base):
            return found, "seems slower"
    return found, found.verdict


def told_apart(base: Sequence[float], new: Sequence[float]) -> bool:
    """Whether one is faster."""
    return speed_against(base, new)[1] in TOLD_APART


def fastest(cases: pd.DataFrame) -> pd.DataFrame:
    """One case per run, device, variant and delegate: its fastest threads and affinity among headline numbers.

    Of those that cannot be told apart in speed from the fastest one it is that with the fewest threads; `as_fast` has
    the others in words.
    """
    order = cases.sort_values(["headline", "median_ms"], ascending=[False, True], kind="stable")
    rows, places = rows_of(order), order.groupby(CELL, sort=False, dropna=False).indices.values()
    found = dict(_choice([(at, rows[at]) for at in group]) for group in places)
    chosen = order.iloc[list(found)]
    return chosen.assign(as_fast=pd.Series([*found.values()], chosen.index, dtype="object")).sort_index()


def _choice(ordered: Sequence[tuple[int, Row]]) -> tuple[int, tuple[str, ...]]:
    """Where the case stands that is to be shown of these, headline numbers first and the fastest first."""
    first, best = ordered[0]
    if not best["headline"]:
        return first, ()
    equal = [
        (at, row) for at, row in ordered if row["headline"] and not told_apart(best["samples_ms"], row["samples_ms"])
    ]
    chosen, _ = min(equal, key=lambda pair: 0 if pd.isna(pair[1]["threads"]) else pair[1]["threads"])
    return chosen, tuple(described_time(row) for at, row in equal if at != chosen)
