"""Plan -> outcomes: one thread per device, trials in sequence; one thread writes the journal and tells what happens."""

from __future__ import annotations

import queue
import threading
import traceback
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from benchbench.device.opening import Absent, opened
from benchbench.device.session import Session
from benchbench.device.side_by_side import side_by_side
from benchbench.execution.prepare import PreparedDevice, prepare_device
from benchbench.execution.worker import Worker, unopened
from benchbench.modes.base import RunContext
from benchbench.modes.launch import failed
from benchbench.plan import Plan
from benchbench.runtimes import FORMATS
from benchbench.values.case import Trial
from benchbench.values.device import Device, Local, ToolChoice
from benchbench.values.errors import BenchbenchError, HostError
from benchbench.values.outcome import Outcome

REPORT_IT = "the traceback is in the trial's log: please report it"


@dataclass(frozen=True, slots=True)
class Begun:
    """A run folder is there, and its trials are about to begin; `here` are the devices that are this machine."""

    folder: Path
    here: frozenset[str]


@dataclass(frozen=True, slots=True)
class Started:
    """A trial has begun."""

    trial: Trial


@dataclass(frozen=True, slots=True)
class Progressed:
    """A trial that is an evaluation has come so far."""

    trial: Trial
    samples: int
    of: int


@dataclass(frozen=True, slots=True)
class Done:
    """A trial has ended, and is in the journal."""

    trial: Trial
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Noted:
    """Something a person should know about a device."""

    device: str
    text: str


@dataclass(frozen=True, slots=True)
class Scoring:
    """The devices have done their part, and this host works on what they left."""

    text: str


Event = Begun | Started | Progressed | Done | Noted | Scoring
Tell = Callable[[Event], None]


@contextmanager
def workers(
    devices: Sequence[Device],
    choice: ToolChoice,
    *,
    formats: Collection[str] = FORMATS,
    purpose: str = "benchbench",
    patience_s: float = 60,
) -> Iterator[tuple[Worker | Absent, ...]]:
    """All devices opened and prepared for models of `formats` at once, in the order given; see `opened`."""

    def worker(session: Session) -> Worker:
        return Worker(session, prepare_device(session, choice, formats))

    with opened(devices, worker, purpose=purpose, patience_s=patience_s) as answers:
        yield answers


def execute(plan: Plan, workers: Sequence[Worker | Absent], context: RunContext, tell: Tell) -> None:
    """Run every trial of the plan that the journal does not hold yet; each outcome is on disk before the next is told.

    On KeyboardInterrupt, or an error of this host, all devices are told to stop, what was measured by then is written,
    and it is raised on. `tell` is called in a thread of its own.
    """
    execution, done = _Execution(workers, context, tell), context.journal.done()
    tasks: list[Callable[[], None]] = [execution.write]
    for worker in workers:
        name = (worker.device if isinstance(worker, Absent) else worker.session.device).name
        trials = [trial for trial in plan.of(name) if trial.id not in done]
        tasks.append(partial(execution.work_through, worker, trials))
    side_by_side(tasks, on_interrupt=execution.end_all)


@dataclass(frozen=True, slots=True)
class _Execution:
    """What the threads of a run share, none of which a signal reaches: an interrupt loses no event on its way."""

    workers: Sequence[Worker | Absent]
    context: RunContext
    tell: Tell
    # None: a worker has ended; a flag is raised when all before it is written and told
    events: queue.SimpleQueue[Event | threading.Event | None] = field(default_factory=queue.SimpleQueue)
    stop: threading.Event = field(default_factory=threading.Event)

    def end_all(self) -> None:
        self.stop.set()
        for worker in self.workers:
            if isinstance(worker, Worker):
                worker.session.cancel()

    def work_through(self, worker: Worker | Absent, trials: Sequence[Trial]) -> None:
        """One device; an error that is none of its own, such as this host's full disk, ends all."""
        try:
            for trial in trials:
                if self.stop.is_set():
                    return
                if isinstance(worker, Absent):
                    self.events.put(Done(trial, unopened(trial, worker.error)))
                    continue
                self.events.put(Started(trial))
                outcome = self._perform(worker, trial)
                if self.stop.is_set():
                    return  # what a cancelled link says of a trial is not its outcome
                self.events.put(Done(trial, outcome))
                while worker.session.notes:
                    self.events.put(Noted(trial.case.device, worker.session.notes.pop(0)))
                if isinstance(worker.session.device.address, Local):
                    self._catch_up()  # writing and telling is work that must not be beside the next trial
        except BaseException:
            self.end_all()
            raise
        finally:
            self.events.put(None)

    def _catch_up(self) -> None:
        told = threading.Event()
        self.events.put(told)
        while not (told.wait(0.2) or self.stop.is_set()):
            pass

    def _perform(self, worker: Worker, trial: Trial) -> Outcome:
        def progress(samples: int, of: int) -> None:
            self.events.put(Progressed(trial, samples, of))

        try:
            return worker.perform(trial, self.context, progress)
        except MemoryError as error:  # one large model must not cost the others
            return failed(trial, HostError(f"this host's memory does not suffice: {error}".rstrip(": ")))
        except Exception as error:  # noqa: BLE001 - a mistake of ours must not cost the night
            self.context.journal.write_log(trial.id, traceback.format_exc().encode())
            return failed(trial, BenchbenchError(f"benchbench itself failed: {error!r}", remedy=REPORT_IT))

    def write(self) -> None:
        """Until all workers have ended; what they still measured after an error here is written, and not told."""
        coming = self._until_all_have_ended()
        try:
            for event in coming:
                self._record(event)
                self.tell(event)
        except BaseException:
            self.end_all()
            for event in coming:
                self._record(event)
            raise

    def _until_all_have_ended(self) -> Iterator[Event]:
        working = len(self.workers)
        while working:
            event = self.events.get()
            match event:
                case None:
                    working -= 1
                case threading.Event():
                    event.set()
                case _:
                    yield event

    def _record(self, event: Event) -> None:
        match event:
            case Done(outcome=outcome):
                self.context.journal.append(outcome)
            case Noted(text=text):
                self.context.journal.note(text)
            case Begun() | Started() | Progressed() | Scoring():
                pass


def on_this_machine(opened: Sequence[Worker | Absent]) -> frozenset[str]:
    devices = [worker.session.device for worker in opened if isinstance(worker, Worker)]
    return frozenset(device.name for device in devices if isinstance(device.address, Local))


def prepared(opened: Sequence[Worker | Absent]) -> tuple[PreparedDevice, ...]:
    return tuple(worker.prepared for worker in opened if isinstance(worker, Worker))
