"""This machine: programs in sessions of their own, files copied."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import threading
import uuid
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from benchbench.errors import Late, LinkLost, TransferFailed
from benchbench.transports import Finished

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
            stdout, stderr = process.communicate(stdin, timeout=timeout_s)
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
        part = target.with_name(f".part-{uuid.uuid4().hex}")
        try:
            with _writing_or_forking:
                shutil.copyfile(source, part)
            part.chmod(mode)
            part.replace(target)
        except OSError as error:
            raise TransferFailed(f"local: {source} to {target}: {error.strerror}") from error
        finally:
            part.unlink(missing_ok=True)


def kill_session(session: int) -> None:
    """End every process of a session; a program's children may have made process groups of their own."""
    for _ in range(3):  # a scan sees one instant: again, for what was being forked meanwhile
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with suppress(OSError):
                if stat.read_bytes().rpartition(b") ")[2].split()[3] == str(session).encode():
                    os.kill(int(stat.parent.name), signal.SIGKILL)
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(session, signal.SIGKILL)  # where there is no /proc


def _release(process: subprocess.Popen[bytes]) -> None:
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream is not None:
            with suppress(OSError):  # a full stdin that nobody read
                stream.close()
    process.wait()
