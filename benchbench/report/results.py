"""What a report is about: runs, their frames side by side, and the looks that all its plots share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import pandas as pd

from benchbench.analysis.budget import Breach, breaches, in_short
from benchbench.analysis.choices import Choice, choices_of
from benchbench.analysis.copies import refuse_copies
from benchbench.analysis.frames import Run, common_statistics
from benchbench.analysis.recommend import LOSES_AT_MOST, Recommendation, recommend
from benchbench.analysis.rows import Row, rows_of
from benchbench.analysis.surprises import Surprise, surprises_of
from benchbench.analysis.tally import Tally, tally
from benchbench.analysis.tradeoffs import tradeoffs
from benchbench.report.comparison import Comparison, comparison_of
from benchbench.runtimes import KINDS, backend_type
from benchbench.values import formatting
from benchbench.values.doubt import Doubt
from benchbench.values.quantities import case_quantity, of_group
from benchbench.values.quantity import Quantity

SPARE = ("#5aa6b8", "#c2a53a", "#7d9b4e", "#d07f9f", "#6f6fb5", "#9c6b4f")


@dataclass(frozen=True)
class Results:
    """Runs, read; the column `place` of `cases` and `trials` names the device, and the run where there are several."""

    runs: Sequence[Run]

    def __post_init__(self) -> None:
        refuse_copies(self.runs)

    @cached_property
    def cases(self) -> pd.DataFrame:
        """All cases; those of one family by one statistic, also where their runs were measured with different tools."""
        if len(self.runs) == 1:
            return self._placed([self.runs[0].cases])
        statistics = common_statistics(self.runs, lambda cell: cell.family)
        return self._placed([run.cases_by(statistics) for run in self.runs])

    @cached_property
    def rows(self) -> tuple[Row, ...]:
        """The rows of `cases`."""
        return tuple(rows_of(self.cases))

    @cached_property
    def tallies(self) -> tuple[tuple[str, Tally], ...]:
        """What became of the cases of each run, by its name."""
        return tuple((self.labels[run.id], tally(run)) for run in self.runs)

    @cached_property
    def over_budget(self) -> dict[str, tuple[Breach, ...]]:
        """The limits of each run's budget that its cases do not keep, by its id; of those that have any."""
        found = {run.id: breaches(run.cases, run.budget) for run in self.runs}
        return {run: limits for run, limits in found.items() if limits}

    @cached_property
    def over_budget_lines(self) -> tuple[str, ...]:
        """The same in words, a line a run."""
        named = {run: f"{self.labels[run]}: " if len(self.runs) > 1 else "" for run in self.over_budget}
        return tuple(f"{named[run]}{in_short(limits)}" for run, limits in self.over_budget.items())

    @cached_property
    def labels(self) -> dict[str, str]:
        """Run -> what people call it: its name and when it was made, and its folder where that is not enough."""
        folders = Counter(run.folder.name for run in self.runs)
        places = [run.folder.name if folders[run.folder.name] == 1 else str(run.folder) for run in self.runs]
        dates = [(run.manifest.created or "")[:16].replace("T", " ") for run in self.runs]
        names = [", ".join(filter(None, (run.name, date))) for run, date in zip(self.runs, dates, strict=True)]
        return {
            run.id: name if names.count(name) == 1 else f"{name}, {place}"
            for run, name, place in zip(self.runs, names, places, strict=True)
        }

    @cached_property
    def tried(self) -> pd.DataFrame:
        """The cases that were launched, whatever came of it."""
        return self.cases[self.cases["launches_all"] > 0]

    @cached_property
    def trials(self) -> pd.DataFrame:
        return self._placed([run.trials for run in self.runs])

    @property
    def places(self) -> list[str]:
        return [str(place) for place in self.cases["place"].unique()]

    @cached_property
    def colors(self) -> dict[str, str]:
        """Delegate label -> colour: its kind's, or a spare one where two labels share a kind."""
        chosen: dict[str, str] = {}
        spare = iter(SPARE * 50)
        pairs = self.cases[["delegate", "kind"]].drop_duplicates().itertuples(index=False)
        for label, kind in sorted(pairs, key=lambda pair: [*KINDS, pair[1]].index(pair[1])):
            color = backend_type(kind).color
            chosen[label] = color if color and color not in chosen.values() else next(spare)
        return chosen

    @cached_property
    def classes(self) -> pd.DataFrame:
        return self._placed([run.classes for run in self.runs])

    @cached_property
    def confusion(self) -> pd.DataFrame:
        return self._placed([run.confusion for run in self.runs])

    @cached_property
    def tradeoffs(self) -> pd.DataFrame:
        return tradeoffs(self.cases)

    @cached_property
    def comparison(self) -> Comparison | None:
        """The last run against those before it; None where there is nothing to compare."""
        return comparison_of(self.runs)

    @cached_property
    def doubts(self) -> tuple[Doubt, ...]:
        """Everything that speaks against some case, each doubt once."""
        return tuple(dict.fromkeys(doubt for doubts in self.cases["doubts"] for doubt in doubts))

    @cached_property
    def choices(self) -> tuple[Choice, ...]:
        """What it takes to choose a case of each device and family."""
        return choices_of(self.cases, self.tradeoffs)

    @cached_property
    def recommendations(self) -> tuple[Recommendation, ...]:
        return recommend(self.cases, table=self.tradeoffs)

    @cached_property
    def surprises(self) -> tuple[Surprise, ...]:
        """What nobody would expect of these runs, the largest first."""
        return surprises_of(self.cases, self.tradeoffs, self.trials, LOSES_AT_MOST)

    def place(self, run: str, device: str) -> str:
        return device if len(self.runs) == 1 else f"{device} ({self.labels[run]})"

    def _placed(self, frames: list[pd.DataFrame]) -> pd.DataFrame:
        # Frames of runs without a single row would only blur the types of the others.
        full = [frame for frame in frames if len(frame)] or frames[:1]
        whole = pd.concat(full, ignore_index=True)
        places = [self.place(run, device) for run, device in zip(whole["run"], whole["device"], strict=True)]
        return whole.assign(place=pd.Series(places, index=whole.index, dtype="str"))


def phases_of(statistics: pd.Series) -> tuple[Quantity, ...]:
    """The phases of a launch; the steady one is named for the statistic that the cases share."""
    steady = replace(case_quantity("median_ms"), label=f"steady {formatting.statistic_title(statistics)}")
    return (*of_group("phase"), steady)
