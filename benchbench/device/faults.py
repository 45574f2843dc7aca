"""Faults of a launch that may pass, told from those of the tool or the model."""

from __future__ import annotations

import signal
from collections.abc import Sequence

from benchbench.device.agent import no_room, says_full
from benchbench.device.session import Session
from benchbench.values.errors import DeviceError, DeviceFull, JobKilled, StoreLost
from benchbench.values.job import JobOutput

KILLED = {128 + number: signal.Signals(number).name for number in (signal.SIGKILL, signal.SIGTERM)}


def passing_fault(session: Session, staged: Sequence[str], raw: JobOutput) -> DeviceError | None:
    """Why a launch failed, where that has nothing to do with what was measured; `staged` is what it was to read."""
    name = session.device.name
    if lost := session.restore(staged):
        return StoreLost(f"{name}: {len(lost)} of the files that were put there are gone")
    if any(says_full(text.decode("utf-8", "replace")) for text in (raw.stdout, raw.stderr, *raw.answers.values())):
        return DeviceFull(f"{name}: no space left on the device", remedy=no_room(name))
    if raw.exit_code in KILLED and not raw.late:
        return JobKilled(
            f"{name}: something killed the tool ({KILLED[raw.exit_code]})",
            remedy="out of memory? look at the device's log",
        )
    return None
