"""Which of two cases is faster, as far as can be told, and which thread count stands for a variant on a delegate."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import special

from benchbench.analysis.doubts import NOISY
from benchbench.analysis.formatting import described_time
from benchbench.analysis.intervals import CONFIDENCE, Ratio, compare
from benchbench.analysis.rows import Row, rows_of

CELL = ["run", "device", "family", "variant", "delegate"]
TOLD_APART = frozenset({"faster", "slower", "seems faster", "seems slower"})


def speed_against(base: Sequence[float], new: Sequence[float], *, same_within: float = 0.03) -> tuple[Ratio, str]:
    """new / base, with the verdict of `compare`.

    It is "seems faster" or "seems slower" where launches too few for an interval are further apart than noise would
    bring them.
    """
    found = compare(base, new, same_within=same_within)
    if found.interval is None and _beyond_noise(base, new):
        return found, "seems faster" if found.value < 1 else "seems slower"
    return found, found.verdict


def _beyond_noise(base: Sequence[float], new: Sequence[float]) -> bool:
    """Whether launches differ by more than is likely, if they vary by as much as noisy ones do, or as they show.

    Student's t test of the means of the logs, with one variance for both sides. One launch alone says nothing.
    """
    if min(len(base), len(new)) < 2 or min(*base, *new) <= 0:
        return False
    sides, freedom = [np.log(base), np.log(new)], len(base) + len(new) - 2
    shown = sum(float(((side - side.mean()) ** 2).sum()) for side in sides) / freedom
    deviation = math.sqrt(max(shown, math.log1p(NOISY**2)) * (1 / len(base) + 1 / len(new)))
    critical = float(special.stdtrit(freedom, (1 + CONFIDENCE) / 2))
    return abs(float(sides[1].mean() - sides[0].mean())) > critical * deviation


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
