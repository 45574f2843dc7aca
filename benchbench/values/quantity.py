"""What is known of one number of an outcome: its unit, its meaning, how it is read, summed up and printed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import median, median_low
from typing import Literal

from benchbench.values import formatting
from benchbench.values.case import LATENCY, OfMode
from benchbench.values.errors import InputError
from benchbench.values.outcome import Outcome

Dtype = Literal["float64", "Int64", "str", "bool", "object", "datetime64[ms, UTC]"]
Better = Literal["lower", "higher"]
# median: over the launches that count; last: of the last launch that says it; scored: of the trial with the accuracy
CaseStatistic = Literal["median", "last", "scored"]
# launches: by their launches, as latency is; exact: any difference is one; paired: sample by sample
Test = Literal["launches", "exact", "paired"]


@dataclass(frozen=True, slots=True)
class Unit:
    """What numbers count, and how one is shown; `in_cell`: a number so shown says its unit itself, as "76 µs" does."""

    symbol: str
    show: Callable[[float], str] = formatting.number
    in_cell: bool = False
    dtype: Dtype = "float64"  # of a column of them


MILLISECONDS = Unit("ms", formatting.time, in_cell=True)
SECONDS = Unit("s")
MEGABYTES = Unit("MB")
MEGAHERTZ = Unit("MHz", "{:.0f}".format)
CELSIUS = Unit("°C", "{:.0f}".format)
SHARE = Unit("share", partial(formatting.percent, digits=1), in_cell=True)  # from 0 to 1
DECIBEL = Unit("dB", lambda value: formatting.decibel(value, 1).removesuffix(" dB"))
COUNT = Unit("", "{:,.0f}".format, dtype="Int64")
NUMBER = Unit("")
COSINE = Unit("", "{:.4f}".format)


@dataclass(frozen=True, slots=True)
class Quantity(OfMode):
    """One number of an outcome: its column, and what everything that shows it has to know."""

    name: str  # its column; of the cases too, where no `case_name` says another
    unit: Unit
    group: str  # which quantities stand together, in a chart or a file
    label: str  # in a legend or a sentence
    about: str  # what it means, as a phrase
    read: Callable[[Outcome], float | None] | None = None  # None: from `Outcome.quantities`, by its name
    case: CaseStatistic | None = None  # what stands for a case; None: the frame of cases does not have it
    case_name: str | None = None
    better: Better | None = None
    test: Test | None = None  # how two runs are compared by it, beside the latency; None: they are not
    heading: str | None = None  # over a column of a table; None: no table shows it
    purpose: str = LATENCY  # the mode whose launches tell it of a case

    def of(self, outcome: Outcome) -> float | None:
        """Its value in one outcome; None = nobody said. Raises InputError for a count that is no whole number."""
        if self.read is not None:
            return self.read(outcome)
        value = outcome.quantities.get(self.name)
        if value is not None and self.dtype == "Int64" and value % 1:
            said = f"{outcome.trial}: {self.name} is a count, and {value:g} is no whole number"
            raise InputError(said, remedy="what measures it must round it, or its row have another unit than COUNT")
        return value

    def samples(self, launches: Sequence[Outcome]) -> list[float]:
        """Its values in those of the launches that have it, a sample each."""
        return [value for outcome in launches if (value := self.of(outcome)) is not None]

    def of_case(self, launches: Sequence[Outcome]) -> float | None:
        """What stands for a case, of its launches that count, or of the one that was scored; None = nobody said."""
        found = self.samples(launches)
        if not found:
            return None
        if self.case != "median":
            return found[-1]
        return median_low(found) if self.dtype == "Int64" else median(found)  # of counts one that was seen

    @property
    def dtype(self) -> Dtype:
        return self.unit.dtype

    @property
    def case_column(self) -> str:
        return self.case_name or self.name

    @property
    def title(self) -> str:
        """Its label with its unit, for an axis: "temperature before, °C"."""
        return self._with_unit(self.label)

    @property
    def column_title(self) -> str:
        """What stands over its column in a table: "Peak RSS, MB"."""
        return self._with_unit(self.heading or self.label)

    def cell(self, value: float | None) -> str:
        """A value under its `column_title`, or on an axis with its `title`."""
        return formatting.NOTHING if value is None or not formatting.known(value) else self.unit.show(value)

    def text(self, value: float | None) -> str:
        """A value that stands alone, with its unit: "83.0 MB"."""
        shown = self.cell(value)
        alone = self.unit.in_cell or not self.unit.symbol or not shown[-1].isdigit()  # "–", "identical"
        return shown if alone else f"{shown} {self.unit.symbol}"

    def _with_unit(self, words: str) -> str:
        return words if self.unit.in_cell or not self.unit.symbol else f"{words}, {self.unit.symbol}"
