"""Android phones: the adb server carries commands (shell) and files (sync); finding the phones it sees."""

from __future__ import annotations

import re
import secrets
import shlex
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath

from benchbench.transports import Finished, adb_shell, adb_sync
from benchbench.transports.adb_server import AdbFailure, AdbServer, Link, Seen
from benchbench.transports.deadline import Deadline
from benchbench.transports.output_limit import OutputLimit
from benchbench.transports.remote_time_limit import GRACE_S, KILLED, time_limited
from benchbench.values.atomic import atomic
from benchbench.values.device import Adb
from benchbench.values.errors import (
    BenchbenchError,
    DeviceError,
    Late,
    LinkLost,
    TransferFailed,
    Unauthorized,
    Unreachable,
)

__all__ = ["AdbTransport", "Seen", "connect_adb", "discover"]

_STALE = {"offline", "unauthorized"}  # what a server may still say of a link that has gone, or of a key by now allowed
_SETTLE_S = 1.0  # how long a phone may take from "connecting" or "unauthorized" to "device"
_JOINING_S = 8.0  # how long one on Wi-Fi may take from being connected to that
_GONE = re.compile(r"offline|not found")  # how a server refuses to ask a phone whose link has ended
_WIFI = re.compile(r".+:\d+")


class AdbTransport:
    """A phone through an adb server; each verb is a connection of its own."""

    def __init__(self, address: Adb, server: AdbServer, *, shell_v2: bool) -> None:
        self._reached = address.reached
        self._serial = address.serial
        self._server = server
        self._service = adb_shell.shell_v2 if shell_v2 else adb_shell.exec_marked
        self._closed = False
        self._live: Link | None = None

    def run(self, argv: Sequence[str], *, timeout_s: float, stdin: bytes = b"") -> Finished:
        """See Transport.run."""
        limit = Deadline.after(timeout_s)
        patience = Deadline(limit.at + GRACE_S)
        service, outgoing, streams = self._service(shlex.join(time_limited(argv, timeout_s)), stdin)
        late = Late(f"{self._reached}: {argv[0]} was killed after {timeout_s:g} s")
        with self._open(service, patience) as link:
            try:
                finished = adb_shell.converse(link, outgoing, streams, patience, OutputLimit(self._reached, argv[0]))
            except TimeoutError:
                self._check_open()
                if streams.heard > limit.at:  # a slow link, still bringing what was printed before the end
                    raise late from None
                raise LinkLost(f"{self._reached}: no answer within {timeout_s:g} s, nor after it") from None
        if finished.exit_code == KILLED and limit.passed:
            raise late
        return finished

    def push(self, source: Path, target: str, *, mode: int = 0o644, timeout_s: float = 600) -> None:
        """See Transport.push."""
        deadline = Deadline.after(timeout_s)
        part = f"{PurePosixPath(target).parent}/.part-{secrets.token_hex(8)}"
        with self._transfer(f"{source} to {target}", timeout_s):
            try:
                size = self._send(source, part, mode, deadline)
                self._put_in_place(part, target, mode, size)
            except AdbFailure:  # adbd removes what it could not finish, but when it likes
                self.run(["rm", "-f", part], timeout_s=30)
                raise

    def _send(self, source: Path, target: str, mode: int, deadline: Deadline) -> int:
        folder = str(PurePosixPath(target).parent)
        with source.open("rb") as file, self._open("sync:", deadline) as link:
            if not adb_sync.mode_and_size(link, folder, deadline)[0]:  # adbd would make it, though nobody asked
                raise AdbFailure(f"there is no folder {folder}")
            adb_sync.send(link, file, target, mode, deadline)
            return file.tell()

    def _put_in_place(self, part: str, target: str, mode: int, size: int) -> None:
        script = (
            '[ -d "$2" ] && echo "$2 is a folder" >&2 && exit 1; '
            '[ "$(wc -c < "$1")" -eq "$4" ] && chmod "$3" "$1" && mv -f "$1" "$2"'
        )
        argv = ["sh", "-c", script, "sh", part, target, f"{mode:o}", str(size)]
        done = self.run(argv, timeout_s=60)
        if done.exit_code != 0:
            raise AdbFailure((done.error_text or done.text).strip() or "it arrived with another size")

    def pull(self, source: str, target: Path, *, timeout_s: float = 600) -> None:
        """See Transport.pull."""
        deadline = Deadline.after(timeout_s)
        with self._transfer(f"{source} to {target}", timeout_s), atomic(target) as file:
            with self._open("sync:", deadline) as link:
                mode, size = adb_sync.mode_and_size(link, source, deadline)
                if not mode:
                    raise AdbFailure("there is no such file")
                got = adb_sync.receive(link, source, file, deadline)
            if got % 2**32 != size:
                raise AdbFailure(f"{got} of {size} bytes arrived")

    def close(self) -> None:
        """See Transport.close."""
        self._closed = True
        if link := self._live:
            with suppress(OSError):
                link.socket.shutdown(socket.SHUT_RDWR)

    @contextmanager
    def _open(self, service: str, deadline: Deadline) -> Iterator[Link]:
        """A connection to a service of the phone; a broken one is LinkLost, one never made Unreachable."""
        try:
            link = self._server.connect(deadline)
        except OSError as error:
            raise Unreachable(f"{self._reached}: the adb server {self._server} does not answer: {error}") from error
        self._live = link
        try:
            self._check_open()
            self._request(link, service, deadline)
            yield link
        except (EOFError, ConnectionError) as error:
            self._check_open()
            why = f": {error.strerror}" if isinstance(error, OSError) and error.strerror else ""
            raise LinkLost(f"{self._reached}: the link broke off{why}") from error
        finally:
            self._live = None
            link.close()

    def _request(self, link: Link, service: str, deadline: Deadline) -> None:
        try:
            link.request(f"host:transport:{self._serial}", deadline)
            link.request(service, deadline)
        except AdbFailure as refusal:
            raise _refused(self._reached, str(refusal)) from refusal
        except TimeoutError as error:
            self._check_open()
            raise LinkLost(f"{self._reached}: the phone no longer answers") from error

    @contextmanager
    def _transfer(self, what: str, timeout_s: float) -> Iterator[None]:
        try:
            yield
        except TimeoutError as error:
            self._check_open()
            raise TransferFailed(f"{self._reached}: {what}: not done within {timeout_s:g} s") from error
        except AdbFailure as error:
            raise TransferFailed(f"{self._reached}: {what}: {error}") from error
        except OSError as error:  # a file on this side
            raise TransferFailed(f"{self._reached}: {what}: {error.strerror}") from error

    def _check_open(self) -> None:
        if self._closed:
            raise LinkLost(f"{self._reached}: the link was closed")


