"""Several runs side by side: the last one against those before it, with a verdict a case."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from benchbench.analysis.compare import compare
from benchbench.analysis.compare_quantities import QuantityChange, compare_quantities
from benchbench.analysis.drift import LEAST_RUNS
from benchbench.analysis.frames import Run
from benchbench.analysis.gate import DEFAULT, Failing, failing
from benchbench.values.errors import NothingToDo


@dataclass(frozen=True, slots=True)
class Comparison:
    """The last of several runs against the ones before it; `frame` is what `compare` returns."""

    bases: tuple[Run, ...]
    new: Run
    frame: pd.DataFrame
    changes: tuple[QuantityChange, ...]
    failing: Failing


def comparison_of(runs: Sequence[Run]) -> Comparison | None:
    """The last run against all before it, or against the one before it where those are too few to tell drift.

    None for a single run, and where no case was launched in both.
    """
    if len(runs) < 2:
        return None
    *before, new = runs
    bases = before if len(before) >= LEAST_RUNS else before[-1:]
    try:
        frame = compare(bases, new)
    except NothingToDo:
        return None
    changes = compare_quantities(bases, new)
    return Comparison(tuple(bases), new, frame, changes, failing(frame, changes, DEFAULT))
