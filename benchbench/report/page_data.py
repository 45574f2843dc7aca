"""What a page holds once: its tables by columns, what repeats in them once, and its figures without their rows."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import Any
from urllib.parse import quote

from benchbench.analysis.frames import Run
from benchbench.analysis.recommend import LOSES_AT_MOST
from benchbench.analysis.rows import Row
from benchbench.report.case_rows import INNER, shown_quantities
from benchbench.report.content import Content
from benchbench.report.figures import Figure
from benchbench.report.figures.drawing import compiled
from benchbench.report.tables import choice_rows
from benchbench.values import formatting
from benchbench.values.quantities import of_group, quantity
from benchbench.values.quantity import Quantity


def page_data(content: Content, out: Path | None) -> dict[str, Any]:
    """The JSON behind a page in the folder `out`; None = in that of its run."""
    results, tables = content.results, content.tables
    quantities = [_quantity(one) for one in shown_quantities(tables["cases"])]
    memory = [one for one in (*of_group("added"), *of_group("memory")) if one.heading]
    return {
        "tables": {name: by_columns(rows) for name, rows in tables.items()},
        "doubts": [asdict(doubt) for doubt in results.doubts],
        "choices": choice_rows(results, results.choices),
        "figures": [_figure(figure) for figure in content.figures],
        "quantities": quantities,
        "memory": [_quantity(one) for one in memory],
        "likeness": [
            _quantity(quantity(name)) for name in ("accuracy_agreement", "accuracy_cosine", "accuracy_sqnr_db")
        ],
        "statistic": formatting.statistic_title(results.cases["statistic"]),
        "interval": formatting.interval_title(results.cases["launches"]).capitalize(),
        "least_loss": LOSES_AT_MOST,
        "inner": list(INNER),
        "runs": [_run(run, out) for run in results.runs],
    }


def _figure(figure: Figure) -> dict[str, Any]:
    told = {key: getattr(figure, key) for key in ("name", "table", "each", "title", "alt", "needs", "varies", "wide")}
    return told | {"vega": compiled(figure)}


def _quantity(one: Quantity) -> dict[str, Any]:
    about = {"title": one.column_title, "about": one.about, "unit": one.unit.symbol, "better": one.better}
    return {"column": one.case_column} | about


def _run(run: Run, out: Path | None) -> dict[str, str | None]:
    """How a page in `out` names a run folder: for a link to its logs, and, of a run with a plan, for a shell."""
    folder = Path(os.path.relpath(run.folder, out or run.folder)).as_posix()
    quoted = shlex.quote(str(run.folder)) if run.manifest.trials else None
    return {"logs": "" if folder == "." else f"{quote(folder)}/", "quoted": quoted}


def by_columns(rows: Sequence[Row]) -> dict[str, Any]:
    """Rows as columns; those without a value are left out.

    A column is a list with a value for each row; or, where that is shorter, `values` with `runs`, for how many rows in
    turn each of them stands, or `values` with `at`, for each row the place of its own among them.
    """
    columns: dict[str, Any] = {}
    for name in dict.fromkeys(key for row in rows for key in row):
        values = [row.get(name) for row in rows]
        if any(value is not None for value in values):
            columns[name] = _column(values)
    return {"count": len(rows), "columns": columns}


def _column(values: list[Any]) -> list[Any] | dict[str, list[Any]]:
    keys = [tuple(value) if isinstance(value, list) else value for value in values]
    runs = [(key, sum(1 for _ in alike)) for key, alike in groupby(keys)]
    if 4 * len(runs) < len(keys):
        return {"values": [key for key, _ in runs], "runs": [count for _, count in runs]}
    places = {key: place for place, key in enumerate(dict.fromkeys(keys))}
    if 2 * len(places) < len(keys):
        return {"values": list(places), "at": [places[key] for key in keys]}
    return values
