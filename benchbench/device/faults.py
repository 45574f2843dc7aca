"""Faults of a launch that may pass, told from those of the tool or the model."""

from __future__ import annotations

import signal
from collections.abc import Collection

from benchbench.device.agent import Reply, no_room, says_full
from benchbench.values.errors import DeviceError, DeviceFull, JobGone, JobKilled, StoreLost
from benchbench.values.job import JobOutput

KILLED = {128 + number: signal.Signals(number).name for number in (signal.SIGKILL, signal.SIGTERM)}
LOOK = "out of memory? look at the device's log"


def left_by(device: str, reply: Reply) -> JobOutput:
    """What a job left that is not under way any more; raises JobGone, DeviceFull or JobKilled where that is nothing."""
    if reply.raw is not None:
        return reply.raw
    if reply.state == "ABSENT":
        raise JobGone(f"{device}: the job is gone, or never began")
    if reply.state == "DONE":
        raise DeviceFull(f"{device}: not even the job's exit code could be written", remedy=no_room(device))
    raise JobKilled(f"{device}: the job vanished: something killed it from outside", remedy=LOOK)


def passing_fault(device: str, lost: Collection[str], raw: JobOutput) -> DeviceError | None:
    """Why a launch failed, where that has nothing to do with what was measured; `lost` are the files that were gone."""
    if lost:
        return StoreLost(f"{device}: {len(lost)} of the files that were put there are gone")
    if any(says_full(text.decode("utf-8", "replace")) for text in (raw.stdout, raw.stderr, *raw.answers.values())):
        return DeviceFull(f"{device}: no space left on the device", remedy=no_room(device))
    if raw.exit_code in KILLED and not raw.late:
        return JobKilled(f"{device}: something killed the tool ({KILLED[raw.exit_code]})", remedy=LOOK)
    return None
