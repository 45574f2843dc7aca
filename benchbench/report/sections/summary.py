"""What to ship on each device."""

from __future__ import annotations

from benchbench.analysis.recommend import Recommendation
from benchbench.report.results import Results
from benchbench.report.sections.base import Section, nothing


def section(results: Results) -> Section:
    found = [(results.place(r.run, r.device), r) for r in results.recommendations]
    content = {
        "recommendations": [(place, r) for place, r in found if _says_something(r)],
        "nothing": list(dict.fromkeys(place for place, r in found if not _says_something(r))),
    }
    return Section("summary", "In short", "summary.html", content=content, empty=nothing(results))


def _says_something(found: Recommendation) -> bool:
    return bool(found.case or found.pitfalls or found.evidence)
