"""Waiting for what another process does, for as long as it may take."""

from __future__ import annotations

import time
from collections.abc import Callable

HANG_S = 300  # nothing that is waited for takes so long on any machine


def becomes_true(what: Callable[[], bool], seconds: float = HANG_S) -> bool:
    """Whether something is true, or becomes so within this time."""
    until = time.monotonic() + seconds
    while not what():
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True
