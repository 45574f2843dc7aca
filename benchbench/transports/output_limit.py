"""How much a command may say: a device that never stops talking must not take this host's memory."""

from __future__ import annotations

from benchbench.values.errors import TooMuchOutput

MOST_BYTES = 256 * 2**20  # of both streams of one command: an agent sends back a few megabytes at most


class OutputLimit:
    """Counts what has arrived of one command's output."""

    def __init__(self, reached: str, program: str) -> None:
        self._left = MOST_BYTES
        self._what = f"{reached}: {program} said more than {MOST_BYTES / 1e6:.0f} MB"

    def count(self, data: bytes) -> None:
        """Raises TooMuchOutput when there is more than a device has any reason to say."""
        self._left -= len(data)
        if self._left < 0:
            raise TooMuchOutput(self._what, remedy="look at what runs on the device")
