"""The dictionary of columns in reports/README.md, which `make reference` writes there."""

from __future__ import annotations

from benchbench.analysis.columns import (
    CASES,
    CLASSES,
    COMPARISON,
    CONDITIONS,
    CONFUSION,
    INFERENCES,
    SCORED,
    TRIALS,
    Column,
)
from benchbench.values.quantity import CaseStatistic, Dtype, Quantity

_FILES = {
    ("results",): TRIALS,
    ("cases",): CASES,
    ("classes",): CLASSES,
    ("confusion",): CONFUSION,
    ("results", "cases"): SCORED,
    ("inferences",): INFERENCES,
    ("conditions",): CONDITIONS,
    ("comparison",): COMPARISON,
}
_TYPES: dict[Dtype, str] = {
    "float64": "number",
    "Int64": "whole number",
    "str": "text",
    "bool": "true or false",
    "object": "text",
    "datetime64[ms, UTC]": "time",
}
_STATISTICS: dict[CaseStatistic, str] = {
    "median": "median of its launches",
    "last": "of the last launch",
    "scored": "of the scored trial",
}


def dictionary() -> str:
    """All columns of the files of a run folder, as a table in Markdown."""
    files: dict[tuple[str, Column | Quantity], list[str]] = {}
    for names, columns in _FILES.items():
        for key in columns.items():
            files.setdefault(key, []).extend(names)
    head = ("column", "in", "type", "unit", "meaning", "of a case", "better")
    rows = [head, ("---",) * len(head), *(_row(name, column, found) for (name, column), found in files.items())]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in rows)


def _row(name: str, column: Column | Quantity, files: list[str]) -> tuple[str, ...]:
    statistic, better = "", ""
    if isinstance(column, Quantity):
        statistic = _STATISTICS[column.case] if column.case and "cases" in files else ""
        better = column.better or ""
    return f"`{name}`", ", ".join(files), _TYPES[column.dtype], column.unit.symbol, column.about, statistic, better
