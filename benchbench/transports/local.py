"""This machine: programs in sessions of their own, files copied."""

from __future__ import annotations

import os
import select
import selectors
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from benchbench.transports import Finished
from benchbench.transports.output_limit import OutputLimit
from benchbench.values.atomic import atomic
from benchbench.values.errors import Late, LinkLost, TransferFailed

_CHUNK = 1 << 20
# While a file is being written, a child forked by another thread holds it open too, and running it fails with ETXTBSY.
_writing_or_forking = threading.Lock()


class LocalTransport:
    """The link to the machine benchbench runs on; what runs is killed by session, as on the other devices."""

    def __init__(self) -> None:
        self._closed = False
        self._running: subprocess.Popen[bytes] | None = None

    def run(self, argv: Sequence[str], *, timeout_s: float, stdin: bytes = b"") -> Finished:
        """See Transport.run."""
        self._check_open()
        try:
            with _writing_or_forking:
                process = subprocess.Popen(
                    argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
                )
        except OSError as error:  # in a shell's words and exit codes, as the other links report it
            code = 127 if isinstance(error, FileNotFoundError) else 126
            return Finished(code, b"", f"{argv[0]}: {error.strerror}\n".encode())
        self._running = process
        if self._closed:  # meanwhile, by a thread that did not see it run yet
            kill_session(process.pid)
        try:
            return self._wait(process, argv[0], timeout_s, stdin)
        finally:
            self._running = None

    def _wait(self, process: subprocess.Popen[bytes], program: str, timeout_s: float, stdin: bytes) -> Finished:
        try:
            stdout, stderr = _communicate(process, stdin, timeout_s, OutputLimit("local", program))
        except subprocess.TimeoutExpired:
            kill_session(process.pid)
            raise Late(f"local: {program} was killed after {timeout_s:g} s") from None
        except BaseException:
            kill_session(process.pid)
            raise
        finally:
            _release(process)
        self._check_open()
        code = process.returncode
        return Finished(code if code >= 0 else 128 - code, stdout, stderr)

    def push(self, source: Path, target: str, *, mode: int = 0o644, timeout_s: float = 600) -> None:
        """See Transport.push."""
        self._copy(source, Path(target), mode)

    def pull(self, source: str, target: Path, *, timeout_s: float = 600) -> None:
        """See Transport.pull."""
        self._copy(Path(source), target, 0o644)

    def close(self) -> None:
        """See Transport.close."""
        self._closed = True
        if process := self._running:
            kill_session(process.pid)

    def _check_open(self) -> None:
        if self._closed:
            raise LinkLost("local: the link was closed")

    def _copy(self, source: Path, target: Path, mode: int) -> None:
        self._check_open()
        try:
            with _writing_or_forking, source.open("rb") as file, atomic(target, mode=mode) as copy:
                shutil.copyfileobj(file, copy, _CHUNK)
        except OSError as error:
            raise TransferFailed(f"local: {source} to {target}: {error.strerror}") from error


def kill_session(session: int) -> None:
    """End every process of a session; a program's children may have made process groups of their own."""
    for _ in range(3):  # a scan sees one instant: again, for what was being forked meanwhile
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with suppress(OSError):
                if stat.read_bytes().rpartition(b") ")[2].split()[3] == str(session).encode():
                    os.kill(int(stat.parent.name), signal.SIGKILL)
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(session, signal.SIGKILL)  # where there is no /proc


def _communicate(
    process: subprocess.Popen[bytes], stdin: bytes, timeout_s: float, limit: OutputLimit
) -> tuple[bytes, bytes]:
    """As Popen.communicate, which would keep whatever a program says; raises TimeoutExpired and TooMuchOutput."""
    assert process.stdin is not None  # noqa: S101 - all three are pipes
    assert process.stdout is not None  # noqa: S101
    assert process.stderr is not None  # noqa: S101
    until, waiting = time.monotonic() + timeout_s, memoryview(stdin)
    said = {process.stdout.fileno(): bytearray(), process.stderr.fileno(): bytearray()}
    with selectors.DefaultSelector() as selector:
        for descriptor in said:
            selector.register(descriptor, selectors.EVENT_READ)
        selector.register(process.stdin, selectors.EVENT_WRITE)
        while selector.get_map():
            ready = selector.select(max(0.0, until - time.monotonic()))
            if not ready and time.monotonic() >= until:
                raise subprocess.TimeoutExpired(process.args, timeout_s)
            for key, _ in ready:
                if key.fileobj is process.stdin:
                    waiting = _write_some(key.fd, waiting)
                    if not waiting:
                        selector.unregister(process.stdin)
                        process.stdin.close()
                elif data := os.read(key.fd, 1 << 18):
                    limit.count(data)
                    said[key.fd] += data
                else:
                    selector.unregister(key.fd)
    process.wait(max(0.0, until - time.monotonic()))
    stdout, stderr = said.values()
    return bytes(stdout), bytes(stderr)


def _write_some(descriptor: int, waiting: memoryview) -> memoryview:
    """What is left to write; nothing where nobody reads."""
    try:
        return waiting[os.write(descriptor, waiting[: select.PIPE_BUF]) :]
    except BrokenPipeError:
        return waiting[:0]


def _release(process: subprocess.Popen[bytes]) -> None:
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream is not None:
            with suppress(OSError):  # a full stdin that nobody read
                stream.close()
    process.wait()
