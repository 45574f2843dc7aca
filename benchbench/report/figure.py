"""One figure of one run or several, of all their cases or of those in a frame: for notebooks, slides and papers."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from benchbench.analysis.frames import Run
from benchbench.report.figures import figures_of, known
from benchbench.report.figures.base import Spec
from benchbench.report.figures.drawing import drawn as draw
from benchbench.report.figures.drawing import whole_specs
from benchbench.report.results import Results
from benchbench.report.tables import tables_of
from benchbench.values.errors import NothingToDo

__all__ = ["draw", "figure"]


def figure(name: str, runs: Run | Sequence[Run], *, cases: pd.DataFrame | None = None) -> Spec:
    """A figure as a Vega-Lite spec with its rows; of the rows of `run.cases` that `cases` has, where it is given.

    `draw` makes a file of it, and altair.Chart.from_dict shows it in a notebook. Raises InputError for a name that no
    figure has, NothingToDo where there is nothing to show.
    """
    results = Results((runs,) if isinstance(runs, Run) else tuple(runs))
    chosen, tables = known(figures_of(results), [name])[name], tables_of(results)
    rows = tables[chosen.table]
    if cases is not None:
        named = zip(cases["run"], cases["device"], cases["case"], strict=True)
        wanted = {(results.place(run, device), case) for run, device, case in named}
        rows = [row for row in rows if (row["place"], row["case"]) in wanted]
    for _, spec in whole_specs([chosen], {chosen.table: rows}):
        return spec
    raise NothingToDo(f"figure {name} has nothing to show", remedy="see benchbench report")
