"""Rules over cells, as a matrix writes them: what to leave out, and what a case may cost."""

from __future__ import annotations

import math
from typing import Any

from pydantic import Field, field_validator, model_validator

from benchbench.config.complaints import did_you_mean
from benchbench.config.globs import Glob, fits
from benchbench.values.device import Frozen
from benchbench.values.quantities import QUANTITIES, case_quantity
from benchbench.values.quantity import COSINE, DECIBEL, NUMBER, SHARE, Quantity

MOST = tuple(one.case_column for one in QUANTITIES if one.case and one.better == "lower")
LEAST = tuple(one.case_column for one in QUANTITIES if one.case and one.better == "higher")


class CellRule(Frozen):
    """Cells of a matrix: every field that is given must fit; names are globs."""

    device: Glob | None = Field(default=None, description="A device's name.", examples=["host"])
    family: Glob | None = Field(default=None, description="A model's family.", examples=["mobilenet_*"])
    variant: Glob | None = Field(default=None, description="A variant: its name, or family.name.", examples=["int8"])
    scheme: Glob | None = Field(default=None, description="A quantization scheme.", examples=["int16x8"])
    delegate: Glob | None = Field(default=None, description="As case ids have it, or its kind.", examples=["gpu"])
    threads: int | None = Field(default=None, description="A number of threads.", examples=[4])
    affinity: str | None = Field(default=None, description="A value of the matrix's affinity.", examples=["little"])

    def fits(
        self,
        *,
        device: str,
        family: str,
        name: str,
        scheme: str | None,
        delegate: str,
        kind: str | None,
        threads: int | None,
        affinity: str | None,
    ) -> bool:
        """Whether it is about this cell; `delegate` is the label in the case id."""

        def glob(pattern: str | None, *names: str) -> bool:
            return pattern is None or fits(pattern, *names)

        return (
            glob(self.device, device)
            and glob(self.family, family)
            and glob(self.variant, name, f"{family}.{name}")
            and glob(self.scheme, scheme or "")
            and glob(self.delegate, kind or "", delegate)
            and self.threads in {None, threads}
            and self.affinity in {None, affinity}
        )

    @property
    def written(self) -> str:
        """The fields that say which cells, as the matrix has them; "" = all."""
        given = self.model_dump(exclude_none=True, include=set(CellRule.model_fields))
        return ", ".join(f"{key} = {value!r}" for key, value in given.items())


class SkipRule(CellRule):
    """Cells to leave out: every field that is given must fit; names are globs."""

    reason: str = Field(default="left out by the matrix", description="What reports say of the cells.")

    @model_validator(mode="after")
    def _says_something(self) -> SkipRule:
        if not self.written:
            raise ValueError("names no cell: give device, family, variant, scheme, delegate, threads or affinity")
        return self


class BudgetRule(CellRule):
    """What cases may cost, and must reach: a run ends with exit code 1 where one does not; no field = all cases."""

    max: dict[str, float] = Field(
        default={},
        description="The most that a column of the cases (reports/README.md) may be, such as median_ms or added_mb.",
        examples=[{"median_ms": 20, "size_mb": 5}],
    )
    min: dict[str, float] = Field(
        default={},
        description="The least that a column of the cases must be, such as accuracy_top1.",
        examples=[{"accuracy_top1": 0.9}],
    )

    @field_validator("max")
    @classmethod
    def _can_be_too_much(cls, value: dict[str, float]) -> dict[str, float]:
        return _known(value, MOST)

    @field_validator("min")
    @classmethod
    def _can_be_too_little(cls, value: dict[str, float]) -> dict[str, float]:
        return _known(value, LEAST)

    @model_validator(mode="after")
    def _says_something(self) -> BudgetRule:
        if not self.max and not self.min:
            raise ValueError("has no limit: give max = { median_ms = 20 }, or min = { accuracy_top1 = 0.9 }")
        return self


class Budget(Frozen):
    """All rules of a budget, as a run keeps them."""

    budget: tuple[BudgetRule, ...] = ()


def _known(limits: dict[str, Any], columns: tuple[str, ...]) -> dict[str, Any]:
    for column, limit in limits.items():
        if column not in columns:
            raise ValueError(
                f"{column!r} is none of the columns that have such a limit: {did_you_mean(column, columns)}"
            )
        least, most = _range(case_quantity(column))
        if limit < least:
            raise ValueError(f"{column} = {limit:g} makes no sense: it is never below {least:g}")
        if columns is LEAST and limit > most:
            raise ValueError(f"{column} = {limit:g} cannot be reached: it is never above {most:g}")
    return limits


def _range(quantity: Quantity) -> tuple[float, float]:
    """Between which values a quantity lies whatever is measured; mAP, which is a number without a unit, is a share."""
    share = quantity.unit is SHARE or (quantity.unit is NUMBER and quantity.better == "higher")
    most = 1.0 if share or quantity.unit is COSINE else math.inf
    return (-1.0 if quantity.unit is COSINE else -math.inf if quantity.unit is DECIBEL else 0.0), most
