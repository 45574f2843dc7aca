"""What devices went through while trials ran, as a frame."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import pandas as pd

from benchbench.analysis.columns import CONDITIONS, typed_columns
from benchbench.values.conditions import SensorSeries
from benchbench.values.outcome import Outcome


def conditions_frame(
    outcomes: Iterable[Outcome],
    sensors: Mapping[str, tuple[SensorSeries, ...]],
    places: Mapping[str, Mapping[str, Any]],
) -> pd.DataFrame:
    """A row a look at a sensor; `places` has the columns that tell where a trial belongs."""
    found: dict[str, list[Any]] = {name: [] for name in CONDITIONS}
    for outcome in outcomes:
        for one in sensors.get(outcome.trial, ()):
            began_ms = 1000 * datetime.fromisoformat(str(outcome.during and outcome.during.began)).timestamp()
            at = [round(began_ms + 1000 * second) for second in one.second]
            told = {"second": one.second, "at": at, "value": one.value}
            same = {**places[outcome.trial], "trial": outcome.trial, "quantity": one.quantity, "sensor": one.sensor}
            for name in CONDITIONS:
                found[name] += told[name] if name in told else [same[name]] * len(at)
    return typed_columns(found, CONDITIONS)
