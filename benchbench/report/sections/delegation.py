"""What was asked for, what ran, and what of the graph each delegate took."""

from __future__ import annotations

from benchbench.report.results import Results
from benchbench.report.sections.base import Section
from benchbench.runtimes import backend_type


def section(results: Results) -> Section | None:
    """None where no delegate was asked for."""
    if not any(backend_type(kind).is_delegate for kind in results.tried["kind"].dropna().unique()):
        return None
    return Section(
        "delegation",
        "Delegation",
        "delegation.html",
        "Who took how much of each graph, by the runtime's own account; what was not taken whole comes first. MACs are "
        "multiply-accumulates, counted from the model file; the share of the time is from the op profile.",
    )
