"""Runs of which one is a copy of another's folder, and so has its id."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from benchbench.analysis.frames import Run

_COPY = re.compile(r" \(\d+\)$")


def told_apart(runs: Sequence[Run]) -> tuple[Run, ...]:
    """The runs; those of an id that another has, too, with their place among all in it."""
    ids = [run.id for run in runs]

    def renamed(run: Run, place: int) -> Run:
        return replace(run, manifest=run.manifest.model_copy(update={"id": f"{run.id} ({place})"}))

    return tuple(run if ids.count(run.id) == 1 else renamed(run, place) for place, run in enumerate(runs, 1))


def original_id(run: Run) -> str:
    """The id that copies have in common."""
    return _COPY.sub("", run.id)
