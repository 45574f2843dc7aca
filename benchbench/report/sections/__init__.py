"""The sections of the page, a file each: from results to what a template needs, the reason for nothing, or None."""

from __future__ import annotations

from collections.abc import Callable

from benchbench.report.results import Results
from benchbench.report.sections import (
    accuracy,
    canary,
    cases,
    classes,
    comparison,
    conditions,
    delegation,
    devices,
    history,
    latency,
    memory,
    overview,
    phases,
    problems,
    profile,
    provenance,
    stability,
    summary,
    surprises,
    threads,
    two_formats,
)
from benchbench.report.sections.base import Section

SECTIONS: tuple[Callable[[Results], Section | None], ...] = (
    summary.section,
    surprises.section,
    problems.section,
    comparison.section,
    history.section,
    overview.section,
    latency.section,
    two_formats.section,
    accuracy.section,
    classes.section,
    threads.section,
    phases.section,
    memory.section,
    delegation.section,
    profile.section,
    stability.section,
    canary.section,
    conditions.section,
    cases.section,
    devices.section,
    provenance.section,
)
