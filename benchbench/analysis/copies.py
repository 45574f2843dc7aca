"""Runs that are given twice, as a copy of a folder is: its numbers are no second measurement."""

from __future__ import annotations

from collections.abc import Iterable

from benchbench.analysis.frames import Run
from benchbench.values.errors import InputError


def refuse_copies(runs: Iterable[Run]) -> None:
    """Raises InputError where two of the runs have the same id."""
    first: dict[str, Run] = {}
    for run in runs:
        if run.id in first:
            both = f"{first[run.id].folder} and {run.folder}"
            raise InputError(f"{both} are the same run (id {run.id})", remedy="give each run once")
        first[run.id] = run
