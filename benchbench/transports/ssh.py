"""Linux boards over SSH: paramiko, with every wait bounded and every host key known."""

from __future__ import annotations

import hashlib
import secrets
import stat
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from io import BufferedRandom, BufferedReader
from pathlib import Path, PurePosixPath

import paramiko

from benchbench.transports import Finished
from benchbench.transports.deadline import Deadline
from benchbench.transports.login_shell import for_any_shell
from benchbench.transports.output_limit import OutputLimit
from benchbench.transports.remote_time_limit import GRACE_S, KILLED, time_limited
from benchbench.transports.ssh_config import route
from benchbench.transports.ssh_login import log_in
from benchbench.transports.ssh_output import Output
from benchbench.values.atomic import atomic
from benchbench.values.device import Ssh
from benchbench.values.errors import Late, LinkLost, TransferFailed

# A board's own words instead of SFTP's: $1 = part, $2 = target, $3 = mode, $4 = size, $5 = sha256.
_TAKE = """\
[ -d "$2" ] && echo "$2 is a folder" >&2 && exit 1
fail() { rm -f "$1"; [ -z "$2" ] || echo "$2" >&2; exit 1; }
cat > "$1" || fail "$1"
[ "$(wc -c < "$1")" -eq "$4" ] || fail "$1" "it arrived with another size"
if command -v sha256sum > /dev/null; then
  sum=$(sha256sum < "$1"); [ "${sum%% *}" = "$5" ] || fail "$1" "it arrived with another sha256"
fi
chmod "$3" "$1" && mv -f "$1" "$2" || fail "$1"
"""
_ABOUT = """\
[ -e "$1" ] || { echo "there is no such file" >&2; exit 1; }
[ -f "$1" ] || { echo "$1 is not a file" >&2; exit 1; }
wc -c < "$1" && { command -v sha256sum > /dev/null && sha256sum < "$1"; :; }
"""


