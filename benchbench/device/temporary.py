"""Folders on a device for as long as a case needs them: the inputs of a launch, what a delegate compiles."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchbench.device.agent import unusable
from benchbench.device.session import Session
from benchbench.device.store import Store

# Each file below the folder $1, and how many there are: not every find says that what it called has failed.
LIST_FILES = 'find "$1" -type f -exec stat -c "%s %i %y %n" {} +; find "$1" -type f | wc -l'


@dataclass(frozen=True, slots=True)
class FileState:
    """A file of the device at one time: `mark` is another one after whatever was written to it."""

    size: int  # bytes
    mark: str


@dataclass(frozen=True, slots=True)
class TemporaryFolder:
    """A folder beside the jobs of a session, where a sweep finds it too. Its verbs raise as `Session.run` does."""

    session: Session
    name: str

    @property
    def path(self) -> str:
        return f"{self.session.agent.jobs}/{self.name}"

    def make(self) -> str:
        """Make it, empty; its path on the device."""
        made = self.session.surviving(lambda: self.session.transport.run(["mkdir", "-p", self.path], timeout_s=30))
        if made.exit_code != 0:
            raise unusable(self.session.device.name, f"cannot make {self.path}: {made.error_text.strip()}")
        return self.path

    def put(self, files: Sequence[Path]) -> tuple[str, ...]:
        """Put files of this host into it; their paths on the device."""
        session = self.session

        def push() -> tuple[str, ...]:
            session.transport.run(["mkdir", "-p", self.path], timeout_s=30)
            return Store(session.transport, session.agent, self.path, session.device.name).stage(files)

        return session.surviving(push)

    def files(self) -> Mapping[str, FileState] | None:
        """The files in it and below, by path; None where the device's tools cannot tell."""
        asked = ["sh", "-c", LIST_FILES, "sh", self.path]
        done = self.session.surviving(lambda: self.session.transport.run(asked, timeout_s=30))
        return read_files(done.text, self.path)

    def remove(self) -> None:
        """Remove it with all that is in it."""
        self.session.surviving(lambda: self.session.agent.end(self.name))


def read_files(text: str, folder: str) -> Mapping[str, FileState] | None:
    """What `LIST_FILES` said: size, inode and time of the last change, path; None where it did not say it of all."""
    found = re.findall(r"^(\d+) (\d+ .+?) " + re.escape(folder) + r"/(.+)$", text, re.MULTILINE)
    files = {name: FileState(int(size), mark) for size, mark, name in found}
    return files if text.split("\n")[-2:][0].strip() == str(len(files)) else None
