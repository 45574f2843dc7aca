"""Plan -> outcomes: one thread per device, trials in sequence; one thread writes the journal and tells what happens."""

from __future__ import annotations

import queue
import threading
import traceback
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from benchbench.device.opening import Absent, opened
from benchbench.device.session import Session
from benchbench.device.side_by_side import side_by_side
from benchbench.execution.prepare import PreparedDevice, prepare_device
from benchbench.execution.worker import Worker, unopened
from benchbench.modes.base import RunContext
from benchbench.modes.launch import failed
from benchbench.plan import Plan
from benchbench.run_folder.journal import Journal
from benchbench.runtimes import FORMATS
from benchbench.values.case import Trial
from benchbench.values.device import Device, ToolChoice
from benchbench.values.errors import BenchbenchError, HostError
from benchbench.values.outcome import Outcome

REPORT_IT = "the traceback is in the trial's log: please report it"


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


@dataclass(frozen=True, slots=True)
class Broken:
    """A worker cannot go on, for a reason that is none of its device's, such as this host's full disk."""

    error: BaseException


Event = Started | Progressed | Done | Noted | Scoring
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

    On KeyboardInterrupt (or any other error of the writer) all devices are told to stop, what was measured by then is
    written, and it is raised on.
    """
    done = context.journal.done()
    events: queue.SimpleQueue[Event | Broken | None] = queue.SimpleQueue()
    stop = threading.Event()

    def end_all() -> None:
        stop.set()
        for worker in workers:
            if isinstance(worker, Worker):
                worker.session.cancel()

    threads = []
    for worker in workers:
        name = (worker.device if isinstance(worker, Absent) else worker.session.device).name
        trials = [trial for trial in plan.of(name) if trial.id not in done]
        arguments = (worker, trials, context, events, stop)
        threads.append(threading.Thread(target=_work_through, args=arguments, name=f"device {name}"))
    for thread in threads:
        thread.start()
    try:
        _write(context.journal, events, len(workers), tell)
    except BaseException:
        side_by_side([end_all])
        raise
    finally:
        side_by_side([thread.join for thread in threads])
        _write_rest(context.journal, events)


def _work_through(
    worker: Worker | Absent,
    trials: Sequence[Trial],
    context: RunContext,
    events: queue.SimpleQueue[Event | Broken | None],
    stop: threading.Event,
) -> None:
    try:
        for trial in trials:
            if stop.is_set():
                return
            if isinstance(worker, Absent):
                events.put(Done(trial, unopened(trial, worker.error)))
                continue
            events.put(Started(trial))
            try:
                outcome = worker.perform(trial, context, partial(_progressed, events, trial))
            except MemoryError as error:  # one large model must not cost the others
                outcome = failed(trial, HostError(f"this host's memory does not suffice: {error}".rstrip(": ")))
            except Exception as error:  # noqa: BLE001 - a mistake of ours must not cost the night
                context.journal.write_log(trial.id, traceback.format_exc().encode())
                outcome = failed(trial, BenchbenchError(f"benchbench itself failed: {error!r}", remedy=REPORT_IT))
            if stop.is_set():
                return  # what a cancelled link says of a trial is not its outcome
            events.put(Done(trial, outcome))
            while worker.session.notes:
                events.put(Noted(trial.case.device, worker.session.notes.pop(0)))
    except BaseException as error:  # noqa: BLE001 - raised again by the one who writes
        events.put(Broken(error))
    finally:
        events.put(None)


def _progressed(events: queue.SimpleQueue[Event | Broken | None], trial: Trial, samples: int, of: int) -> None:
    events.put(Progressed(trial, samples, of))


def _write(journal: Journal, events: queue.SimpleQueue[Event | Broken | None], workers: int, tell: Tell) -> None:
    while workers:
        event = events.get()
        match event:
            case None:
                workers -= 1
                continue
            case Broken(error=error):
                raise error
            case Done(outcome=outcome):
                journal.append(outcome)
            case Noted(text=text):
                journal.note(text)
            case Started() | Progressed() | Scoring():
                pass
        tell(event)


def _write_rest(journal: Journal, events: queue.SimpleQueue[Event | Broken | None]) -> None:
    """What was measured while the writer was being interrupted."""
    while not events.empty():
        event = events.get()
        if isinstance(event, Done):
            journal.append(event.outcome)


def prepared(opened: Sequence[Worker | Absent]) -> tuple[PreparedDevice, ...]:
    return tuple(worker.prepared for worker in opened if isinstance(worker, Worker))
