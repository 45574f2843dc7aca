"""Run folders as tidy frames: a row a trial, a case, a class, a confusion.

What their columns mean: analysis/columns.py, and for people reports/README.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from benchbench.accuracy.classes import read_classes, read_confusion
from benchbench.accuracy.outputs import kept_in
from benchbench.analysis.cases import summarize, with_thread_doubts
from benchbench.analysis.columns import (
    CASES,
    CLASSES,
    CONFUSION,
    INFERENCES,
    TRIALS,
    Columns,
    typed,
    typed_columns,
)
from benchbench.analysis.conditions import conditions_frame
from benchbench.analysis.disturbances import Canaries, Disturbance, canaries_of, disturbances
from benchbench.analysis.planned_cases import PlannedCase, planned_case, planned_case_of_outcome
from benchbench.analysis.trials import place, trial_row
from benchbench.config.rules import Budget, BudgetRule
from benchbench.config.toml_files import validated
from benchbench.run_folder.conditions import read_conditions
from benchbench.run_folder.journal import read_records
from benchbench.run_folder.manifest import NAME as MANIFEST
from benchbench.run_folder.manifest import CaseRecord, Manifest, read_manifest
from benchbench.run_folder.series import Series, read_series, series_of
from benchbench.values.conditions import SensorSeries
from benchbench.values.formatting import counted
from benchbench.values.outcome import Outcome, Statistic, Timings, common_statistic
from benchbench.values.stop import Stop

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, repr=False)
class Run:
    """One run folder, read: its manifest, and the last outcome of every trial."""

    folder: Path
    manifest: Manifest
    recorded: tuple[Outcome, ...]  # in the order of the last attempts
    remarks: tuple[str, ...] = ()  # what is wrong with the records of the run

    @property
    def id(self) -> str:
        return self.manifest.id or self.folder.name

    @property
    def name(self) -> str:
        return self.manifest.name or self.folder.name

    def __repr__(self) -> str:
        """Short: the outcomes of a long run would fill a terminal for minutes."""
        return f"<Run {self.name!r} in {str(self.folder)!r}: {counted(len(self.cells), 'case')}>"

    def _repr_html_(self) -> str:
        from benchbench.analysis.notebook import as_html

        return as_html(self)

    def plot(self, quantity: str = "typical_ms", *, cases: pd.DataFrame | None = None, ax: Axes | None = None) -> Axes:
        """Draw each launch of a quantity, with the median and its interval, a row a case; returns the matplotlib Axes.

        `quantity`: its column in `trials`, in the unit of which it is drawn; typical_ms is the latency. `cases`: some
        rows of `cases`; None = all that were launched. `ax`: where to draw; None = a figure of its own.

        Raises InputError for a quantity that no launch has and for cases of several model families, which are not
        compared; NothingToDo where nothing is to be drawn.
        """
        from benchbench.analysis.launch_plot import plot_launches

        return plot_launches(self, quantity, cases, ax)

    @cached_property
    def outcomes(self) -> tuple[Outcome, ...]:
        """Those of the matrix's cases: canaries are of none."""
        return tuple(outcome for outcome in self.recorded if outcome.of_matrix)

    @cached_property
    def canaries(self) -> dict[str, tuple[Canaries, ...]]:
        """By device: how long benchbench's own model took between the rounds, with one thread and with the most."""
        return canaries_of(self.recorded)

    @cached_property
    def disturbances(self) -> dict[str, Disturbance]:
        """Why a launch is in no headline number, by trial, of those that are not."""
        return disturbances(self.recorded, self.manifest.measure.cooldown if self.manifest.measure else None)

    @cached_property
    def stops(self) -> dict[str, Stop]:
        """Why cases have no further rounds, where rounds go on by need, by case."""
        return {stop.case: stop for stop in self.manifest.stops}

    @cached_property
    def left(self) -> tuple[str, ...]:
        """Trials of the plan that have no outcome, and that their case was not stopped before."""
        had = {outcome.trial for outcome in self.recorded}
        return tuple(
            trial.id
            for trial in self.manifest.trials
            if trial.id not in had
            and trial.of_matrix
            and not (trial.case in self.stops and self.stops[trial.case].ends(trial.round, timed=trial.timed))
        )

    @cached_property
    def budget(self) -> tuple[BudgetRule, ...]:
        """The limits that the matrix wrote; none for a run that has no matrix, or that an older benchbench made.

        Raises InputError, naming file and key, where they are none.
        """
        rules = {"budget": self.manifest.matrix.get("budget", [])}
        return validated(Budget, rules, self.folder / MANIFEST).budget

    @cached_property
    def cells(self) -> dict[str, PlannedCase]:
        """What the plan says about each selected case, by case id, those that it skips last.

        From the outcome alone where the plan does not know a case.
        """
        devices = {device.name: device for device in self.manifest.devices}
        variants = {variant.id: variant for variant in self.manifest.variants}

        def cell(case: CaseRecord, skipped: str | None = None) -> PlannedCase:
            return planned_case(case, variants.get(case.variant), devices.get(case.device), skipped)

        planned = {case.id: cell(case) for case in self.manifest.cases}
        unplanned = {o.case: planned_case_of_outcome(o) for o in self.outcomes if o.case not in planned}
        return planned | unplanned | {skip.case.id: cell(skip.case, skip.reason) for skip in self.manifest.skips}

    @cached_property
    def trials(self) -> pd.DataFrame:
        """One row a trial that has an outcome, in the order of the outcomes; typical_ms by the case's statistic."""
        rows = [
            trial_row(self.id, self.cells[o.case], o, self._statistics[o.case], self.disturbances.get(o.trial))
            for o in self.outcomes
        ]
        return typed(rows, TRIALS)

    @cached_property
    def cases(self) -> pd.DataFrame:
        """One row a selected case: median over launches, interval, verdict, doubts; in the plan's order, skips last.

        The median is over launches; `statistic` says of what of each launch: the median or the mean of its inferences.
        It is one for all cases of a family, so that they can be compared.

        status: ok; failed, incomplete; skipped by the plan, or by every launch; pending, where no launch has an outcome
        yet. `error` says why there is no number.
        """
        return self._summarized(self._statistics)

    @cached_property
    def series(self) -> dict[str, Series]:
        """How long the inferences of each trial took, where its tool says it of every one; read when asked for.

        Raises InputError, naming the file, where one is spoilt.
        """
        before = {o.trial: series_of(o.trial, times) for o in self.outcomes if (times := o.measurement.timings.samples)}
        found = before | read_series(self.folder)
        counts = {o.trial: o.measurement.runs for o in self.outcomes}  # others are of attempts that do not count
        return {trial: series for trial, series in found.items() if series.inferences == counts.get(trial)}

    @cached_property
    def inferences(self) -> pd.DataFrame:
        """One row an inference whose time is kept (of long launches not all): its number from 0 on, and time_ms."""
        parts = [typed([], INFERENCES)]
        cells = {o.trial: self.cells[o.case] for o in self.outcomes}
        for trial, series in self.series.items():
            part = pd.DataFrame({"number": series.number, "time_ms": series.time_ns / 1e6})
            parts.append(part.assign(run=self.id, trial=trial, **place(cells[trial]))[[*INFERENCES]])
        return pd.concat(parts[1:] or parts, ignore_index=True).astype(parts[0].dtypes.to_dict())

    @cached_property
    def sensors(self) -> dict[str, tuple[SensorSeries, ...]]:
        """What sensors told during each trial, canaries among them; read when asked for, raising as `series`."""
        began = {o.trial: o.during.began for o in self.recorded if o.during and o.during.began}
        return read_conditions(self.folder, began) if began else {}

    @cached_property
    def conditions(self) -> pd.DataFrame:
        """One row a look at a sensor: when, in `second` of its trial, and what it told."""
        cells = {o.trial: self.cells.get(o.case) or planned_case_of_outcome(o) for o in self.recorded}
        places = {trial: {"run": self.id, **place(cell)} for trial, cell in cells.items()}
        return conditions_frame(self.recorded, self.sensors, places)

    @cached_property
    def _statistics(self) -> dict[str, Statistic]:
        return common_statistics([self], lambda cell: cell.family)

    def cases_by(self, statistics: Mapping[str, Statistic]) -> pd.DataFrame:
        """`cases`, by the statistic that is given for each case."""
        same = all(statistics[case] == statistic for case, statistic in self._statistics.items())
        return self.cases if same else self._summarized(statistics)

    def _summarized(self, statistics: Mapping[str, Statistic]) -> pd.DataFrame:
        launches: dict[str, list[Outcome]] = {case: [] for case in self.cells}
        scored: dict[PlannedCase, Outcome] = {}
        for outcome in self.outcomes:
            launches[outcome.case].append(outcome)
            if outcome.accuracy:
                scored[self.cells[outcome.case].path] = outcome
        stopped, measure = self.stops, self.manifest.measure
        rows = [
            {"run": self.id, "stopped": stopped[case].text if case in stopped else ""}
            | summarize(
                cell,
                launches[case],
                scored.get(cell.path),
                statistic=statistics[case],
                disturbed=self.disturbances,
                by_need=measure is not None and measure.precision is not None,
            )
            for case, cell in self.cells.items()
        ]
        rows = with_thread_doubts(rows, {cell.device: cell.cores for cell in self.cells.values()})
        return typed(rows, CASES)

    @cached_property
    def classes(self) -> pd.DataFrame:
        """One row a scored case and class: class, name ("" = nobody says), support, found, and recall with its 95 %
        Wilson interval (recall_low, recall_high) as shares, NaN for a class without samples.

        Read when asked for from the tables beside the outputs; a trial that has none has no rows. Raises InputError,
        naming the file, where one is spoilt.
        """
        return self._beside_outputs(read_classes, CLASSES)

    @cached_property
    def confusion(self) -> pd.DataFrame:
        """One row a scored case, label and answer that occur together: label, answer, their names, count of samples.

        Samples without an answer (NaN among the scores) have no row. Read and raising as `classes`.
        """
        return self._beside_outputs(read_confusion, CONFUSION)

    def _beside_outputs(self, read: Callable[[Path], dict[str, list[Any]] | None], columns: Columns) -> pd.DataFrame:
        found: dict[str, list[Any]] = {name: [] for name in columns}
        for outcome in self.outcomes:
            if not outcome.accuracy or not outcome.outputs:
                continue
            table = read(kept_in(self.folder, outcome.outputs))
            if table is not None:
                lines = len(next(iter(table.values())))
                same = {"run": self.id, **place(self.cells[outcome.case])}
                for name in columns:
                    found[name] += table[name] if name in table else [same[name]] * lines
        return typed_columns(found, columns)


