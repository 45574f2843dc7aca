"""Which cases of a run do not keep to the budget that its matrix writes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from benchbench.config.rules import BudgetRule
from benchbench.values.quantities import case_quantity


@dataclass(frozen=True, slots=True)
class Breach:
    """A limit that a case does not keep; `value` None = it is not known, which keeps no limit either."""

    case: str
    column: str
    value: float | None
    limit: float
    upper: bool  # the limit is the most that the value may be

    def __str__(self) -> str:
        quantity = case_quantity(self.column)
        sign = ">" if self.upper else "<"
        if self.value is None:
            return f"{self.case}: {quantity.label} is not known, and the budget has {quantity.text(self.limit)}"
        return f"{self.case}: {quantity.label} {quantity.text(self.value)} {sign} {quantity.text(self.limit)}"


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
            value = row.get(column, math.nan)
            known = None if pd.isna(value) else float(value)
            if known is None or (known > limit if upper else known < limit):
                found.append(Breach(str(row["case"]), column, known, limit, upper))
    return found
