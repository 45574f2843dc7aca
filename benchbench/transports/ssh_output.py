"""What a command on a board prints, read as it comes, and what it is fed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress

import paramiko

from benchbench.transports.deadline import Deadline
from benchbench.transports.output_limit import OutputLimit
from benchbench.values.errors import TooMuchOutput


class Output:
    """Both streams of a command, read at once, as they share one window; `limit` None = as much as there is."""

    def __init__(self, take: Callable[[bytes], object], limit: OutputLimit | None) -> None:
        self._take = take  # what is done with stdout
        self._limit = limit
        self._too_much: TooMuchOutput | None = None
        self.stderr = bytearray()
        self.heard = 0.0  # when the last bytes came, monotonic seconds

    def collect(self, channel: paramiko.Channel, stdin: Iterable[bytes], deadline: Deadline) -> int:
        """Feed stdin, read to the end; the exit code, or -1 when the link ended without one. Raises TooMuchOutput."""
        drain = (channel, channel.recv_stderr, self.stderr.extend)
        others = [threading.Thread(target=self._drain, args=drain, daemon=True)]
        if stdin:
            others.append(threading.Thread(target=_feed, args=(channel, stdin), daemon=True))
        else:
            channel.shutdown_write()
        for thread in others:
            thread.start()
        self._drain(channel, channel.recv, self._take)
        others[0].join()
        if self._too_much is not None:
            raise self._too_much
        channel.status_event.wait(max(0.0, deadline.at - time.monotonic()))
        return channel.exit_status

    def _drain(
        self, channel: paramiko.Channel, receive: Callable[[int], bytes], take: Callable[[bytes], object]
    ) -> None:
        while data := receive(1 << 18):
            try:
                if self._limit is not None:
                    self._limit.count(data)
            except TooMuchOutput as error:
                self._too_much = error
                channel.close()  # which ends the reading of the other stream, too
                return
            take(data)
            self.heard = time.monotonic()


def _feed(channel: paramiko.Channel, stdin: Iterable[bytes]) -> None:
    with suppress(OSError, EOFError, paramiko.SSHException):  # a program need not read its input, nor outlive the link
        try:
            for data in stdin:
                channel.sendall(data)
        finally:
            channel.shutdown_write()
