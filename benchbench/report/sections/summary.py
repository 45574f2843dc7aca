"""What to ship on each device."""

from __future__ import annotations

from benchbench.report.results import Results
from benchbench.report.sections.base import Section, nothing


def section(results: Results) -> Section:
    named = [(results.place(one.run, one.device), one) for one in results.recommendations]
    content = {
        "sentences": [(f"{place} · {one.family}" if one.family else place, one.sentence) for place, one in named]
    }
    return Section("summary", "What to ship", "summary.html", content=content, empty=nothing(results))
