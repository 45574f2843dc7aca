"""Devices opened side by side, and given back side by side, also where that is interrupted."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from benchbench.device.machines import unusable
from benchbench.device.session import Session, open_session
from benchbench.device.side_by_side import side_by_side
from benchbench.values.device import Device
from benchbench.values.errors import BenchbenchError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Absent:
    """A device that could not be opened, and why."""

    device: Device
    error: BenchbenchError


@dataclass(slots=True)
class _Opening(Generic[T]):
    """One device, opened and given back in threads that no signal reaches; `cancel` ends what is under way there."""

    device: Device
    make: Callable[[Session], T]
    purpose: str
    patience_s: float
    answer: T | Absent | None = None
    _held: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)
    _session: Session | None = None
    _cancelled: threading.Event = field(default_factory=threading.Event)

    def open(self) -> None:
        """Reach the device and make of it what is wanted; on any error it is let go again."""
        with contextlib.ExitStack() as own:
            try:
                session = open_session(self.device, purpose=self.purpose, patience_s=self.patience_s)
                self._session = own.enter_context(session)
                if self._cancelled.is_set():
                    self._session.cancel()
                self.answer = self.make(self._session)
            except BenchbenchError as error:
                self.answer = Absent(self.device, error)
            else:
                self._held = own.pop_all()

    def cancel(self) -> None:
        self._cancelled.set()
        if self._session is not None:
            self._session.cancel()

    def release(self) -> None:
        self._held.close()


@contextlib.contextmanager
def opened(
    devices: Sequence[Device], make: Callable[[Session], T], *, purpose: str, patience_s: float
) -> Iterator[tuple[T | Absent, ...]]:
    """What `make` makes of each device's open session, in the order given; all are given back at the end.

    Of several devices that are one machine only the first is opened.
    `purpose` is what others are told who want a device; `patience_s` is how long one that goes away is waited for.
    However often this is interrupted, each device that was taken is given back: jobs are ended, and verbs cut short.
    """
    wrong = unusable(devices)
    openings = [_Opening(device, make, purpose, patience_s) for device in devices if device.name not in wrong]

    def cancel() -> None:
        for opening in openings:
            opening.cancel()

    try:
        side_by_side([opening.open for opening in openings], on_interrupt=cancel)
        found: dict[str, T | Absent] = {d.name: Absent(d, wrong[d.name]) for d in devices if d.name in wrong}
        found |= {opening.device.name: opening.answer for opening in openings if opening.answer is not None}
        yield tuple(found[device.name] for device in devices)
    except BaseException:
        side_by_side([cancel])
        raise
    finally:
        side_by_side([opening.release for opening in openings])
