"""Tasks side by side, interrupted at any time: each runs once, and nobody waits for ever."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest

from benchbench.device.side_by_side import side_by_side

# One interrupt a time, as `Interrupts` raises it, at times that sweep over all that is done.
SWEEP = """
import random, signal, time
from benchbench.device.side_by_side import side_by_side

def interrupt(*_):
    raise KeyboardInterrupt

signal.signal(signal.SIGALRM, interrupt)
draw, interrupted = random.Random(1), 0
for _ in range(2000):
    ran = []
    tasks = [lambda k=k: (time.sleep(draw.random() / 2000), ran.append(str(k))) for k in range(3)]
    try:
        signal.setitimer(signal.ITIMER_REAL, 1e-5 + draw.random() / 500)
        side_by_side(tasks, on_interrupt=lambda: ran.append("end"))
        told = "nothing"
        signal.setitimer(signal.ITIMER_REAL, 0)
    except KeyboardInterrupt:
        interrupted += 1
        told = "an interrupt"
    seen = sorted(ran)
    assert seen in (["0", "1", "2"], ["0", "1", "2", "end"]) or (not seen and told == "an interrupt"), (seen, told)
print(interrupted)
"""


def test_every_task_runs_once_whenever_an_interrupt_comes() -> None:
    done = subprocess.run([sys.executable, "-c", SWEEP], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 100


def test_the_first_exception_is_raised_when_all_have_ended() -> None:
    gate, ended = threading.Event(), []

    def fails() -> None:
        raise ValueError("first")

    def later() -> None:
        assert gate.wait(60)
        ended.append(1)

    def opens() -> None:
        gate.set()

    with pytest.raises(ValueError, match="first"):
        side_by_side([fails, later, opens])
    assert ended == [1]


def test_no_task_is_no_work() -> None:
    side_by_side([])


ANOTHER_THREAD = """
import signal, threading
from benchbench.device.side_by_side import side_by_side

stop = threading.Event()

def task():
    signal.pthread_kill(threading.get_ident(), signal.SIGINT)  # as the system may: to a thread that answers none
    stop.wait(60)

signal.signal(signal.SIGINT, signal.default_int_handler)
try:
    side_by_side([task], on_interrupt=stop.set)
except KeyboardInterrupt:
    print("interrupted" if stop.is_set() else "not told")
"""


def test_a_signal_that_another_thread_is_handed_is_answered_too() -> None:
    done = subprocess.run(
        [sys.executable, "-c", ANOTHER_THREAD], capture_output=True, text=True, timeout=600, check=True
    )
    assert done.stdout == "interrupted\n"
