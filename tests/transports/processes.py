"""What runs on the devices of the tests, all of which live on this machine."""

from __future__ import annotations

import time
from pathlib import Path


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


def wait_until_alive(marker: str, seconds: float = 10) -> None:
    until = time.monotonic() + seconds
    while not alive(marker) and time.monotonic() < until:
        time.sleep(0.02)
    assert alive(marker)


def wait_until_gone(marker: str, seconds: float) -> None:
    until = time.monotonic() + seconds
    while alive(marker) and time.monotonic() < until:
        time.sleep(0.02)
    assert not alive(marker)