class SshTransport:
    """A board through one SSH connection, itself perhaps through others; each command is a channel of its own."""

    def __init__(self, reached: str, clients: Sequence[paramiko.SSHClient]) -> None:
        self._reached = reached
        self._clients = tuple(clients)
        transport = clients[-1].get_transport()
        assert transport is not None  # noqa: S101 - it was connected
        self._transport = transport
        self._sftp: paramiko.SFTPClient | None = None
        self._has_sftp = True  # until the board says otherwise: dropbear and small images bring none
        self._closed = False

    def run(self, argv: Sequence[str], *, timeout_s: float, stdin: bytes = b"") -> Finished:
        """See Transport.run."""
        stdout = bytearray()
        limit = OutputLimit(self._reached, argv[0])
        code, stderr = self._run(argv, timeout_s, [stdin] if stdin else [], stdout.extend, limit)
        return Finished(code, bytes(stdout), stderr)

    def _run(
        self,
        argv: Sequence[str],
        timeout_s: float,
        stdin: Iterable[bytes],
        take: Callable[[bytes], object],
        output_limit: OutputLimit | None = None,
    ) -> tuple[int, bytes]:
        """The exit code and stderr; stdin is read as the board takes it, stdout taken as it comes."""
        limit = Deadline.after(timeout_s)
        patience = Deadline(limit.at + GRACE_S)
        output = Output(take, output_limit)
        late = Late(f"{self._reached}: {argv[0]} was killed after {timeout_s:g} s")
        with self._cut_at(patience), self._lost_means_lost():
            channel = self._transport.open_session(timeout=patience.left())
            try:
                channel.exec_command(for_any_shell(time_limited(argv, timeout_s)))
                code = output.collect(channel, stdin, patience)
            finally:
                channel.close()
            if code < 0:  # no exit code: paramiko's word for a connection that ended
                if patience.passed and output.heard > limit.at:
                    raise late  # a slow link, still bringing what was printed before the end
                raise EOFError
        if code == KILLED and limit.passed:
            raise late
        return code, bytes(output.stderr)

    def push(self, source: Path, target: str, *, mode: int = 0o644, timeout_s: float = 600) -> None:
        """See Transport.push."""
        deadline = Deadline.after(timeout_s)
        what = f"{source} to {target}"
        folder = str(PurePosixPath(target).parent)
        part = f"{folder}/.part-{secrets.token_hex(8)}"
        try:
            size = source.stat().st_size
            with source.open("rb") as file, self._transfer(what, deadline):
                if sftp := self._files():
                    _put(sftp, file, part, target, mode, size)
                else:
                    self._put_by_cat(file, part, target, mode, deadline)
        except _Refused as refusal:
            reason = self._why(folder, target, size) or str(refusal)
            raise TransferFailed(f"{self._reached}: {what}: {reason}") from refusal
        except OSError as error:
            raise TransferFailed(f"{self._reached}: {what}: {error.strerror}") from error

    def _put_by_cat(self, file: BufferedReader, part: str, target: str, mode: int, deadline: Deadline) -> None:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        size = file.tell()
        file.seek(0)
        argv = ["sh", "-c", _TAKE, "sh", part, target, f"{mode:o}", str(size), digest]
        code, said = self._run(argv, deadline.left(), iter(lambda: file.read(1 << 18), b""), len)
        if code != 0:
            raise _Refused(_last_words(said) or f"the board's cat ended with exit code {code}")

    def _get_by_cat(self, source: str, file: BufferedRandom, deadline: Deadline) -> None:
        about = self.run(["sh", "-c", _ABOUT, "sh", source], timeout_s=deadline.left())
        size, *digest = about.text.split()[:2] or ["0"]
        if about.exit_code != 0:
            raise _Refused(_last_words(about.stderr))
        failed: list[OSError] = []

        def keep(data: bytes) -> None:
            try:
                file.write(data)
            except OSError as error:  # this side's disk, which is no fault of the link
                failed.append(error)

        code, said = self._run(["cat", source], deadline.left(), [], keep)
        if failed:
            raise failed[0]
        if code != 0:
            raise _Refused(_last_words(said) or f"the board's cat ended with exit code {code}")
        file.seek(0)
        got = hashlib.file_digest(file, "sha256").hexdigest()
        if str(file.tell()) != size or digest not in ([], ["-"], [got]):
            raise _Refused("it did not arrive as it is there")

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
        try:
            with atomic(target) as file, self._transfer(what, deadline):
                if sftp := self._files():
                    if not stat.S_ISREG(sftp.stat(source).st_mode or 0):
                        raise OSError(f"{source} is not a file")
                    sftp.getfo(source, file)
                else:
                    self._get_by_cat(source, file, deadline)
        except _Refused as refusal:
            raise TransferFailed(f"{self._reached}: {what}: {refusal}") from refusal
        except OSError as error:
            raise TransferFailed(f"{self._reached}: {what}: {error.strerror}") from error

    def close(self) -> None:
        """See Transport.close."""
        self._closed = True
        for client in reversed(self._clients):
            client.close()

    def _files(self) -> paramiko.SFTPClient | None:
        """The board's SFTP server; None where it has none, and files go over by `cat`."""
        if self._sftp is None and self._has_sftp:
            try:
                self._sftp = paramiko.SFTPClient.from_transport(self._transport)
            except (paramiko.SSHException, EOFError, OSError):  # refused, or what was started ended at once
                if not self._transport.is_active():
                    raise
            self._has_sftp = self._sftp is not None
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


def _put(sftp: paramiko.SFTPClient, file: BufferedReader, part: str, target: str, mode: int, size: int) -> None:
    try:
        sftp.putfo(file, part, file_size=size, confirm=True)
        sftp.chmod(part, mode)
        sftp.posix_rename(part, target)
    except OSError:
        with suppress(OSError):
            sftp.remove(part)
        raise


def _last_words(said: bytes) -> str:
    """The reason in what a program complained: its last line, without the program's name."""
    return (said.decode("utf-8", "replace").strip().splitlines() or [""])[-1].rpartition(": ")[2]


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
