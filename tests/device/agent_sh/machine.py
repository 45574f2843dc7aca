"""A machine with a shell of its own, on which agent.sh is called as a device would run it."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from benchbench.device.agent import SCRIPT, Reply, parse_reply
from benchbench.device.lock import Hold
from benchbench.values.key_values import pairs
from tests.beds.waiting import becomes_true


@dataclass(frozen=True)
class Machine:
    """A folder to work in, and a PATH on which `sh` is the shell; `hold` is what it is held by."""

    folder: Path
    path: str
    hold: Hold | None = None

    @property
    def jobs(self) -> str:
        assert self.hold is not None
        return self.hold.jobs(str(self.folder))

    def lock(self, claim: str, stale_s: int = 900, *more: str) -> dict[str, str]:
        return pairs(self.agent("lock", str(stale_s), claim, *more).decode())

    def take(self, claim: str, stale_s: int = 900, *more: str) -> Hold:
        said = self.lock(claim, stale_s, *more)
        assert said["state"] == "taken", said
        return Hold(said["number"], claim.split(maxsplit=1)[0], said["boot"])

    def verb(self, verb: str, *arguments: str, expect: int | None = 0, stdin: bytes = b"") -> bytes:
        """A verb of the holder's."""
        assert self.hold is not None
        return self.agent(verb, self.hold.name, *arguments, expect=expect, stdin=stdin)

    def agent(self, *arguments: str, expect: int | None = 0, stdin: bytes = b"") -> bytes:
        done = subprocess.run(
            ["sh", str(SCRIPT), *arguments],
            env=os.environ | {"PATH": self.path},
            cwd=self.folder,
            input=stdin,
            capture_output=True,
            timeout=60,
            check=False,
            start_new_session=True,
        )
        assert expect in {None, done.returncode}, done
        return done.stdout

    def start(
        self,
        name: str,
        *argv: str,
        limit: str = "30",
        wait: str = "20",
        more: tuple[str, ...] = (),
        answers: tuple[str, ...] = (),
        stdin: bytes = b"",
    ) -> Reply:
        words = (self.jobs, name, limit, wait, *more, *(word for answer in answers for word in ("answer", answer)))
        return parse_reply(self.verb("start", *words, "--", *argv, stdin=stdin), limit_s=float(limit))

    def poll(self, name: str, *, limit: str = "30", wait: str = "20") -> Reply:
        return parse_reply(self.verb("poll", self.jobs, name, wait), limit_s=float(limit))


def gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in {"Z", "X"}
    except OSError:
        return True


def pids(file: Path) -> list[int]:
    assert becomes_true(lambda: file.exists() and file.read_text().endswith("\n"))
    return [int(word) for word in file.read_text().split()]
