"""Work on several devices at once, ended in order however often it is interrupted."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence

Task = Callable[[], object]


def side_by_side(tasks: Sequence[Task], *, on_interrupt: Task | None = None) -> None:
    """Run every task in a thread of its own, and return when all have ended.

    KeyboardInterrupt does not cut the waiting short: the first one runs `on_interrupt`, which should make the tasks end
    soon, and is raised when all have ended. Otherwise the first exception of a task is raised then.
    """
    ended: queue.SimpleQueue[BaseException | None] = queue.SimpleQueue()

    def run(task: Task) -> None:
        try:
            task()
        except BaseException as error:  # noqa: BLE001 - raised again below
            ended.put(error)
        else:
            ended.put(None)

    def start(task: Task) -> None:
        threading.Thread(target=run, args=(task,)).start()

    running, errors, interrupted = 0, list[BaseException](), None
    for task in tasks:
        start(task)
        running += 1
    while running:
        try:
            error = ended.get()  # not Thread.join, which up to Python 3.12 takes an interrupted thread for ended
        except KeyboardInterrupt as error_:
            if interrupted is None:
                interrupted = error_
                if on_interrupt is not None:
                    running += 1
                    start(on_interrupt)
            continue
        running -= 1
        errors += [] if error is None else [error]
    if interrupted is not None:
        raise interrupted
    if errors:
        raise errors[0]
