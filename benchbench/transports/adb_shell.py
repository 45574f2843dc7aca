"""Commands on a phone: shell protocol v2, and a way around it for phones older than Android 7.

Format of v2: AOSP packages/modules/adb, shell_protocol.h: one byte of id, a little-endian length, the data.
Spoken by hand for the reasons that adb_server.py gives.
"""

from __future__ import annotations

import secrets
import selectors
import struct
import time

from benchbench.transports import Finished
from benchbench.transports.adb_server import Link
from benchbench.transports.deadline import Deadline
from benchbench.transports.output_limit import OutputLimit

_STDIN, _STDOUT, _STDERR, _EXIT, _CLOSE_STDIN = range(5)
_HEADER = struct.Struct("<BI")
_CHUNK = 64 * 1024


class Streams:
    """What has arrived of a command's output: fed as it comes, finished when the exit code is there."""

    def __init__(self) -> None:
        self.heard = 0.0  # when the last bytes came, monotonic seconds
        self._raw = bytearray()
        self._parts: dict[int, list[bytes]] = {_STDOUT: [], _STDERR: []}

    def feed(self, data: bytes) -> Finished | None:
        """Take bytes from the link; the result when they complete it."""
        self._raw += data
        start = 0
        try:
            while len(self._raw) >= start + _HEADER.size:
                kind, length = _HEADER.unpack_from(self._raw, start)
                end = start + _HEADER.size + length
                if len(self._raw) < end:
                    return None
                body = bytes(self._raw[start + _HEADER.size : end])
                start = end
                if kind == _EXIT:
                    return Finished(body[0], b"".join(self._parts[_STDOUT]), b"".join(self._parts[_STDERR]))
                if kind in self._parts:
                    self._parts[kind].append(body)
            return None
        finally:
            del self._raw[:start]


class MarkedStream(Streams):
    """The same for a raw stream that ends with a line of its own: the marker and the exit code."""

    def __init__(self, marker: bytes) -> None:
        super().__init__()
        self._marker = marker + b":"
        self._seen = bytearray()

    def feed(self, data: bytes) -> Finished | None:
        """See Streams.feed."""
        self._seen += data
        start = self._seen.rfind(self._marker, max(0, len(self._seen) - len(data) - 64))
        if start < 0 or not self._seen.endswith(b"\n"):
            return None
        code = int(self._seen[start + len(self._marker) :])
        return Finished(code, bytes(self._seen[:start]), b"")


def shell_v2(command: str, stdin: bytes) -> tuple[str, bytes, Streams]:
    """The service to open, the bytes to send, and the reader of what comes back."""
    chunks = [stdin[at : at + _CHUNK] for at in range(0, len(stdin), _CHUNK)]
    frames = [_HEADER.pack(_STDIN, len(chunk)) + chunk for chunk in chunks]
    return f"shell,v2,raw:exec {command}", b"".join(frames) + _HEADER.pack(_CLOSE_STDIN, 0), Streams()


def exec_marked(command: str, stdin: bytes) -> tuple[str, bytes, Streams]:
    """The same for a phone without shell v2, whose raw link has neither an exit code nor an end of stdin.

    `head` counts the input, so that the program sees its end; the oldest phones have a `head` without bytes.
    """
    marker = f"benchbench-{secrets.token_hex(8)}"
    size = len(stdin)
    source = f"{{ head -c {size} 2>/dev/null || dd bs=1 count={size} 2>/dev/null; }} |" if stdin else "</dev/null"
    return f"exec:{source} {command}; echo {marker}:$?", stdin, MarkedStream(marker.encode())


def converse(link: Link, outgoing: bytes, streams: Streams, deadline: Deadline, output_limit: OutputLimit) -> Finished:
    """Send stdin and read both streams at once until the command has ended.

    Raises TimeoutError at the deadline, EOFError when the link ends before the exit code, OSError when it breaks,
    TooMuchOutput.
    """
    waiting = memoryview(outgoing)
    link.socket.setblocking(False)
    with selectors.DefaultSelector() as selector:
        selector.register(link.socket, selectors.EVENT_READ | (selectors.EVENT_WRITE if waiting else 0))
        while True:
            ready = selector.select(deadline.left())
            for _key, events in ready:
                if events & selectors.EVENT_WRITE:
                    waiting = waiting[link.send_some(waiting[:_CHUNK]) :]
                    if not waiting:
                        selector.modify(link.socket, selectors.EVENT_READ)
                if events & selectors.EVENT_READ:
                    data = link.read_some()
                    streams.heard = time.monotonic()
                    output_limit.count(data)
                    if (finished := streams.feed(data)) is not None:
                        return finished
