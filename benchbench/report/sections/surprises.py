"""What nobody would expect of these cases."""

from __future__ import annotations

from benchbench.report.results import Results
from benchbench.report.sections.base import Section

_FIRST = 5


def section(results: Results) -> Section | None:
    """None where nothing is unexpected."""
    if not results.surprises:
        return None
    first = [(results.place(one.run, one.device), str(one)) for one in results.surprises[:_FIRST]]
    return Section(
        "surprises",
        "Biggest surprises",
        "surprises.html",
        "What one would not expect of these cases, the largest effect first. A difference stands here only where its "
        "interval, in brackets, is all on one side; each is judged by itself, so that of a hundred a few are chance.",
        content={"first": first},
    )