def connect_adb(address: Adb, *, timeout_s: float = 20) -> AdbTransport:
    """A link to a phone by serial, or by host:port, which is connected first.

    Raises Unreachable, Unauthorized, InputError or ToolError, each with its remedy.
    """
    deadline = Deadline.after(timeout_s)
    server = AdbServer.named(address.server)
    server.ensure(deadline)
    try:
        features = _features(address, server, deadline)
    except AdbFailure as refusal:
        raise _refused(address.reached, str(refusal)) from refusal
    except (OSError, EOFError) as error:
        raise Unreachable(f"{address.reached}: no answer: {error or 'time is over'}") from error
    return AdbTransport(address, server, shell_v2="shell_v2" in features.split(","))


def discover(server: str | None = None) -> tuple[Seen, ...]:
    """Every phone the adb server sees, ready or not; none where there is no adb server and none can be started."""
    deadline = Deadline.after(20)
    try:
        chosen = AdbServer.named(server)
        chosen.ensure(deadline)
        return chosen.phones(deadline)
    except (BenchbenchError, AdbFailure, OSError, EOFError):
        return ()


def _features(address: Adb, server: AdbServer, deadline: Deadline) -> str:
    """What a phone can do, once it is ready; one that has gone in between is awaited again.

    A server under load lists a phone as ready until it has seen the end of a link that another has replaced.
    """
    until = Deadline.after(min(_JOINING_S, deadline.left()))
    while True:
        _await_ready(address, server, deadline)
        try:
            return server.ask(f"host-serial:{address.serial}:features", deadline)
        except AdbFailure as refusal:
            if until.passed or not _GONE.search(str(refusal)):
                raise


