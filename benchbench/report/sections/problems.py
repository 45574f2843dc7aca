"""What failed, and why."""

from __future__ import annotations

from benchbench.report.results import Results
from benchbench.report.sections.base import Section


def section(results: Results) -> Section:
    trials = results.trials
    failed = trials[trials["status"] != "ok"]
    grouped = failed.fillna({"error": "no reason recorded", "remedy": ""}).groupby(
        ["run", "case", "error", "remedy"], sort=False
    )
    failures = [
        {
            "case": results.place(str(run), str(case)),
            "error": error,
            "remedy": remedy,
            "launches": len(group),
            "logs": list(group["log"].dropna())[:3],
        }
        for (run, case, error, remedy), group in grouped
    ]
    unreached = [
        {"name": device.name, "error": device.error}
        for run in results.runs
        for device in run.manifest.devices
        if device.error
    ]
    left = [(results.labels[run.id], len(run.left)) for run in results.runs]
    content = {
        "failures": failures,
        "unreached": unreached,
        "left": [(name, count) for name, count in left if count > 0],
    }
    empty = None if any(content.values()) else "Nothing failed."
    return Section("problems", "Failures", "problems.html", content=content, empty=empty)
