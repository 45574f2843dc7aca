"""Whether each device was as fast all along, by a model of benchbench's own between the rounds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from benchbench.analysis.disturbances import LEAST_CANARIES, Canaries, beside
from benchbench.analysis.frames import Run
from benchbench.report.results import Results
from benchbench.report.sections.base import Section
from benchbench.values import formatting
from benchbench.values.formatting import counted


def section(results: Results) -> Section | None:
    rows = [{"place": results.place(run.id, device), **row} for run in results.runs for device, row in _rows(run)]
    if not rows:
        return None
    return Section(
        "canary",
        "Canary",
        "canary.html",
        "A small model of benchbench's own, the same in every run, is measured before, between and after the rounds, "
        "with one thread and with as many as any case has. One that is further from its device's median than 5 % and "
        "three median absolute deviations marks the launches beside it as disturbed, whatever the sensors say; one of "
        "several threads those of several threads alone.",
        content={"rows": rows},
    )


def _rows(run: Run) -> Iterator[tuple[str, dict[str, Any]]]:
    """What each device's canaries say, of a run that planned any."""
    if not any(not trial.of_matrix for trial in run.manifest.trials):
        return
    for device in dict.fromkeys(outcome.device for outcome in run.recorded):
        of_device = [outcome for outcome in run.recorded if outcome.device == device]
        for canaries in run.canaries.get(device, ()):
            yield device, _row(canaries, len(beside(of_device, canaries)))
        if device not in run.canaries:
            nothing = dict.fromkeys(("threads", "canaries", "median", "range", "allowed"), formatting.NOTHING)
            yield device, nothing | {"told": _no_canary(run, device)}


def _row(canaries: Canaries, disturbed: int) -> dict[str, Any]:
    times = canaries.times_us.values()
    if len(times) < LEAST_CANARIES:
        told = f"too few to tell which is off: {LEAST_CANARIES} are the least"
    elif canaries.off:
        shares = ", ".join(f"{100 * share:+.0f} %" for share in canaries.off.values())
        told = f"{len(canaries.off)} off ({shares}); {counted(disturbed, 'launch', 'launches')} beside them"
    else:
        told = "the same speed all along"
    return {
        "threads": str(canaries.threads),
        "canaries": str(len(times)),
        "median": formatting.time(canaries.median_us / 1000),
        "range": " to ".join(formatting.time(edge(times) / 1000) for edge in (min, max)),
        "allowed": f"± {formatting.percent(canaries.allowed_us / canaries.median_us)}",
        "told": told,
    }


def _no_canary(run: Run, device: str) -> str:
    """Why a device has none."""
    failed = [o for o in run.recorded if not o.of_matrix and o.device == device and o.status != "ok"]
    if failed:
        return f"none ran: {failed[-1].error or 'no reason recorded'}"
    planned = any(not t.of_matrix and t.device == device for t in run.manifest.trials)
    return "none ran yet" if planned else "none: there is no such model of the formats that ran here"
