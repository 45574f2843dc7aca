"""One figure of one run or several, of all their cases or of those in a frame: for notebooks, slides and papers."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any, get_args

import pandas as pd

from benchbench.analysis.frames import Run
from benchbench.analysis.rows import Row
from benchbench.report.figures import figures_of, known
from benchbench.report.figures.base import Table
from benchbench.report.figures.drawing import SCALE, FileTheme, Format, drawn, whole_specs
from benchbench.report.figures.sheets import Size
from benchbench.report.results import Results
from benchbench.report.tables import Tables, tables_of
from benchbench.values.atomic import atomic
from benchbench.values.errors import InputError, NothingToDo, file_error

_ABOUT = ("place", "device", "family", "variant", "delegate", "case")  # what a row may tell of its case


class Chart(dict[str, Any]):
    """A figure as a Vega-Lite spec with its rows: a notebook shows it, altair.Chart.from_dict reads it."""

    def save(self, path: str | Path, *, theme: FileTheme = "light", size: Size = "page") -> Path:
        """Write it as PNG, SVG or PDF, as the end of the file's name says; returns the path.

        Raises InputError for another end, InputError or HostError where the file cannot be written.
        """
        path = Path(path)
        forms: dict[str, Format] = {f".{form}": form for form in get_args(Format)}
        form = forms.get(path.suffix.lower())
        if form is None:
            raise InputError(f"{path}: no figure is written so", remedy=f"end its name in {', '.join(forms)}")
        content = drawn(self, form, theme, size)
        try:
            with atomic(path) as file:
                file.write(content)
        except OSError as error:
            raise file_error(error, f"{path} cannot be written", remedy="name another folder") from error
        return path

    def _repr_png_(self) -> tuple[bytes, dict[str, int]]:
        """For notebooks: the picture, and how large it is shown."""
        from PIL import Image

        content = drawn(self, "png")
        with Image.open(BytesIO(content)) as image:
            return content, {"width": image.width // SCALE, "height": image.height // SCALE}


def figure(name: str, runs: Run | Sequence[Run], *, cases: pd.DataFrame | None = None) -> Chart:
    """A figure of the page; of the rows of `run.cases` that `cases` has, where it is given.

    Raises InputError for a name that no figure has, NothingToDo where there is nothing to show.
    """
    results = Results((runs,) if isinstance(runs, Run) else tuple(runs))
    chosen, tables = known(figures_of(results), [name])[name], tables_of(results)
    rows = tables[chosen.table] if cases is None else _rows_of(cases, results, tables, chosen.table)
    for _, spec in whole_specs([chosen], {chosen.table: rows}):
        return Chart(spec)
    raise NothingToDo(f"figure {name} has nothing to show", remedy="see benchbench report")


def _rows_of(cases: pd.DataFrame, results: Results, tables: Tables, table: Table) -> Sequence[Row]:
    """The rows of a table that are of these cases, as far as the table tells."""
    named = zip(cases["run"], cases["device"], cases["case"], strict=True)
    wanted = {(results.place(run, device), case) for run, device, case in named}
    chosen = [row for row in tables["cases"] if (row["place"], row["case"]) in wanted]
    rows = tables[table]
    columns = [name for name in _ABOUT if rows and name in rows[0]]
    keys = {tuple(row[name] or None for name in columns) for row in chosen}
    return [row for row in rows if tuple(row[name] or None for name in columns) in keys]
