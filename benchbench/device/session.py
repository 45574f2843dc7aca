"""A session with one device: everything between "there is an address" and "here is what the job left"."""

from __future__ import annotations

import contextlib
import functools
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import TypeVar

from benchbench.device.agent import Agent, Reply, read_series
from benchbench.device.clock import when
from benchbench.device.faults import left_by
from benchbench.device.lock import STALE_S, Claim, Hold
from benchbench.device.probe import read_probe
from benchbench.device.store import Store, sha256_of
from benchbench.device.work_folder import prepare
from benchbench.transports import Transport, connect
from benchbench.values.device import Device, Traits
from benchbench.values.errors import (
    BenchbenchError,
    DeviceError,
    HoldLost,
    JobGone,
    LinkLost,
    TransferFailed,
    Unreachable,
)
from benchbench.values.job import Job, JobResult, RawConditions
from benchbench.values.key_values import number

T = TypeVar("T")
POLL_GRACE_S = 30  # a device may be slow to write the last bytes of a job that reached its limit
FEW_BYTES = 200_000  # that a job may leave on the device until the next one begins
LOSSES = 5  # of the link under one and the same verb; then the verb is what breaks it


@dataclass(slots=True)
class Session:
    """An open session; one thread uses it, any thread may `cancel` it.

    The device refuses its verbs once its hold no longer counts; then it is taken anew, or DeviceBusy says who has it.
    `patience_s` is how long a lost device is waited for; a device that did not come back is waited for less each time.
    """

    device: Device
    transport: Transport
    agent: Agent
    store: Store
    claim: Claim
    hold: Hold
    workdir: str
    patience_s: float
    notes: list[str] = field(default_factory=list)
    libraries: Mapping[str, str] = field(default_factory=dict)  # as in the device's file; those sent, where they are
    cancelled: threading.Event = field(default_factory=threading.Event)
    _patience_left_s: float = 0
    _collected: str = ""  # the job whose result was taken, and whose name would find it again
    _last: RawConditions | None = None
    _seen: set[str] = field(default_factory=set)

    def probe(self) -> Traits:
        return read_probe(self.agent.probe())

    def reading(self) -> RawConditions:
        """What the device tells of itself at this instant."""
        values = self.surviving(lambda: self.agent.conditions())  # noqa: PLW0108 - the agent of then
        return self._dated(values, number(values.get("uptime")))

    def cancel(self) -> None:
        """End what is under way, from another thread: verbs in progress raise LinkLost and are not tried again."""
        self.cancelled.set()
        self.transport.close()

    def release(self) -> None:
        """Leave nothing running and release the device; over a new link when the old one was cut by `cancel`."""
        if self.cancelled.is_set():
            transport = connect(self.device.address, timeout_s=5)
            prepare(self.device, transport)
            self._adopt(transport)
            self._unlock()
            return
        try:
            self.surviving(self._unlock)
        except JobGone:  # over the new link it was taken anew, as after a restart
            self._unlock()

    def _unlock(self) -> None:
        with contextlib.suppress(HoldLost):  # what is not ours any more needs no giving back, nor to be taken for it
            self.agent.unlock()

    def stage(self, path: Path, sha256: str | None = None) -> str:
        """The path on the device of a file of this host; with a digest, of none but the very file that had it.

        Raises InputError when it is another by now, TransferFailed.
        """
        return self.surviving(lambda: self.store.stage_one(path, sha256 or sha256_of(path)))

    def stage_library(self, path: Path) -> str:
        """The path on the device of a library of this host, or of a folder of them; put there as the tools are."""

        def put() -> str:
            return self.store.stage_folder(path) if path.is_dir() else self.store.stage_tool(path)

        return self.surviving(put)

    def has(self, path: str) -> bool:
        """Whether a file that is not ours is there; a file once seen is taken to stay for as long as the link holds."""

        def look() -> bool:
            return self.transport.run(["test", "-e", path], timeout_s=30).exit_code == 0

        if path not in self._seen and self.surviving(look):
            self._seen.add(path)
        return path in self._seen

    def restore(self, staged: Sequence[str]) -> set[str]:
        """Which of these files, and of the libraries that were sent, are gone from the device.

        Tools and libraries are put back, others when they are staged again.
        """
        sent = [place for place in self.libraries.values() if place.startswith(f"{self.store.folder}/")]
        wanted = [*staged, *sent]

        def look() -> set[str]:
            lost = set(wanted) - self.agent.have(wanted)
            if lost:
                self.store.forget(lost)
                self.store.restore()
            return lost

        return self.surviving(look)

    def run(self, name: str, job: Job, *, outputs_to: Path) -> JobResult:
        """Run a job to its end, through lost links: found again by its name it is neither lost nor repeated.

        Raises DeviceError when the device cannot, JobGone when it was restarted or another's for a while, DeviceBusy
        when it is another's, LinkLost when it did not come back, TransferFailed.
        """
        retries: list[str] = []
        if self._collected == name:
            self.surviving(lambda: self.agent.end(name), retries)
        self._collected = ""

        reply = self.surviving(lambda: self.agent.start(name, job), retries)
        deadline = time.monotonic() + job.timeout_s + POLL_GRACE_S
        while reply.state in {"RUNNING", "STARTING"}:
            if time.monotonic() > deadline:
                self.surviving(lambda: self.agent.end(name), retries)
                raise DeviceError(f"{self.device.name}: the job outlived its limit of {job.timeout_s:g} s")
            reply = self.surviving(lambda: self.agent.poll(name, limit_s=job.timeout_s), retries)
        result = self._finish(name, reply, job, outputs_to, retries)
        self._collected = name  # what it left goes with the next start, or when the device is released
        if result.outputs or result.raw.exit_code != 0 or result.raw.size > FEW_BYTES:
            with contextlib.suppress(DeviceError):  # the result is here
                self.agent.end(name)
                self._collected = ""
        return result

    def _finish(self, name: str, reply: Reply, job: Job, outputs_to: Path, retries: list[str]) -> JobResult:
        try:
            raw = left_by(self.device.name, reply)
        except DeviceError:
            self.surviving(lambda: self.agent.end(name), retries)
            raise
        folder = PurePosixPath(self.agent.jobs, name)
        pulled: list[Path] = []
        # A job that failed wrote no outputs, and its answer says why.
        for output in job.outputs if raw.exit_code == 0 else ():
            outputs_to.mkdir(parents=True, exist_ok=True)
            target = outputs_to / output
            self.surviving(functools.partial(self._pull, str(folder / output), target), retries)
            pulled.append(target)
        return JobResult(
            raw.without(self.device.env),
            tool_s=reply.tool_s,
            began_s=reply.began_s,
            began=None if reply.began_s is None else when(reply.began_s, reply.now_s),
            outputs=tuple(pulled),
            retries=tuple(retries),
            before=self._dated(reply.before, reply.now_s) if reply.before else None,
            after=self._dated(reply.after, reply.now_s) if reply.after else None,
            samples={s.name: read_series(reply.series.get(s.name, b""), s.sources) for s in job.samples},
        )

    def _dated(self, values: Mapping[str, str], now_s: float | None) -> RawConditions:
        """A reading with its time by this host's clock, which has been told when it is `now_s` on the device.

        Of one that serves two jobs, as the last of the one and the first of the other, only its time comes again.
        """
        if self._last is None or self._last.values.get("uptime") != values.get("uptime"):
            self._last = RawConditions(when(number(values.get("uptime")), now_s), values)
        return self._last

    def _pull(self, source: str, target: Path) -> None:
        self.transport.pull(source, target)  # by the transport of the moment, which a reconnection replaces

    def surviving(self, verb: Callable[[], T], retries: list[str] | None = None) -> T:
        """The verb's answer, reconnecting when the link is lost for as long as patience lasts; `retries` is told of it.

        A device that had to be taken anew has nothing any more of what the caller did there: raises JobGone.
        """
        for left in reversed(range(LOSSES)):
            try:
                return verb()
            except HoldLost:
                if not left:
                    raise
                self._take_again(self.transport)
            except (LinkLost, Unreachable) as error:  # over ADB, what went away between two verbs was not there
                if self.cancelled.is_set() or not left:
                    raise
                if retries is not None:
                    retries.append(str(error))
                self._reconnect(error)
        raise AssertionError("the last loss was raised")

    def _reconnect(self, lost: LinkLost | Unreachable) -> None:
        """Wait for the device and take it again; raises Unreachable when it did not come back."""
        self.transport.close()
        deadline = time.monotonic() + self._patience_left_s
        while not self.cancelled.is_set():
            try:
                transport = connect(self.device.address, timeout_s=min(20, max(3, self._patience_left_s)))
                try:
                    self._take_again(transport)
                finally:
                    if transport is not self.transport:
                        transport.close()
                break
            except (Unreachable, LinkLost, TransferFailed) as error:
                self.transport.close()  # it may have got as far as a link
                if time.monotonic() > deadline:
                    self._patience_left_s /= 4
                    raise Unreachable(f"{self.device.name} went away and did not come back: {error}") from lost
                self.cancelled.wait(0.5)
        if self.cancelled.is_set():
            self.transport.close()
            raise lost

    def _take_again(self, transport: Transport) -> None:
        """Use this link for everything, if the device is still ours or can be had again.

        Raises DeviceBusy when it is another's by now, and JobGone when it is ours anew.
        """
        prepare(self.device, transport)  # a work folder in memory is gone after a restart
        before = self.hold
        self.hold, notes = self.claim.take(transport, self.agent.script, self.device.name)
        self.notes += notes
        self._adopt(transport)
        anew = self.hold != before
        if anew:
            self.agent.sweep()
        else:
            transport.run(["mkdir", "-p", self.agent.jobs], timeout_s=30)
        self.store.restore()
        if anew:
            why = "the device was restarted" if self.hold.boot != before.boot else "another controller had the device"
            raise JobGone(f"{self.device.name}: {why} in between: what ran there is gone")

    def _adopt(self, transport: Transport) -> None:
        self.transport = transport
        self._patience_left_s = self.patience_s
        self.agent = replace(self.agent, transport=transport, hold=self.hold.name, jobs=self.hold.jobs(self.workdir))
        self.store.adopt(transport, self.agent)
        self._seen.clear()


@contextlib.contextmanager
def open_session(
    device: Device, *, purpose: str = "benchbench", patience_s: float = 60, stale_s: int = STALE_S
) -> Iterator[Session]:
    """Reach a device, take it, and sweep what earlier controllers left; gives it back at the end.

    `purpose` is what others are told that the device is used for. Another controller's hold is broken when it gave no
    sign of life for `stale_s`. Raises Unreachable, Unauthorized, DeviceBusy, DeviceError.
    """
    transport = connect(device.address)
    try:
        workdir, script = prepare(device, transport)
        claim = Claim.new(purpose, stale_s)
        hold, notes = claim.take(transport, script, device.name)
        agent = Agent(transport, script, hold.name, hold.jobs(workdir), device.name)
        store = Store(transport, agent, f"{workdir}/store", device.name)
        session = Session(device, transport, agent, store, claim, hold, workdir, patience_s, notes)
        session._patience_left_s = patience_s
    except BaseException:
        transport.close()
        raise
    try:
        agent.sweep()
        yield session
    finally:
        with contextlib.suppress(BenchbenchError):
            session.release()
        session.transport.close()