def _await_ready(address: Adb, server: AdbServer, deadline: Deadline) -> None:
    """Return when the phone is ready; a phone on Wi-Fi is connected, or connected again when it stays offline."""
    state = _state(address, server, deadline)
    wifi = _WIFI.fullmatch(address.serial) is not None
    if wifi and state is None:
        _connect_wifi(address, server, deadline)
    elif wifi and state in _STALE and (state := _settled(address, server, deadline, 0.5)) in _STALE:
        with suppress(AdbFailure):  # adb would answer "already connected"
            server.ask(f"host:disconnect:{address.serial}", deadline)
        _connect_wifi(address, server, deadline)
        state = None
    if wifi and state != "device":
        state = _joined(address, server, deadline)
    elif state is not None and state != "device":
        state = _settled(address, server, deadline, _SETTLE_S)
    if state != "device":
        raise _not_ready(address, server, state, deadline)


def _joined(address: Adb, server: AdbServer, deadline: Deadline) -> str | None:
    """The state of a phone on Wi-Fi that was just connected, once it is ready or says why not.

    A slow one is offline for a while; the server forgets one whose first greeting it took for the end of the last link.
    """
    until = Deadline.after(min(_JOINING_S, deadline.left()))
    while True:
        state = _settled(address, server, deadline, _SETTLE_S)
        if state not in {None, "offline"} or until.passed:
            return state
        if state is None:
            _connect_wifi(address, server, deadline)


def _settled(address: Adb, server: AdbServer, deadline: Deadline, seconds: float) -> str | None:
    """The state once it is "device", or what it is after some seconds."""
    until = Deadline.after(min(seconds, deadline.left()))
    while (state := _state(address, server, deadline)) != "device" and not until.passed:
        time.sleep(0.05)
    return state


def _connect_wifi(address: Adb, server: AdbServer, deadline: Deadline) -> None:
    said = server.ask(f"host:connect:{address.serial}", deadline)
    if not said.startswith(("connected", "already connected", "failed to authenticate")):
        raise Unreachable(
            f"{address.reached}: {said}", remedy="is the phone awake, in this network, and is wireless debugging on?"
        )


def _state(address: Adb, server: AdbServer, deadline: Deadline) -> str | None:
    return next((seen.state for seen in server.phones(deadline) if seen.serial == address.serial), None)


def _not_ready(address: Adb, server: AdbServer, state: str | None, deadline: Deadline) -> DeviceError:
    if state is not None:
        return _refused(address.reached, state)
    seen = ", ".join(phone.serial for phone in server.phones(deadline)) or "none"
    return Unreachable(f"{address.reached}: there is no such phone", remedy=f"plug it in; phones seen: {seen}")


def _refused(reached: str, reason: str) -> DeviceError:
    """The error for a state or a refusal of the adb server."""
    reason = reason.splitlines()[0] if reason else "refused"
    if "unauthorized" in reason or "authorizing" in reason:
        return Unauthorized(f"{reached}: unauthorized", remedy="unlock the phone and tap Allow (USB debugging)")
    if "no permissions" in reason:
        return Unauthorized(f"{reached}: {reason}", remedy="add a udev rule for the phone (Debian: android-udev-rules)")
    return Unreachable(f"{reached}: {reason}", remedy="replug the cable or switch wireless debugging off and on")
