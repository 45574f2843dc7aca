"""Linux boards over SSH: paramiko, with every wait bounded and every host key known."""

from __future__ import annotations

import secrets
import stat
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath

import paramiko

from benchbench.device import Ssh
from benchbench.errors import Late, LinkLost, TransferFailed
from benchbench.transports import Finished
from benchbench.transports.deadline import Deadline
from benchbench.transports.guard import GRACE_S, KILLED, guarded
from benchbench.transports.ssh_config import route
from benchbench.transports.ssh_login import log_in


class SshTransport:
    """A board through one SSH connection, itself perhaps through others; each command is a channel of its own."""

    def __init__(self, reached: str, clients: Sequence[paramiko.SSHClient]) -> None:
        self._reached = reached
        self._clients = tuple(clients)
        transport = clients[-1].get_transport()
        assert transport is not None  # noqa: S101 - it was connected
        self._transport = transport
        self._sftp: paramiko.SFTPClient | None = None
        self._closed = False

    def run(self, argv: Sequence[str], *, timeout_s: float, stdin: bytes = b"") -> Finished:
        """See Transport.run."""
        limit = Deadline.after(timeout_s)
        patience = Deadline(limit.at + GRACE_S)
        output = _Output()
        late = Late(f"{self._reached}: {argv[0]} was killed after {timeout_s:g} s")
        with self._cut_at(patience), self._lost_means_lost():
            channel = self._transport.open_session(timeout=patience.left())
            try:
                channel.exec_command(guarded(argv, timeout_s))
                code = output.collect(channel, stdin, patience)
            finally:
                channel.close()
            if code < 0:  # no exit code: paramiko's word for a connection that ended
                if patience.passed and output.heard > limit.at:
                    raise late  # a slow link, still bringing what was printed before the end
                raise EOFError
        if code == KILLED and limit.passed:
            raise late
        return Finished(code, bytes(output.stdout), bytes(output.stderr))

    def push(self, source: Path, target: str, *, mode: int = 0o644, timeout_s: float = 600) -> None:
        """See Transport.push."""
        deadline = Deadline.after(timeout_s)
        what = f"{source} to {target}"
        folder = str(PurePosixPath(target).parent)
        part = f"{folder}/.part-{secrets.token_hex(8)}"
        try:
            size = source.stat().st_size
            with source.open("rb") as file, self._transfer(what, deadline):
                sftp = self._files()
                try:
                    sftp.putfo(file, part, file_size=size, confirm=True)
                    sftp.chmod(part, mode)
                    sftp.posix_rename(part, target)
                except OSError:
                    with suppress(OSError):
                        sftp.remove(part)
                    raise
        except _Refused as refusal:
            reason = self._why(folder, target, size) or str(refusal)
            raise TransferFailed(f"{self._reached}: {what}: {reason}") from refusal
        except OSError as error:
            raise TransferFailed(f"{self._reached}: {what}: {error.strerror}") from error

    def _why(self, folder: str, target: str, size: int) -> str:
        """SFTP says no more than "Failure": ask the board for the reason in its own words."""
        script = 'cd "$1" || exit; [ -d "$2" ] && echo "$2 is a folder" && exit; : > "$3" || exit; rm -f "$3"; df -Pk .'
        done = self.run(["sh", "-c", script, "sh", folder, target, f".part-{secrets.token_hex(8)}"], timeout_s=30)
        words = done.text.split()
        if "%" not in done.text:
            return (done.error_text or done.text).strip().rpartition(": ")[2]
        free_kb = int(words[-3]) if words[-3].isdigit() else None
        return f"no space left on device: {free_kb} kB free" if free_kb is not None and free_kb * 1024 < size else ""

    def pull(self, source: str, target: Path, *, timeout_s: float = 600) -> None:
        """See Transport.pull."""
        deadline = Deadline.after(timeout_s)
        what = f"{source} to {target}"
        part = target.with_name(f".part-{secrets.token_hex(8)}")
        try:
            with self._transfer(what, deadline):
                sftp = self._files()
                if not stat.S_ISREG(sftp.stat(source).st_mode or 0):
                    raise OSError(f"{source} is not a file")
                sftp.get(source, str(part))
            part.replace(target)
        except _Refused as refusal:
            raise TransferFailed(f"{self._reached}: {what}: {refusal}") from refusal
        except OSError as error:
            raise TransferFailed(f"{self._reached}: {what}: {error.strerror}") from error
        finally:
            part.unlink(missing_ok=True)

    def close(self) -> None:
        """See Transport.close."""
        self._closed = True
        for client in reversed(self._clients):
            client.close()

    def _files(self) -> paramiko.SFTPClient:
        if self._sftp is None:
            self._sftp = paramiko.SFTPClient.from_transport(self._transport)
        if self._sftp is None:
            raise EOFError
        return self._sftp

    @contextmanager
    def _cut_at(self, deadline: Deadline) -> Iterator[None]:
        """Close the link at the deadline: paramiko has waits of its own that no timeout ends."""
        timer = threading.Timer(max(0.0, deadline.at - time.monotonic()), self._transport.close)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    @contextmanager
    def _lost_means_lost(self) -> Iterator[None]:
        try:
            yield
        except (paramiko.SSHException, EOFError, OSError) as error:
            said = "the link was closed" if self._closed else f"the link broke off{f': {error}' if str(error) else ''}"
            raise LinkLost(f"{self._reached}: {said}") from error

    @contextmanager
    def _transfer(self, what: str, deadline: Deadline) -> Iterator[None]:
        """Tell a board that refuses (its error is passed on as _Refused) from a link that is late or gone."""
        with self._cut_at(deadline):
            try:
                yield
            except (paramiko.SSHException, EOFError, OSError) as error:
                if self._closed:
                    raise LinkLost(f"{self._reached}: the link was closed") from error
                if deadline.passed:
                    raise TransferFailed(f"{self._reached}: {what}: not done in time") from error
                if isinstance(error, OSError) and self._transport.is_active():
                    raise _Refused(error.strerror or str(error)) from error
                raise LinkLost(f"{self._reached}: {what}: the link broke off") from error


