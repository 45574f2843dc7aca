"""What failed or was left out, reason by reason."""

from __future__ import annotations

from typing import Any

from benchbench.report.log_lines import telling_lines
from benchbench.report.results import Results
from benchbench.report.sections.base import Section

_MOST_NAMED = 6
_MOST_LOGS = 3


def section(results: Results) -> Section:
    several = len(results.runs) > 1
    left_out = [
        {"became": one.became, "count": one.count, "where": f"{name}: {one.where}" if several else one.where}
        | {"text": one.text}
        for name, tally in results.tallies
        for one in tally.reasons
        if one.became in {"skipped", "not run"}
    ]
    unreached = [
        {"name": device.name, "error": device.error}
        for run in results.runs
        for device in run.manifest.devices
        if device.error
    ]
    left = [(results.labels[run.id], len(run.left)) for run in results.runs]
    content = {
        "failures": _failures(results),
        "left_out": left_out,
        "unreached": unreached,
        "left": [(name, count) for name, count in left if count > 0],
    }
    empty = None if any(content.values()) else "Nothing failed, and nothing was left out."
    return Section("problems", "Not measured, and why", "problems.html", content=content, empty=empty)


def _failures(results: Results) -> list[dict[str, Any]]:
    """The launches that failed, those of one reason together; a case is named once."""
    trials = results.trials
    failed = trials[trials["status"] != "ok"].fillna({"error": "no reason recorded", "remedy": ""})
    found, folders = [], {run.id: run.folder for run in results.runs}
    numbers = {run: n for n, run in enumerate(results.labels)}
    for (error, remedy), group in failed.groupby(["error", "remedy"], sort=False):
        cases = group[["run", "case"]].drop_duplicates()
        logged = group[group["log"].notna()]
        first = [
            telling_lines(folders[run], log, (), wrong=True) for run, log in logged[["run", "log"]].head(1).to_numpy()
        ]
        named = [results.place(run, case) for run, case in cases.head(_MOST_NAMED).itertuples(index=False)]
        found.append(
            {
                "error": error,
                "remedy": remedy,
                "launches": len(group),
                "cases": named,
                "more": len(cases) - len(named),
                "logs": [(numbers[run], log) for run, log in logged[["run", "log"]].head(_MOST_LOGS).to_numpy()],
                "lines": [line for lines in first for line in lines if line != error],
            }
        )
    return found
