"""Devices that another controller uses are waited for, when somebody asked to."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass

from benchbench.device.opening import Absent, opened
from benchbench.execution.scheduler import workers
from benchbench.execution.worker import Worker
from benchbench.runtimes.models import formats_of
from benchbench.values.case import Variant
from benchbench.values.device import Device, ToolChoice
from benchbench.values.errors import DeviceBusy

# Asking costs the device a little, and somebody measures there.
ASK_AT_FIRST_S, ASK_LATER_S = 1.0, 15.0


@dataclass(frozen=True, slots=True)
class Wait:
    """For how long at most; `say` tells for whom, once for each holder."""

    at_most_s: float
    say: Callable[[str], None]


@contextlib.contextmanager
def workers_in_turn(
    devices: Sequence[Device], choice: ToolChoice, *, formats: Collection[str], purpose: str, wait: Wait | None
) -> Iterator[tuple[Worker | Absent, ...]]:
    """As `workers`, when none of the devices is another's any more or the wait is over; at once without a wait.

    Meanwhile none is held: two controllers that each hold what the other one waits for would wait for ever.
    """
    until = time.monotonic() + (wait.at_most_s if wait else 0)
    while True:
        with workers(devices, choice, formats=formats, purpose=purpose) as answers:
            busy = [worker for worker in answers if isinstance(worker, Absent) and isinstance(worker.error, DeviceBusy)]
            if not busy or wait is None or time.monotonic() >= until:
                yield answers
                return
        for absent in busy:
            _wait_for(absent.device, str(absent.error.message), until, wait)


@contextlib.contextmanager
def some_workers(
    devices: Sequence[Device], choice: ToolChoice, variants: Sequence[Variant], purpose: str, wait: Wait | None
) -> Iterator[tuple[Worker | Absent, ...]]:
    """The devices of a run, opened; raises what kept the first away when all are."""
    with workers_in_turn(devices, choice, formats=formats_of(variants), purpose=purpose, wait=wait) as opened:
        if all(isinstance(worker, Absent) for worker in opened):
            raise next(worker.error for worker in opened if isinstance(worker, Absent))
        yield opened


def _wait_for(device: Device, busy: str, until: float, wait: Wait) -> None:
    """Return when the device is free, its trouble is another one, or time is over."""
    told, pause_s = "", ASK_AT_FIRST_S
    while busy and time.monotonic() < until:
        holder = busy.partition(", since ")[0]  # since when is rounded, and how long it is changes
        if holder != told:
            wait.say(f"waiting: {busy}")
            told = holder
        time.sleep(max(0.0, min(pause_s, until - time.monotonic())))
        pause_s = min(2 * pause_s, ASK_LATER_S)
        busy = _used_by(device)


def _used_by(device: Device) -> str:
    """Who uses a device; "" when nobody does, or it has another trouble."""
    with opened([device], lambda session: session, purpose="a look whether it is free", patience_s=0) as (found,):
        return found.error.message if isinstance(found, Absent) and isinstance(found.error, DeviceBusy) else ""
