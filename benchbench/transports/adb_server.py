"""The host side of the adb server's socket protocol ("smart sockets").

Format: AOSP packages/modules/adb, OVERVIEW.TXT and SERVICES.TXT: a request is four hex digits of length and a text, the
answer OKAY or FAIL with a length and a reason. adbutils brings the adb program; its client is not used because its
timeouts are per read, transfers have none and drop the reason of a failure, a lost device looks like a result, and it
starts a server on this machine when a remote one does not answer.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchbench.transports.deadline import Deadline
from benchbench.transports.tcp import prepare
from benchbench.values.errors import DeviceError, InputError, ToolError, Unreachable

_START_S = 15.0  # adb 36 looks for USB for 3 s before it listens
_starting = threading.Lock()  # servers that are started at once refuse each other's port


class AdbFailure(Exception):
    """The adb server or the phone answered FAIL; the text is its reason."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A phone as an adb server lists it: state "device" (ready), "unauthorized", "offline", …"""

    serial: str
    state: str
    model: str | None = None


@contextmanager
def _broken_as_connection_error() -> Iterator[None]:
    """Whatever the network says of a link (no route to the host, …) as ConnectionError; a file's errors are others."""
    try:
        yield
    except (ConnectionError, BlockingIOError):
        raise
    except OSError as error:
        if error.errno is None:  # a deadline of ours, not the kernel's word that the link is dead
            raise
        raise ConnectionError(error.errno, error.strerror) from error


class Link:
    """One connection through the adb server; every wait ends at its deadline with TimeoutError.

    A link that breaks is a ConnectionError or EOFError, whatever the reason.
    """

    def __init__(self, connection: socket.socket) -> None:
        self.socket = connection

    def send(self, data: bytes | memoryview, deadline: Deadline) -> None:
        with _broken_as_connection_error():
            self.socket.settimeout(deadline.left())
            self.socket.sendall(data)

    def send_some(self, data: memoryview) -> int:
        """Send what can be sent at once; how much it was."""
        with _broken_as_connection_error():
            return self.socket.send(data)

    def read_some(self) -> bytes:
        """What has arrived; raises EOFError when the other side has ended."""
        with _broken_as_connection_error():
            if not (data := self.socket.recv(1 << 18)):
                raise EOFError
            return data

    def read(self, count: int, deadline: Deadline) -> bytes:
        """Exactly `count` bytes; raises EOFError when the other side ends before."""
        data = bytearray()
        while len(data) < count:
            with _broken_as_connection_error():
                self.socket.settimeout(deadline.left())
                some = self.socket.recv(count - len(data))
            if not some:
                raise EOFError
            data += some
        return bytes(data)

    def request(self, service: str, deadline: Deadline) -> None:
        """Ask for a service; raises AdbFailure with the reason of a refusal."""
        name = os.fsencode(service)
        if len(name) > 0xFFFF:
            raise DeviceError(f"a command of {len(name)} bytes is longer than adb can carry")
        self.send(b"%04x%s" % (len(name), name), deadline)
        if self.read(4, deadline) != b"OKAY":
            raise AdbFailure(self.text(deadline))

    def text(self, deadline: Deadline) -> str:
        size = int(self.read(4, deadline), 16)
        return self.read(size, deadline).decode("utf-8", "replace").strip()

    def close(self) -> None:
        self.socket.close()


@dataclass(frozen=True, slots=True)
class AdbServer:
    """An adb server's address; `startable` = it is this machine's own, so we may start it."""

    host: str
    port: int
    startable: bool

    @classmethod
    def named(cls, address: str | None) -> AdbServer:
        """From host:port, or from the environment as adb itself reads it; raises InputError."""
        if address is None:
            host = os.environ.get("ANDROID_ADB_SERVER_ADDRESS", "127.0.0.1")
            port = os.environ.get("ANDROID_ADB_SERVER_PORT", "5037")
        else:
            host, colon, port = address.rpartition(":")
            host, port = (host, port) if colon else (address, "5037")
        if not port.isdigit() or not host:
            raise InputError(f"adb server {address or port!r} is not host:port", remedy='like server = "10.0.0.5:5037"')
        startable = address is None and host in {"127.0.0.1", "localhost", "::1"}
        return cls(host.strip("[]"), int(port), startable)

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"

    def connect(self, deadline: Deadline) -> Link:
        """A connection to the server; raises OSError."""
        connection = socket.create_connection((self.host, self.port), timeout=min(5.0, deadline.left()))
        prepare(connection)
        return Link(connection)

    def ask(self, question: str, deadline: Deadline) -> str:
        """The server's answer to a host question, e.g. "host:version"; raises OSError, EOFError, AdbFailure."""
        link = self.connect(deadline)
        try:
            link.request(question, deadline)
            return link.text(deadline)
        finally:
            link.close()

    def phones(self, deadline: Deadline) -> tuple[Seen, ...]:
        return tuple(_seen(line) for line in self.ask("host:devices-l", deadline).splitlines() if line.strip())

    def ensure(self, deadline: Deadline) -> None:
        """Start this machine's server unless one answers; raises Unreachable, ToolError where there is no adb."""
        with _starting:
            try:
                self.ask("host:version", deadline)
                return
            except (OSError, EOFError, AdbFailure) as error:
                if not self.startable:
                    raise Unreachable(
                        f"adb server {self}: {error or 'no answer'}", remedy="start it there with: adb -a start-server"
                    ) from error
            self._start(min(_START_S, deadline.left()))

    def _start(self, timeout_s: float) -> None:
        command = [adb_program(), "-P", str(self.port), "start-server"]
        with tempfile.TemporaryFile() as said:  # not a pipe: the server would hold it open
            try:
                code = subprocess.run(
                    command, stdin=subprocess.DEVNULL, stdout=said, stderr=said, timeout=timeout_s, check=False
                ).returncode
            except (OSError, subprocess.TimeoutExpired) as error:
                raise Unreachable(f"the adb server did not start: {error}", remedy="try: adb start-server") from error
            said.seek(0)
            lines = said.read().decode("utf-8", "replace").strip().splitlines()
        if code != 0:
            raise Unreachable(f"the adb server did not start: {lines[-1:]}", remedy="try: adb start-server")


def adb_program() -> str:
    """The adb to run: the user's choice in ADBUTILS_ADB_PATH, else adbutils' own, else the one on PATH.

    adbutils itself prefers PATH, where Debian's old adb crashes when several phones connect at once.
    """
    if chosen := os.environ.get("ADBUTILS_ADB_PATH"):
        return chosen
    package = importlib.util.find_spec("adbutils")
    for folder in (package.submodule_search_locations or ()) if package else ():
        bundled = Path(folder) / "binaries" / "adb"
        if os.access(bundled, os.X_OK):
            return str(bundled)
    if found := shutil.which("adb"):
        return found
    raise ToolError("there is no adb program", remedy="install Android's platform-tools, or set ADBUTILS_ADB_PATH")


def _seen(line: str) -> Seen:
    """A line of host:devices-l: `serial state key:value…`; the state "no permissions (…)" has spaces."""
    serial, _, rest = line.strip().partition(" ")
    words = rest.split()
    state = "no permissions" if words[:1] == ["no"] else (words or ["unknown"])[0]
    model = next((word.removeprefix("model:") for word in words if word.startswith("model:")), None)
    return Seen(serial, state, model)
