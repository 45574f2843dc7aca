"""The launches of a run again, by a plain shell loop: what `make bench` holds the harness against."""

from __future__ import annotations

import secrets
import shlex
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import PurePosixPath

from benchbench.device.lock import Hold
from benchbench.transports.adb_server import adb_program
from benchbench.values.device import Adb, Device, Local, Ssh
from benchbench.values.key_values import pairs

# One launch of the loop: the command, timed on the device by the clock that the agent reads.
TIMED = 'read a b < /proc/uptime; "$@" > /dev/null 2>&1; read c d < /proc/uptime; echo $a $c'


@dataclass(frozen=True)
class Loop:
    """A shell loop on this host, with one process of `reach` for each command."""

    reach: tuple[str, ...]  # the program that takes a command to the device, with its arguments; none for this machine
    start: Sequence[str]  # what began a job there: sh agent.sh start HOLD JOBS NAME LIMIT WAIT OPTIONS -- ARG...
    file: bytes  # what was sent with it: one file at most

    def run(self, launches: int, then: Sequence[str] = ()) -> tuple[float, float]:
        """Wall-clock, and the seconds inside the tool; `then` is a command of its own after each launch."""
        folder = shlex.quote(f"{self._workdir}/loop")
        options, argv = self.start[8 : self.start.index("--")], self.start[self.start.index("--") + 1 :]
        (name,) = [options[at + 1] for at, word in enumerate(options) if word == "put"]
        self._once(f"mkdir -p {folder}; cd {folder}; cat > {shlex.quote(name)}", self.file)
        launch = self._reached(f"cd {folder}; {shlex.join(['sh', '-c', TIMED, 'sh', *argv])}")
        also = f"{self._reached(shlex.join(then))} > /dev/null || exit; " if then else ""
        began = time.monotonic()
        said = _shell(f"k=0; while [ $k -lt {launches} ]; do {launch} || exit; {also}k=$((k + 1)); done")
        wall = time.monotonic() - began
        times = [line.split() for line in said.splitlines()]
        assert len(times) == launches, said
        return wall, sum(float(after) - float(before) for before, after in times)

    @contextmanager
    def reading(self) -> Iterator[Sequence[str]]:
        """The command that reads the device's conditions as a run does; the device is held meanwhile."""
        agent, token = self.start[:2], secrets.token_hex(4)
        said = pairs(self._once(shlex.join([*agent, "lock", "900", f"{token} by=bench"])))
        hold = Hold(said["number"], token, said["boot"])
        own = (hold.name, hold.jobs(self._workdir))
        self._once(shlex.join([*agent, "sweep", *own]))
        try:
            yield (*agent, "conditions", *own)
        finally:
            self._once(shlex.join([*agent, "unlock", *own]))

    @property
    def _workdir(self) -> str:
        return str(PurePosixPath(self.start[4]).parents[1])

    def _once(self, command: str, stdin: bytes = b"") -> str:
        return _shell(self._reached(command), stdin)

    def _reached(self, command: str) -> str:
        return shlex.join([*self.reach, command] if self.reach else ["sh", "-c", command])


def _shell(script: str, stdin: bytes = b"") -> str:
    return subprocess.run(["sh", "-c", script], input=stdin, check=True, capture_output=True).stdout.decode()


def reach(device: Device, adb_port: int) -> tuple[str, ...]:
    match device.address:
        case Ssh(host=host, port=port, user=user, key=key, config=config):
            return ("ssh", "-F", str(config), "-i", str(key), "-p", str(port), "-l", str(user), host)
        case Adb(serial=serial):
            return (adb_program(), "-P", str(adb_port), "-s", serial, "shell")
        case Local():
            return ()
