"""Instruments: what is read around a job, or during it. One file each; this tuple is their list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from benchbench.device.session import JobResult, Session
from benchbench.instruments.base import Instrument
from benchbench.instruments.conditions import ConditionsAround
from benchbench.values.job import Job

INSTRUMENTS: tuple[Instrument, ...] = (ConditionsAround(),)


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
