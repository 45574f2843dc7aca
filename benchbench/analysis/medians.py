"""Medians with their intervals of many groups at once, by columns: a million launches in a moment."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchbench.analysis.intervals import CONFIDENCE, FEWEST, median_depth


def grouped_medians(trials: pd.DataFrame, by: list[str], value: str) -> pd.DataFrame:
    """A row a group: its columns `by`, then median, low, high and launches; NaN ends below three values.

    The interval is that of `median_interval`. Rows without a value count nowhere.
    """
    known = trials.loc[trials[value].notna(), [*by, value]]
    group = known.groupby(by, sort=False, dropna=False, observed=True).ngroup().to_numpy()
    values = known[value].to_numpy(float)
    order = np.lexsort((values, group))
    values, counts = values[order], np.bincount(group)
    begin = np.concatenate([[0], np.cumsum(counts)[:-1]]) if len(counts) else np.zeros(0, int)
    ends = {int(n): median_depth(int(n), CONFIDENCE) if n >= FEWEST else (1, np.nan) for n in np.unique(counts)}
    depth = np.array([ends[int(n)][0] for n in counts], int)
    inward = np.array([ends[int(n)][1] for n in counts], float)
    last = begin + counts - 1

    def between(at: NDArray[np.int64], further: NDArray[np.int64]) -> NDArray[np.float64]:
        return np.asarray((1 - inward) * values[at] + inward * values[further], dtype=np.float64)

    inner = np.minimum(depth, counts - 1)
    first = known.iloc[order[begin]] if len(counts) else known
    return (
        first[by]
        .reset_index(drop=True)
        .assign(
            median=(values[begin + (counts - 1) // 2] + values[begin + counts // 2]) / 2,
            low=between(begin + depth - 1, begin + inner),
            high=between(last - depth + 1, last - inner),
            launches=counts,
        )
    )
