"""How a command is ended from outside: Ctrl-C, SIGTERM, a hang-up, a closed terminal; all of them in the same way."""

from __future__ import annotations

import _thread
import contextlib
import errno
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from types import FrameType

from benchbench.values.errors import Interrupted

STILL = b"\nbenchbench: still ending jobs and giving devices back; Ctrl-C once more leaves at once\n"
LEAVES_AT = 3  # presses of Ctrl-C
LATER_S = 0.1  # for a callback to end in
SHOW_CURSOR = b"\x1b[?25h"


class Interrupts:
    """Raises `Interrupted` in the main thread once, whatever asks for the end; a third Ctrl-C leaves at once."""

    def __init__(self) -> None:
        self._presses = 0
        self._raised = False
        self._lost: OSError | None = None
        self._swallowed: Interrupted | None = None

    @contextlib.contextmanager
    def heard(self) -> Iterator[None]:
        """A signal that was inherited as ignored stays ignored: that is what nohup is for."""
        before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
        for number, handler in before.items():
            if handler not in {signal.SIG_IGN, None}:
                signal.signal(number, self._arrived)
        hook, sys.unraisablehook = sys.unraisablehook, self._unraisable
        try:
            yield
        finally:
            sys.unraisablehook = hook
            for number, handler in before.items():
                if handler is not None and not self._raised:
                    signal.signal(number, handler)
                elif number != signal.SIGINT:  # the first one's exit code is to be seen; a third Ctrl-C still leaves
                    signal.signal(number, signal.SIG_IGN)

    def _unraisable(self, unraisable: sys.UnraisableHookArgs) -> None:
        """A signal may arrive in a weakref's callback, as imports have them, and what is raised there ends nothing."""
        if isinstance(unraisable.exc_value, Interrupted):
            self._swallowed = unraisable.exc_value
            self._raised = False
            _thread.start_new_thread(self._interrupt, (LATER_S,))  # Thread.start waits, and would be interrupted here
        else:
            sys.__unraisablehook__(unraisable)

    @staticmethod
    def _interrupt(after_s: float = 0) -> None:
        time.sleep(after_s)
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM)

    def output_gone(self, error: OSError) -> None:
        """Nobody reads any more: the main thread is interrupted, whichever thread wrote and whatever main waits for."""
        if self._lost is None and signal.getsignal(signal.SIGTERM) == self._arrived:
            self._lost = error
            self._interrupt()

    def _arrived(self, number: int, _frame: FrameType | None) -> None:
        if number == signal.SIGINT:
            self._presses += 1
            if self._presses == LEAVES_AT:
                _tell(SHOW_CURSOR if os.isatty(2) else b"")
                os._exit(128 + number)
            if self._presses == LEAVES_AT - 1:
                _tell(STILL)
        if number == signal.SIGTERM and self._lost is not None:
            number = signal.SIGPIPE if self._lost.errno == errno.EPIPE else signal.SIGHUP
        if not self._raised:  # what comes later must not disturb the ending
            self._raised = True
            raise self._swallowed or Interrupted(number)


def _tell(text: bytes) -> None:
    with contextlib.suppress(OSError):
        os.write(2, text)
