"""An open link to a device: run, push, pull, close. Three kinds (adb, ssh, local), one interface."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, assert_never

from benchbench.values.device import Adb, Address, Local, Ssh


@dataclass(frozen=True, slots=True)
class Finished:
    """A command that ended by itself: exit code (128 + n for signal n), and its two streams as bytes.

    Over ADB to a phone without shell v2 the link cannot keep the streams apart: stderr is then in stdout.
    """

    exit_code: int
    stdout: bytes
    stderr: bytes

    @property
    def text(self) -> str:
        return self.stdout.decode("utf-8", "replace")

    @property
    def error_text(self) -> str:
        return self.stderr.decode("utf-8", "replace")


class Transport(Protocol):
    """The seam between the host and a device.

    Every verb raises `LinkLost` when the link goes away under it and `Unreachable` when it was not there.
    `close` may be called from another thread at any time, and more than once; verbs in progress then raise LinkLost.
    One thread uses a transport at a time.
    """

    def run(self, argv: Sequence[str], *, timeout_s: float, stdin: bytes = b"") -> Finished:
        """Run a program and wait for it; no shell reads the arguments.

        Raises Late after `timeout_s`, whether it was silent or chatty, with the program killed on the device (by
        the device itself, should the link be gone by then). Raises TooMuchOutput where it never stops talking.
        """
        ...

    def push(self, source: Path, target: str, *, mode: int = 0o644, timeout_s: float = 600) -> None:
        """Copy one file to the absolute path `target`, whose folder exists; raises TransferFailed with the reason.

        The file appears whole or not at all. The device does that itself, by its own `mv`: `atomic` is this host's.
        """
        ...

    def pull(self, source: str, target: Path, *, timeout_s: float = 600) -> None:
        """Copy one file from the device; `target` appears whole or not at all; raises TransferFailed."""
        ...

    def close(self) -> None: ...


def connect(address: Address, *, timeout_s: float = 20) -> Transport:
    """Open a link; raises Unreachable, Unauthorized or InputError, each with its remedy."""
    match address:
        case Local():
            from benchbench.transports.local import LocalTransport

            return LocalTransport()
        case Ssh():
            from benchbench.transports.ssh import connect_ssh

            return connect_ssh(address, timeout_s=timeout_s)
        case Adb():
            from benchbench.transports.adb import connect_adb

            return connect_adb(address, timeout_s=timeout_s)
        case _:
            assert_never(address)
