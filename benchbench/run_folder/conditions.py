"""What sensors told while trials ran, in series/conditions.parquet: a row a trial and sensor.

Of more than MOST looks that many are kept, evenly spread; the highest and lowest values are in the trial's outcome.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError

from benchbench.run_folder.series_files import CONDITIONS
from benchbench.values.conditions import DuringConditions, SensorSeries

MOST = 600


def write_conditions(run: Path, trial: str, during: DuringConditions) -> None:
    """On the disk, in a file of its own, when this returns; one of the same trial is replaced."""
    kept = [thinned(series) for series in during.series]
    told = {name: [getattr(series, name) for series in kept] for name in SensorSeries.model_fields}
    CONDITIONS.write(run, trial, {"trial": [trial] * len(kept), "began": [during.began] * len(kept), **told})


def thinned(series: SensorSeries) -> SensorSeries:
    """Not more than MOST of its looks, the first and the last among them."""
    count = len(series.second)
    if count <= MOST:
        return series
    kept = [number * (count - 1) // (MOST - 1) for number in range(MOST)]
    parts = {name: tuple(getattr(series, name)[place] for place in kept) for name in ("second", "value")}
    return series.model_copy(update=parts)


def read_conditions(run: Path, began: Mapping[str, str]) -> dict[str, tuple[SensorSeries, ...]]:
    """By trial, those of the attempts that count, which began when `began` says.

    Raises InputError, naming the file and the remedy, for one that is damaged.
    """
    found: dict[str, tuple[SensorSeries, ...]] = {}
    for path, table in CONDITIONS.tables(run):
        told: dict[str, list[SensorSeries]] = {}
        for row in table.to_pylist():
            trial, at = row.pop("trial"), row.pop("began")
            try:
                series = SensorSeries.model_validate(row)
            except ValidationError as error:
                raise CONDITIONS.damaged(path, f"what a sensor told during {trial} is not whole") from error
            if began.get(trial) == at:
                told.setdefault(trial, []).append(series)
        found |= {trial: tuple(series) for trial, series in told.items()}
    return found
