"""The figures of a report, each described once."""

from __future__ import annotations

from benchbench.report.figures import (
    accuracy,
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


def figures_of(results: Results) -> tuple[Figure, ...]:
    """All figures that these results may have; which are drawn depends on the rows (`drawn_rows`)."""
    return (
        overview.figure(results),
        history.figure(results),
        latency.figure(results),
        accuracy.figure(results),
        threads.figure(results),
        kinds.phases(results),
        kinds.memory(results),
        profile.figure(results),
        stability.figure(results),
        *conditions.figures(results),
    )


__all__ = ["Figure", "figures_of"]
