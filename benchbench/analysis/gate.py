"""What of a comparison fails a build."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from benchbench.analysis.compare_quantities import TESTED, QuantityChange
from benchbench.values.errors import InputError
from benchbench.values.formatting import percent

SLOWER = "slower"
WHAT = (SLOWER, *(one.case_column for one in TESTED))


@dataclass(frozen=True, slots=True)
class Gate:
    """A change that fails a build: its whole interval must lie beyond `by`, a fraction."""

    what: str  # slower, or the column of a quantity that two runs are compared by
    by: float = 0.0

    @classmethod
    def parse(cls, text: str) -> Gate:
        """`slower:5%`, `added_mb:10%`, `accuracy_top1`; raises InputError for anything else."""
        what, _, by = text.partition(":")
        wanted = f"{', '.join(WHAT)}, each with :PERCENT or without"
        if what not in WHAT:
            raise InputError(f"--fail-on {text!r}: {what!r} is nothing that can fail", remedy=f"write {wanted}")
        try:
            fraction = float(by.removesuffix("%")) / 100 if by else 0.0
        except ValueError:
            fraction = -1.0
        if not 0 <= fraction < 1000:
            raise InputError(f"--fail-on {text!r}: {by!r} is no percentage", remedy=f"write {what}:5%")
        return cls(what, fraction)

    def check(self, same_within: float) -> None:
        """Raises InputError where it could never fail what it seems to: within `same_within` all is the same."""
        exact = any(one.case_column == self.what and one.test != "launches" for one in TESTED)
        if 0 < self.by < same_within and not exact:
            asked, same = f"--fail-on {self.what}:{percent(self.by, 1)}", percent(same_within, 1)
            raise InputError(
                f"{asked} is less than the {same} within which all counts as the same",
                remedy=f"add --same-within {self.by:g}, or let pass {same}",
            )


DEFAULT = (Gate(SLOWER),)
Failing = dict[str, tuple[str, ...]]  # case -> why it fails a build


def failing(frame: pd.DataFrame, changes: Sequence[QuantityChange], gates: Sequence[Gate]) -> Failing:
    """Why each case that fails a build does, in the order of the frame.

    Cases that fail now, lost their delegate or are gone always do.
    """
    return {
        str(row["case"]): reasons
        for row in frame.to_dict("records")
        if (reasons := (*_of_row(row, gates), *_of_quantities(str(row["case"]), changes, gates)))
    }


def _of_row(row: Any, gates: Sequence[Gate]) -> tuple[str, ...]:
    if not row["regressed"]:
        return ()
    if row["verdict"] != SLOWER:
        return (f"{row['verdict']}: {row['why']}",)
    by = [gate.by for gate in gates if gate.what == SLOWER]
    beyond = any(not limit or row["ratio_low"] - 1 > limit for limit in by)
    return (f"slower: new / base {row['ratio']:.3g}",) if beyond else ()


def _of_quantities(case: str, changes: Sequence[QuantityChange], gates: Sequence[Gate]) -> tuple[str, ...]:
    limits = {gate.what: gate.by for gate in gates}

    def beyond(change: QuantityChange) -> bool:
        limit = limits.get(change.quantity.case_column)
        return limit is not None and (not limit or (change.worse_by or 0.0) > limit)

    worse = [change for change in changes if change.case == case and change.verdict == "worse"]
    return tuple(str(change).removeprefix(f"{case}: ") for change in worse if beyond(change))