class _Refused(Exception):
    """The board answered a file request with an error."""


class _Output:
    """What a command prints: both streams are read at once, as they share one window."""

    def __init__(self) -> None:
        self.stdout = bytearray()
        self.stderr = bytearray()
        self.heard = 0.0  # when the last bytes came, monotonic seconds

    def collect(self, channel: paramiko.Channel, stdin: bytes, deadline: Deadline) -> int:
        """Feed stdin, read to the end; the exit code, or -1 when the link ended without one."""
        others = [threading.Thread(target=self._drain, args=(channel.recv_stderr, self.stderr), daemon=True)]
        if stdin:
            others.append(threading.Thread(target=_feed, args=(channel, stdin), daemon=True))
        else:
            channel.shutdown_write()
        for thread in others:
            thread.start()
        self._drain(channel.recv, self.stdout)
        others[0].join()
        channel.status_event.wait(max(0.0, deadline.at - time.monotonic()))
        return channel.exit_status

    def _drain(self, receive: Callable[[int], bytes], into: bytearray) -> None:
        while data := receive(1 << 18):
            into += data
            self.heard = time.monotonic()


def _feed(channel: paramiko.Channel, stdin: bytes) -> None:
    with suppress(OSError, EOFError, paramiko.SSHException):  # a program need not read its input, nor outlive the link
        channel.sendall(stdin)
        channel.shutdown_write()


def connect_ssh(address: Ssh, *, timeout_s: float = 20) -> SshTransport:
    """Log in to a board, through its ProxyJump hosts where the ssh config names some.

    Raises Unreachable, Unauthorized (also for a host key that is unknown or has changed) or InputError.
    """
    deadline = Deadline.after(timeout_s)
    clients: list[paramiko.SSHClient] = []
    try:
        for hop in route(address):
            clients.append(log_in(hop, clients, deadline, address.reached))
    except BaseException:
        for client in reversed(clients):
            client.close()
        raise
    return SshTransport(address.reached, clients)
