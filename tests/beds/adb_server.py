"""A real adb server, apart from the user's own: its port, its keys, no USB."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from benchbench.transports.adb_server import AdbFailure, AdbServer, adb_program
from benchbench.transports.deadline import Deadline


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class AdbServerProcess:
    """`adb server` as a child process, with a home of its own (its RSA key is made there)."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._process: subprocess.Popen[bytes] | None = None
        self.port = free_port()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def __enter__(self) -> AdbServerProcess:
        # Without USB it listens at once, and sees no phone that somebody has plugged in; no mDNS on the network.
        env = os.environ | {"HOME": str(self._home), "ADB_USB": "0", "ADB_MDNS": "0", "TMPDIR": str(self._home)}
        env.pop("ADB_VENDOR_KEYS", None)
        with (self._home / "adb.log").open("wb") as log:
            self._process = subprocess.Popen(
                [adb_program(), "-P", str(self.port), "nodaemon", "server"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=env,
            )
        server = AdbServer.named(self.address)
        until = Deadline.after(120)
        while True:
            try:
                server.ask("host:version", until)
                return self
            except (OSError, EOFError, AdbFailure):
                if until.passed or self._process.poll() is not None:
                    raise RuntimeError((self._home / "adb.log").read_text()) from None
                time.sleep(0.01)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    def forget_phones(self) -> None:
        """Phones that are gone stay in the server's list for a minute; the next test starts with none."""
        with suppress(OSError, EOFError, AdbFailure):
            AdbServer.named(self.address).ask("host:disconnect:", Deadline.after(5))

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