def common_statistics(runs: Sequence[Run], alike: Callable[[PlannedCase], object]) -> dict[str, Statistic]:
    """For every case of the runs the statistic by which all cases that are `alike` can be compared."""
    launches: dict[object, list[Timings]] = {}
    for run in runs:
        for o in run.outcomes:
            if o.timed and o.status == "ok":
                launches.setdefault(alike(run.cells[o.case]), []).append(o.measurement.timings)
    chosen = {group: common_statistic(timings) for group, timings in launches.items()}
    return {case: chosen.get(alike(cell), "median") for run in runs for case, cell in run.cells.items()}


def load(path: str | Path) -> Run:
    """Read a run folder; the last line of a trial counts. A line of outcomes.jsonl that is no outcome is passed over,
    and told in `remarks`, unless a crash tore it off the end.

    Raises InputError, naming file, line and remedy, where something is missing or is not what it should be.
    """
    folder = Path(path)
    manifest, records = read_manifest(folder), read_records(folder)
    last: dict[str, Outcome] = {}  # in the order of the last attempts
    for outcome in records.outcomes:
        last.pop(outcome.trial, None)
        last[outcome.trial] = outcome
    return Run(folder, manifest, tuple(last.values()), (*records.damage, *_unplanned(folder, manifest, last)))


def _unplanned(folder: Path, manifest: Manifest, trials: Iterable[str]) -> tuple[str, ...]:
    """Outcomes that no plan knows; a run that was imported has none."""
    planned = {trial.id for trial in manifest.trials}
    strange = [trial for trial in trials if planned and trial not in planned]
    if not strange:
        return ()
    named = ", ".join(strange[:3]) + (", …" if len(strange) > 3 else "")
    what = f"{len(strange)} outcome{'s are' if len(strange) > 1 else ' is'} of no trial of this run's plan: {named}"
    return (f"{folder / 'outcomes.jsonl'}: {what} (shown all the same; are two runs mixed in this folder?)",)
