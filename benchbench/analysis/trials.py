"""The outcome of one trial as one row."""

from __future__ import annotations

from typing import Any

from benchbench.analysis.cases import ran
from benchbench.analysis.columns import PLACE
from benchbench.analysis.disturbances import Disturbance, throttle_flags
from benchbench.analysis.planned_cases import PlannedCase
from benchbench.values.formatting import tallied
from benchbench.values.outcome import Outcome, Statistic
from benchbench.values.quantities import PER_LAUNCH


def place(cell: PlannedCase) -> dict[str, Any]:
    """The columns that say which case a row is of."""
    return {column.name: getattr(cell, column.name) for column in PLACE}


def trial_row(
    run: str, cell: PlannedCase, outcome: Outcome, statistic: Statistic, disturbance: Disturbance | None
) -> dict[str, Any]:
    """A row of the frame of trials; typical_ms by the statistic of its case."""
    measured = outcome.measurement
    typical_us = measured.timings.by(statistic)
    quantities = {quantity.name: quantity.of(outcome) for quantity in PER_LAUNCH}
    # These two go by what is beside the outcome: the other launches of its family, and the plan.
    quantities |= {"typical_ms": None if typical_us is None else typical_us / 1000, "size_mb": cell.size_mb}
    return {
        "run": run,
        **place(cell),
        "round": outcome.round,
        "position": outcome.position,
        "trial": outcome.trial,
        "purpose": outcome.purpose,
        "status": outcome.status,
        "verdict": outcome.delegation.verdict,
        "evidence": outcome.delegation.evidence,
        "executor": ran(outcome),
        "ops_left": tallied(outcome.delegation.left),
        "fallback": outcome.delegation.fallback,
        "cache": outcome.cache.asked if outcome.cache else None,
        "cache_used": outcome.cache.answer if outcome.cache else None,
        "cache_evidence": outcome.cache.evidence if outcome.cache else None,
        "runner": outcome.runner,
        "tool": measured.tool,
        "statistic": None if typical_us is None else statistic,
        "percentile_method": measured.timings.percentile_method,
        "throttled": ", ".join(throttle_flags(outcome)),
        "disturbed": disturbance.text if disturbance else "",
        "started": outcome.started,
        "exit_code": outcome.exit_code,
        "error": outcome.error,
        "remedy": outcome.remedy,
        "command": outcome.command,
        "log": outcome.log,
        **quantities,
        **{f"accuracy_{key}": value for key, value in outcome.accuracy.items()},
    }
