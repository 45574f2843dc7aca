"""Work on several devices at once, ended in order whenever it is interrupted."""

from __future__ import annotations

import _thread
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue

Task = Callable[[], object]
LOOK_S = 0.5  # the system may hand a signal to any thread, and then nothing wakes the main one, which answers it


def side_by_side(tasks: Sequence[Task], *, on_interrupt: Task | None = None) -> None:
    """Run every task in a thread of its own, and return when all have ended.

    KeyboardInterrupt does not cut the waiting short: the first one runs `on_interrupt`, which should make the tasks end
    soon, and is raised when all have ended. Otherwise the first exception of a task is raised then.
    """
    # An interrupt may come between any two steps here, and in the midst of what Python's own locks do: threads are
    # started and counted in one that no signal reaches, and here are only steps that may be cut off and done again.
    ended: list[list[BaseException]] = []
    wake, events, first = SimpleQueue[None](), SimpleQueue[BaseException | str](), _thread.allocate_lock()

    def supervise() -> None:
        if first.acquire(blocking=False):
            ended.append(_run_all(tasks, on_interrupt, events))
            wake.put(None)

    interrupted: KeyboardInterrupt | None = None
    while not ended:
        try:
            if interrupted is not None:
                events.put(_INTERRUPT)
            _thread.start_new_thread(supervise, ())  # of several the first does it
            while not ended:
                with suppress(Empty):
                    wake.get(timeout=LOOK_S)
        except KeyboardInterrupt as error:
            interrupted = interrupted or error
    if interrupted is not None:
        raise interrupted
    for failure in ended[0]:
        raise failure


_ENDED, _INTERRUPT = "ended", "interrupt"


def _run_all(
    tasks: Sequence[Task], on_interrupt: Task | None, events: SimpleQueue[BaseException | str]
) -> list[BaseException]:
    """The exceptions of the tasks, in the order in which they were raised."""

    def run(task: Task) -> None:
        try:
            task()
        except BaseException as error:  # noqa: BLE001 - raised again by the one who waits
            events.put(error)
        else:
            events.put(_ENDED)

    def start(task: Task) -> None:
        threading.Thread(target=run, args=(task,)).start()

    for task in tasks:
        start(task)
    running, failures = len(tasks), list[BaseException]()
    while running:
        event = events.get()
        if event != _INTERRUPT:
            running -= 1
            failures += [event] if isinstance(event, BaseException) else []
        elif on_interrupt is not None:
            start(on_interrupt)
            running, on_interrupt = running + 1, None
    return failures
