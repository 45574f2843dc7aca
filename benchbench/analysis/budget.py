"""Which cases of a run do not keep to the budget that its matrix writes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from benchbench.analysis.formatting import missing
from benchbench.config.rules import BudgetRule
from benchbench.values.quantities import case_quantity


@dataclass(frozen=True, slots=True)
class Breach:
    """A limit that a case does not keep; `value` None = it is not known (`why`), which keeps no limit either."""

    case: str
    column: str
    value: float | None
    limit: float
    upper: bool  # the limit is the most that the value may be
    why: str = ""

    def __str__(self) -> str:
        quantity = case_quantity(self.column)
        limit = f"{'at most' if self.upper else 'at least'} {quantity.text(self.limit)}"
        known = "not known" + (f" ({self.why})" if self.why else "")
        value = known if self.value is None else quantity.text(self.value)
        return f"{self.case}: {quantity.label}: {value}; budget: {limit}"


MOST_NAMED = 5


def in_short(found: Sequence[Breach]) -> str:
    """The limits that are not kept, in one line."""
    more = [f"and {len(found) - MOST_NAMED} more"] if len(found) > MOST_NAMED else []
    return "over the budget: " + "; ".join([*map(str, found[:MOST_NAMED]), *more])


def breaches(cases: pd.DataFrame, rules: Sequence[BudgetRule]) -> tuple[Breach, ...]:
    """The limits that are not kept, case by case; cases that were skipped keep every limit."""
    found = []
    for row in cases.to_dict("records"):
        if row["status"] == "skipped":
            continue
        for rule in rules:
            if _about(rule, row):
                found += _of_case(rule, row)
    return tuple(dict.fromkeys(found))


def _about(rule: BudgetRule, row: Mapping[Any, Any]) -> bool:
    keys = ("device", "family", "scheme", "delegate", "kind", "threads", "affinity")
    cell: dict[str, Any] = {key: None if pd.isna(row[key]) else row[key] for key in keys}
    return rule.fits(name=row["variant"], **cell)


def _of_case(rule: BudgetRule, row: Mapping[Any, Any]) -> list[Breach]:
    found = []
    for upper, limits in ((True, rule.max), (False, rule.min)):
        for column, limit in limits.items():
            value, why = row.get(column, math.nan), _no_number(column, row)
            known = None if pd.isna(value) or why else float(value)
            if known is None or (known > limit if upper else known < limit):
                found.append(Breach(str(row["case"]), column, known, limit, upper, why))
    return found


def _no_number(column: str, row: Mapping[Any, Any]) -> str:
    """Why what the frame has there is not of the case: it did not run where it was to, or was disturbed."""
    case = case_quantity(column).case
    elsewhere = row["verdict"] in {"none", "unavailable", "mixed"}
    return missing(row) or "" if case == "median" or (case == "scored" and elsewhere) else ""
