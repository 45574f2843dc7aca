"""What every section of the page is, and the phrases that several share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from benchbench.analysis.doubts import common_doubts
from benchbench.analysis.tradeoffs import is_broken
from benchbench.report.results import Results
from benchbench.values import formatting
from benchbench.values.doubt import Doubt


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the page. `figures` are drawn after what its template says.

    With `empty`, it is not there, and that sentence is told at the end of the page; `undrawn` is the same of a section
    of figures of which none has anything to draw.
    """

    id: str
    title: str
    template: str
    about: str = ""
    content: Mapping[str, Any] = field(default_factory=dict)
    figures: Sequence[str] = ()  # their names
    empty: str | None = None
    undrawn: str | None = None
    data: Mapping[str, Any] = field(default_factory=dict)  # for its script: the data of the page has it by its id


def shared_doubts(results: Results) -> dict[str, tuple[Doubt, ...]]:
    """The doubts that every measured case of a place has: said once for the device, not again in each row."""
    return {
        str(place): common_doubts(cases.loc[cases["status"] == "ok", "doubts"])
        for place, cases in results.cases.groupby("place", sort=False)
    }


def pale(results: Results) -> str:
    """What pale marks mean, where there are any."""
    if not any(map(is_broken, results.rows)):
        return ""
    return " Pale: an output is broken, so that these are the numbers of wrong answers."


def statistic(results: Results) -> str:
    """What the latencies are, in a phrase."""
    coarse = "as not every tool here says a median, or says it finely enough"
    match formatting.statistic_title(results.cases["statistic"]):
        case "median":
            return "median over launches of each launch's median"
        case "mean":
            return f"median over launches of each launch's mean ({coarse})"
        case _:
            return f"median over launches of each launch's median, or of its mean where that is written ({coarse})"


def intervals(results: Results) -> str:
    return formatting.intervals_explained(int(n) for n in results.cases["launches"])


def nothing(results: Results) -> str | None:
    return None if len(results.tried) else "Nothing was measured: no trial has an outcome yet."
