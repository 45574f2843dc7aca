"""What the devices went through while trials ran, of each span of a run: its hottest sensor, and its lowest clocks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from benchbench.analysis.frames import Run
from benchbench.analysis.rows import Row
from benchbench.report.results import Results
from benchbench.values.conditions import SensorSeries

SPANS = 150  # of the time from the first look at a device to the last
HOTTEST = "hottest sensor"


@dataclass(frozen=True, slots=True)
class Look:
    """At a sensor, so long after the first look at the device."""

    second: float
    value: float
    sensor: str
    case: str


@dataclass(frozen=True, slots=True)
class Sampled:
    """What the sensors of a device told during a trial; `began` is in seconds since 1970."""

    case: str
    began: float
    series: tuple[SensorSeries, ...]

    @property
    def ended(self) -> float:
        return self.began + max((one.second[-1] for one in self.series if one.second), default=0)


def during_rows(results: Results) -> list[Row]:
    """A row a span and line of a figure: in the column `temperature` or `clock` what it shows there."""
    return [
        {"place": results.place(run.id, device), "of": of, "sensor": look.sensor, "case": look.case}
        | {"minute": round(look.second / 60, 3), quantity: round(look.value, 1)}
        for run in results.runs
        for device, trials in _by_device(run).items()
        for (quantity, of, _), look in sorted(_extremes(trials).items())
    ]


def _by_device(run: Run) -> dict[str, list[Sampled]]:
    found: dict[str, list[Sampled]] = {}
    for outcome in run.recorded:
        if series := run.sensors.get(outcome.trial):
            began = datetime.fromisoformat(str(outcome.during and outcome.during.began)).timestamp()
            found.setdefault(outcome.device, []).append(Sampled(outcome.case, began, series))
    return found


def _extremes(trials: list[Sampled]) -> dict[tuple[str, str, int], Look]:
    """By quantity, line and number of the span: the highest temperature, the lowest clock."""
    start = min(trial.began for trial in trials)
    length = max(trial.ended for trial in trials) - start or 1
    found: dict[tuple[str, str, int], Look] = {}
    for trial in trials:
        for quantity, of, look in _looks(trial, start):
            key = quantity, of, min(int(SPANS * look.second / length), SPANS - 1)
            sign = 1 if quantity == "temperature" else -1
            if key not in found or sign * look.value > sign * found[key].value:
                found[key] = look
    return found


def _looks(trial: Sampled, start: float) -> Iterator[tuple[str, str, Look]]:
    for one in trial.series:
        if one.quantity in {"temperature", "clock"}:
            of = HOTTEST if one.quantity == "temperature" else one.sensor
            for second, value in zip(one.second, one.value, strict=True):
                yield one.quantity, of, Look(trial.began - start + second, value, one.sensor, trial.case)
