"""Latency over the number of threads, a small chart per variant."""

from __future__ import annotations

from benchbench.report.figures.base import CASE_TIPS, PAIR, Figure, Spec
from benchbench.report.figures.lines import lines_along
from benchbench.report.results import Results


def figure(results: Results) -> Figure:
    x: Spec = {"field": "threads", "type": "ordinal", "title": "threads", "axis": {"labelAngle": 0}}
    headlines: list[Spec] = [{"filter": "datum.headline"}]
    spec = lines_along(results, x, columns=4, width=190, below=40, transform=headlines, tips=CASE_TIPS)
    alt = "Latency by number of threads per variant of {family} on {place}"
    return Figure(
        "threads", "cases", PAIR, "{place} · {family}", alt, spec,
        needs=("threads", "headline_ms"), varies="threads", wide=False,
    )  # fmt: skip
