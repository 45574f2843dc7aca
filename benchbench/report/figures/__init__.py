"""The figures of a report, each described once."""

from __future__ import annotations

from collections.abc import Sequence

from benchbench.report.figures import (
    accuracy,
    comparison,
    conditions,
    history,
    kinds,
    latency,
    overview,
    profile,
    stability,
    threads,
)
from benchbench.report.figures.base import Figure
from benchbench.report.results import Results
from benchbench.values.errors import InputError


def figures_of(results: Results) -> tuple[Figure, ...]:
    """All figures that these results may have; which are drawn depends on the rows (`drawn_rows`)."""
    return (
        overview.figure(results),
        comparison.figure(results),
        history.figure(results),
        latency.figure(results),
        accuracy.figure(results),
        threads.figure(results),
        kinds.phases(results),
        kinds.memory(results),
        profile.figure(results),
        stability.figure(results),
        *conditions.figures(results),
        *conditions.while_running(results),
    )


def known(figures: Sequence[Figure], names: Sequence[str]) -> dict[str, Figure]:
    """The figures of these names; raises InputError for a name that none of them has."""
    by_name = {figure.name: figure for figure in figures}
    for name in names:
        if name not in by_name:
            raise InputError(f"there is no figure {name!r}", remedy=f"write {', '.join(by_name)}")
    return {name: by_name[name] for name in names}


__all__ = ["Figure", "figures_of", "known"]
