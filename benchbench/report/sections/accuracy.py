"""Speed against accuracy, and what each variant gains and costs."""

from __future__ import annotations

from benchbench.analysis.formatting import quality
from benchbench.report.results import Results
from benchbench.report.sections.base import Section, intervals, pale

_NO_OUTPUTS = "No outputs were compared: give the model a dataset in the matrix."


def section(results: Results) -> Section:
    metrics = list(results.tradeoffs["metric"])
    none = "" if any(isinstance(metric, str) for metric in metrics) else _NO_OUTPUTS
    table = len(results.tradeoffs) > 1 and bool(results.tradeoffs["over_best"].notna().any() or not none)
    return Section(
        "accuracy",
        f"Speed against {quality(metrics)}",
        "accuracy.html",
        "On the path that was timed: same variant, delegate and device. Brackets of a time are its "
        f"interval ({intervals(results)}), of ratios and shares 95 % intervals; “cannot tell”: "
        "the launches are too few, or vary too much, to say which is faster; ≈: seen in too few launches for an "
        "interval. The front (ringed, ◆): no other case here is both as fast and as accurate, and better in one."
        + (f" {none}" if none else pale(results)),
        figures=("accuracy",),
        empty=None if table else none or "There is nothing to compare with one another.",
    )
