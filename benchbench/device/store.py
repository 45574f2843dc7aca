"""Files on a device, addressed by what is in them: pushed once, checked, and then found again for ever."""

from __future__ import annotations

import hashlib
import re
import secrets
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from benchbench.device.agent import Agent, says_full, unusable
from benchbench.transports import Transport
from benchbench.values.errors import InputError, TransferFailed, file_error


def sha256_of(path: Path) -> str:
    """Raises InputError when the file cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise file_error(error, f"{path}: cannot be read") from error


def name_for(sha256: str, path: Path) -> str:
    """The name in the store: the digest, and an ending that some tools look at."""
    ending = path.suffix if re.fullmatch(r"\.[A-Za-z0-9]{1,8}", path.suffix) else ""
    return sha256 + ending


@dataclass(slots=True)
class Store:
    """The store folder of one device; remembers what it has seen there during this session.

    Files arrive in the folder of the session's jobs: what a broken link leaves of one goes with that.
    """

    transport: Transport
    agent: Agent
    folder: str
    device: str
    pushed: list[str] = field(default_factory=list)  # what this session transferred, for the record
    _known: set[str] = field(default_factory=set)
    _tools: dict[Path, bool] = field(default_factory=dict)  # staged once for all trials -> whether executable
    _folders: dict[Path, str] = field(default_factory=dict)  # the same, of folders -> where they are there
    _packed: dict[str, bytes] = field(default_factory=dict)  # the same, of what exists only in memory, by name

    def adopt(self, transport: Transport, agent: Agent) -> None:
        """Use another link; the device may have lost what it held, so it is asked again."""
        self.transport, self.agent = transport, agent
        self._known.clear()

    def stage(self, files: Sequence[Path], *, executable: bool = False) -> tuple[str, ...]:
        """The paths on the device of files of this host, pushing those that it does not hold; raises TransferFailed."""
        wanted = [(path, sha256_of(path)) for path in files]
        targets = [self._target(path, digest) for path, digest in wanted]
        self._known |= self.agent.have([target for target in targets if target not in self._known])
        for (path, digest), target in zip(wanted, targets, strict=True):
            if target not in self._known:
                self._push(path, target, digest, 0o755 if executable else 0o644)
        return tuple(targets)

    def stage_tool(self, path: Path, *, executable: bool = False) -> str:
        """As `stage`, for what all trials of the session use: it is put back by `restore`."""
        self._tools[path] = executable
        return self.stage([path], executable=executable)[0]

    def stage_packed(self, name: str, content: bytes) -> str:
        """As `stage_tool`, for what exists only in memory."""
        self._packed[name] = content
        return self._stage_text(name, content)

    def stage_folder(self, path: Path) -> str:
        """As `stage_tool`, for the files in a folder, which keep their names; the folder's path on the device."""
        files = sorted(file for file in path.iterdir() if file.is_file())
        digests = {file.name: sha256_of(file) for file in files}
        place = str(PurePosixPath(self.folder, hashlib.sha256(repr(digests).encode()).hexdigest()))
        self.transport.run(["mkdir", "-p", place], timeout_s=30)
        wanted = {f"{place}/{file.name}": file for file in files}
        there = self.agent.have(list(wanted))  # whatever was seen before: this is asked once, and after a loss
        for target, file in wanted.items():
            if target not in there:
                self._push(file, target, digests[file.name], 0o755)
        self._folders[path] = place
        return place

    def forget(self, targets: set[str]) -> None:
        """These are no longer there, whatever was seen before."""
        self._known -= targets

    def restore(self) -> None:
        """Stage the tools again where the device lost them, as one with its work folder in memory does."""
        for path, executable in self._tools.items():
            self.stage([path], executable=executable)
        for path in self._folders:
            self.stage_folder(path)
        for name, content in self._packed.items():
            self._stage_text(name, content)

    def stage_one(self, path: Path, digest: str) -> str:
        """As `stage`, for a file whose digest is known: it is read only when it has to travel, and checked then."""
        target = self._target(path, digest)
        if target not in self._known:
            self._known |= self.agent.have([target])
        if target not in self._known:
            if sha256_of(path) != digest:
                raise InputError(f"{path}: is not the file that the run began with", remedy="put it back")
            self._push(path, target, digest, 0o644)
        return target

    def _stage_text(self, name: str, content: bytes) -> str:
        """As `stage`, for a small file that exists only in memory."""
        target = str(PurePosixPath(self.folder, name_for(hashlib.sha256(content).hexdigest(), Path(name))))
        if target in self._known:
            return target
        with tempfile.TemporaryDirectory(prefix="benchbench-") as folder:
            path = Path(folder, PurePosixPath(name).name)
            path.write_bytes(content)
            return self.stage([path])[0]

    def _target(self, path: Path, digest: str) -> str:
        return str(PurePosixPath(self.folder, name_for(digest, path)))

    def _push(self, path: Path, target: str, digest: str, mode: int) -> None:
        temporary = f"{self.agent.jobs}/.{digest[:16]}-{secrets.token_hex(4)}"
        self.transport.push(path, temporary, mode=mode)
        if reason := self.agent.accept(temporary, target, digest, path.stat().st_size, mode):
            if says_full(reason):
                raise unusable(self.device, f"{path.name} does not fit: {reason}")
            raise TransferFailed(f"{self.device}: {path.name} did not arrive whole: {reason}")
        self._known.add(target)
        self.pushed.append(path.name)
