"""Plan -> outcomes: one thread per device, trials in sequence; one thread writes the journal and tells what happens."""

from __future__ import annotations

import queue
import threading
import traceback
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import MappingProxyType

from benchbench.device.opening import Absent, opened
from benchbench.device.session import Session
from benchbench.device.side_by_side import side_by_side
from benchbench.execution.passes import passes
from benchbench.execution.prepare import PreparedDevice
from benchbench.execution.repeats import repeats
from benchbench.execution.worker import Worker, unopened
from benchbench.modes.base import RunContext
from benchbench.modes.launch import failed
from benchbench.plan import Plan
from benchbench.runtimes import FORMATS
from benchbench.values.case import Trial
from benchbench.values.device import Device, Local, ToolChoice
from benchbench.values.errors import BenchbenchError, HostError
from benchbench.values.formatting import counted
from benchbench.values.outcome import Outcome
from benchbench.values.stop import Stop

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
class Stopped:
    """Cases of a device have no further round."""

    device: str
    stops: tuple[Stop, ...]


@dataclass(frozen=True, slots=True)
class Noted:
    """Something a person should know about a device."""

    device: str
    text: str


@dataclass(frozen=True, slots=True)
class Scoring:
    """The devices have done their part, and this host works on what they left."""

    text: str


Event = Begun | Started | Progressed | Done | Stopped | Noted | Scoring
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
        return Worker.of(session, choice, formats)

    with opened(devices, worker, purpose=purpose, patience_s=patience_s) as answers:
        yield answers


def execute(
    plan: Plan,
    workers: Sequence[Worker | Absent],
    context: RunContext,
    tell: Tell,
    unfit: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Run every trial of the plan that is due and not in the journal yet; each is on disk before the next is told.

    `unfit` are cases that cannot be the best whatever their latency, and why. On KeyboardInterrupt, or an error of this
    host, all devices are told to stop, what was measured by then is written, and it is raised on. `tell` is called in a
    thread of its own.
    """
    execution, latest = _Execution(workers, context, tell, unfit), context.journal.latest()
    execution.away.update(_name_of(worker) for worker in workers if not _is_here(worker))
    tasks: list[Callable[[], None]] = [execution.write]
    for worker in workers:
        name = _name_of(worker)
        known = {trial: outcome for trial, outcome in latest.items() if outcome.device == name}
        tasks.append(partial(execution.work_through, worker, plan.of(name), known))
    side_by_side(tasks, on_interrupt=execution.end_all)


@dataclass(frozen=True, slots=True)
class _Execution:
    """What the threads of a run share, none of which a signal reaches: an interrupt loses no event on its way."""

    workers: Sequence[Worker | Absent]
    context: RunContext
    tell: Tell
    unfit: Mapping[str, str]
    # None: a worker has ended; a flag is raised when all before it is written and told
    events: queue.SimpleQueue[Event | threading.Event | None] = field(default_factory=queue.SimpleQueue)
    stop: threading.Event = field(default_factory=threading.Event)
    away: set[str] = field(default_factory=set)  # other machines that are not done yet

    def end_all(self) -> None:
        self.stop.set()
        for worker in self.workers:
            if isinstance(worker, Worker):
                worker.session.cancel()

    def work_through(self, worker: Worker | Absent, trials: Sequence[Trial], known: dict[str, Outcome]) -> None:
        """One device, of which `known` are the outcomes; an error that is none of its own ends all.

        This machine waits for the others: their work is work for it, too.
        """
        done = {trial for trial, outcome in known.items() if not outcome.transient}
        try:
            while _is_here(worker) and self.away and not self.stop.is_set():
                self.stop.wait(0.2)
            for due in passes(trials, self.context.measure, known, done, self.unfit):
                if new := tuple(stop for stop in due.stops if stop not in self.context.journal.manifest.stops):
                    self.events.put(Stopped(trials[0].case.device, new))
                for trial in due.trials:
                    if not self._make(worker, trial, known):
                        return
                    done.add(trial.id)
            self._make_again(worker, trials, known)
        except BaseException:
            self.end_all()
            raise
        finally:
            self.away.discard(_name_of(worker))
            self.events.put(None)

    def _make(
        self, worker: Worker | Absent, trial: Trial, known: dict[str, Outcome], repeated: tuple[str, ...] = ()
    ) -> bool:
        """Make a trial; whether to go on. `repeated` is what disturbed its earlier launches."""
        if self.stop.is_set():
            return False
        outcome = self._outcome(worker, trial)
        if self.stop.is_set():
            return False  # what a cancelled link says of a trial is not its outcome
        outcome = outcome.model_copy(update={"repeated": repeated})
        self.events.put(Done(trial, outcome))
        if isinstance(worker, Worker):
            self._catch_up(worker)
        known.pop(trial.id, None)  # the order is that in which they ended
        known[trial.id] = outcome
        return True

    def _make_again(self, worker: Worker | Absent, trials: Sequence[Trial], known: dict[str, Outcome]) -> None:
        if isinstance(worker, Absent):
            return
        count = 0
        for again in repeats(worker, trials, known, self.context.measure):
            if not self._make(worker, again.trial, known, again.repeated):
                return
            count += bool(again.repeated)
        if count:
            told = f"{counted(count, 'disturbed launch', 'disturbed launches')} measured again"
            self.events.put(Noted(_name_of(worker), f"{_name_of(worker)}: {told}"))

    def _outcome(self, worker: Worker | Absent, trial: Trial) -> Outcome:
        if isinstance(worker, Absent):
            return unopened(trial, worker.error)
        self.events.put(Started(trial))
        return self._perform(worker, trial)

    def _catch_up(self, worker: Worker) -> None:
        while worker.session.notes:
            self.events.put(Noted(worker.session.device.name, worker.session.notes.pop(0)))
        if _is_here(worker):  # writing and telling must not be beside the next trial
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
            case Stopped(stops=stops):
                self.context.journal.stop(stops)
            case Begun() | Started() | Progressed() | Scoring():
                pass


def on_this_machine(opened: Sequence[Worker | Absent]) -> frozenset[str]:
    return frozenset(_name_of(worker) for worker in opened if _is_here(worker))


def _name_of(worker: Worker | Absent) -> str:
    return (worker.device if isinstance(worker, Absent) else worker.session.device).name


def _is_here(worker: Worker | Absent) -> bool:
    return isinstance(worker, Worker) and isinstance(worker.session.device.address, Local)


def prepared(opened: Sequence[Worker | Absent]) -> tuple[PreparedDevice, ...]:
    return tuple(worker.prepared for worker in opened if isinstance(worker, Worker))
