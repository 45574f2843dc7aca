"""What runs on the devices of the tests, all of which live on this machine."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from benchbench.transports import Transport

GUARD_S = 120  # against hangs only: far less than the programs of these tests would run by themselves


def sh(text: str, *arguments: str) -> list[str]:
    return ["sh", "-c", text, "sh", *arguments]


def alive(marker: str) -> list[str]:
    """The processes that have a marker among their arguments."""
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = file.read_bytes().split(b"\0")
        except OSError:
            continue
        if marker.encode() in words:
            found.append(file.parent.name)
    return found


def wait_until(what: Callable[[], object]) -> None:
    until = time.monotonic() + GUARD_S
    while not what():
        assert time.monotonic() < until
        time.sleep(0.02)


def wait_until_alive(marker: str) -> None:
    wait_until(lambda: alive(marker))


def wait_until_gone(marker: str) -> None:
    wait_until(lambda: not alive(marker))


def once_alive(marker: str, act: Callable[[], object]) -> None:
    """Does something in a thread of its own as soon as a program has begun on the device."""

    def wait_and_act() -> None:
        wait_until_alive(marker)
        act()

    threading.Thread(target=wait_and_act).start()


def says_hello(transport: Transport) -> bool:
    with closing(transport):
        return transport.run(["echo", "hello"], timeout_s=120).text == "hello\n"
