"""Instruments: what is read around a job, or during it. One file each; `instruments_of` is their list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from benchbench.device.session import Session
from benchbench.instruments.base import Instrument
from benchbench.instruments.conditions import ConditionsAround
from benchbench.instruments.controller import Controller
from benchbench.instruments.during import ConditionsDuring
from benchbench.instruments.settings import SettingsOnRequest
from benchbench.values.device import Traits
from benchbench.values.job import Job, JobResult, RawConditions
from benchbench.values.measurement_settings import MeasurementSettings

INSTRUMENTS: tuple[Instrument, ...] = (ConditionsAround(), Controller())


def instruments_of(idle: RawConditions, traits: Traits, measure: MeasurementSettings) -> tuple[Instrument, ...]:
    """Those of a device, by what it told before anything was measured on it."""
    return (
        ConditionsAround(idle),
        ConditionsDuring.of(idle, traits),
        SettingsOnRequest.of(idle, traits, measure),
        Controller(),
    )


def measured(
    session: Session,
    name: str,
    job: Job,
    *,
    outputs_to: Path,
    instruments: Sequence[Instrument] = INSTRUMENTS,
) -> tuple[JobResult, Mapping[str, object]]:
    """Run a job as `Session.run` does, under the instruments; with the fields of the outcome that they tell."""
    with ExitStack() as contexts:
        watches = []
        for instrument in instruments:
            watch = contexts.enter_context(instrument.around(job))
            watches.append(watch)
            job = watch.job
        result = session.run(name, job, outputs_to=outputs_to)
    seen: dict[str, object] = {}
    quantities: dict[str, float] = {}
    for watch in watches:
        told = watch.seen(result)
        seen |= told.fields
        quantities |= told.quantities
    return result, {**seen, "quantities": quantities}
