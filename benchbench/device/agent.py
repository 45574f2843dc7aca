"""The host's side of agent.sh: its verbs as calls, its replies as values."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, cast, get_args

from benchbench.transports import Finished, Transport
from benchbench.values.errors import DeviceError, DeviceFull, HoldLost, LinkLost
from benchbench.values.job import Job, JobOutput, Sample
from benchbench.values.key_values import number, pairs

SCRIPT = Path(__file__).with_name("agent.sh")
WAIT_S = 20  # how long the device waits for a job before it answers "still running"
State = Literal["DONE", "RUNNING", "STARTING", "LOST", "ABSENT"]
SERIES = "series."
REFUSED = 75  # the exit code of a verb whose hold no longer counts


@dataclass(frozen=True, slots=True)
class Reply:
    """What `start` and `poll` say: the job's state and, when it ended with an exit code, all that it left."""

    state: State
    tool_s: float | None = None
    began_s: float | None = None  # the device's uptime
    raw: JobOutput | None = None
    before: Mapping[str, str] = field(default_factory=dict)
    after: Mapping[str, str] = field(default_factory=dict)
    now_s: float | None = None  # the device's uptime when it said so
    series: Mapping[str, bytes] = field(default_factory=dict)


def parse_reply(data: bytes, *, limit_s: float) -> Reply:
    """Header lines, an empty line, then the files one after another; raises LinkLost for anything else."""
    header, gap, body = data.partition(b"\n\n")
    values = pairs(header.decode("utf-8", "replace"))
    state = cast("State", values.get("state"))
    if not gap or state not in get_args(State):
        raise LinkLost("the device's answer was cut short")
    if state in {"RUNNING", "STARTING", "ABSENT"} or "rc" not in values:
        return Reply(state)
    files: dict[str, bytes] = {}
    for name, size in ((k.removeprefix("size."), _whole(v)) for k, v in values.items() if k.startswith("size.")):
        files[name], body = body[:size], body[size:]
        if len(files[name]) != size:
            raise LinkLost("the device's answer was cut short")
    started, ended = number(values.get("t0")), number(values.get("t1"))
    tool_s = ended - started if started is not None and ended is not None else None
    code = _whole(values["rc"])
    late = code == 137 and tool_s is not None and tool_s >= limit_s - 0.1
    before, after = (
        pairs(files.pop(f"conditions.{when}", b"").decode("utf-8", "replace")) for when in ("before", "after")
    )
    series = {name.removeprefix(SERIES): files.pop(name) for name in [*files] if name.startswith(SERIES)}
    raw = JobOutput(code, files.pop("out", b""), files.pop("err", b""), files, late)
    return Reply(state, tool_s, started, raw, before, after, number(values.get("now")), series)


def read_series(data: bytes, sources: Sequence[str]) -> tuple[Sample, ...]:
    """What a device sampled of these sources, in order, without a line that was not whole yet."""
    found = []
    for line in data.decode("utf-8", "replace").split("\n")[:-1]:
        uptime, _, rest = line.partition(" ")
        which, _, text = rest.partition(" ")
        uptime_s = number(uptime)
        if uptime_s is not None and which.isdecimal() and 1 <= int(which) <= len(sources):
            found.append(Sample(uptime_s, sources[int(which) - 1], text))
    return tuple(found)


def _whole(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,18}", text):
        raise LinkLost(f"the device's answer is garbled: {text[:80]!r} is no number")
    return int(text)


def folder_name(trial: str) -> str:
    """A job's folder name for a trial id: safe in any file system, and the same for the same trial."""
    readable = re.sub(r"[^A-Za-z0-9._@-]", "_", trial)[-120:].lstrip(".-") or "job"
    return f"{readable}.{hashlib.sha256(trial.encode()).hexdigest()[:8]}"


@dataclass(frozen=True, slots=True)
class Agent:
    """agent.sh at its place on a device, for one hold on it; its jobs are in a folder of their own.

    Raises LinkLost as the transport does, HoldLost when the hold no longer counts, DeviceError when the device cannot.
    """

    transport: Transport
    script: str
    hold: str
    jobs: str
    device: str

    def _run(self, *arguments: str, timeout_s: float = 60, stdin: bytes = b"") -> Finished:
        """Raises LinkLost, which makes the session put it there again, when the script is gone from the device."""
        done = self.transport.run(["sh", self.script, *arguments], timeout_s=timeout_s, stdin=stdin)
        if done.exit_code != 0 and not done.stdout:
            there = self.transport.run(["test", "-s", self.script], timeout_s=30)
            if there.exit_code == 1:
                raise LinkLost(f"{self.device}: the files that were put there are gone")
        return done

    def _ask(self, *arguments: str) -> str:
        return self._run(*arguments).text

    def _call(self, verb: str, *arguments: str, timeout_s: float = 60, stdin: bytes = b"") -> Finished:
        """A verb of the holder."""
        done = self._run(verb, self.hold, *arguments, timeout_s=timeout_s, stdin=stdin)
        if done.exit_code == REFUSED and done.text.endswith("state=REFUSED\n\n"):
            raise HoldLost(f"{self.device}: was restarted, or taken by another controller")
        return done

    def probe(self) -> dict[str, str]:
        return pairs(self._ask("probe"))

    def conditions(self) -> dict[str, str]:
        return pairs(self._call("conditions", self.jobs).text)

    def have(self, files: Sequence[str]) -> set[str]:
        return set(self._ask("have", *files).splitlines()) if files else set()

    def accept(self, temporary: str, final: str, sha256: str, size: int, mode: int) -> str | None:
        """Give a pushed file its name; the reason when it did not arrive whole."""
        done = self._call("accept", temporary, final, sha256, str(size), f"{mode:o}", timeout_s=300)
        return None if done.exit_code == 0 else (done.text + done.error_text).strip() or f"exit code {done.exit_code}"

    def sweep(self) -> None:
        """End our own jobs, and remove what earlier controllers left; those took their jobs' end with the lock."""
        done = self._call("sweep", self.jobs)
        if done.exit_code != 0:
            raise unusable(self.device, f"cannot use {self.jobs}: {done.error_text.strip()}")

    def start(self, name: str, job: Job) -> Reply:
        """Start a job, or find it already started, and wait a while for it."""
        options = [word for file in job.files for word in ("put", file)]
        options += [word for answer in job.answers for word in ("answer", answer)]
        for sampling in job.samples:
            for source in sampling.sources:
                options += ["sample", sampling.name, f"{sampling.interval_s:g}", source]
        for setting in job.settings:
            options += ["set", setting.name, setting.value]
        options += ["conditions"] if job.conditions else []
        argv = [*(["env", *[f"{k}={v}" for k, v in job.env.items()]] if job.env else []), *job.argv]
        limit = str(math.ceil(job.timeout_s))  # whole seconds: not every sleep knows fractions
        words = (self.jobs, name, limit, str(WAIT_S), *options, "--", *argv)
        lines = "".join(f"{text}\n" for text in job.files.values())
        done = self._call("start", *words, timeout_s=90, stdin=lines.encode())
        if done.exit_code != 0:
            raise unusable(self.device, f"cannot start a job: {done.error_text.strip()}")
        return parse_reply(done.stdout, limit_s=job.timeout_s)

    def poll(self, name: str, *, limit_s: float) -> Reply:
        done = self._call("poll", self.jobs, name, str(WAIT_S), timeout_s=90)
        return parse_reply(done.stdout, limit_s=limit_s)

    def end(self, name: str) -> None:
        """Kill a job if it runs, and remove its folder."""
        self._call("end", self.jobs, name)

    def clean(self, workdir: str) -> None:
        """Release the device, with all removed that is ours in the work folder, and that too if it is empty then."""
        done = self._call("clean", workdir, timeout_s=120)
        if done.exit_code != 0:
            raise DeviceError(f"{self.device}: cannot empty {workdir}: {done.error_text.strip()}")

    def unlock(self) -> None:
        """Release the device, with our jobs ended and removed."""
        self._call("unlock", self.jobs, timeout_s=15)


def no_room(device: str) -> str:
    """The remedy where a work folder takes nothing more."""
    clean = f"`benchbench devices --clean {device}` empties it"
    return f"is the device's work folder full or read-only? {clean}, `workdir` moves it"


def says_full(text: str) -> bool:
    """Whether a device or a program there says that its disk has no room left."""
    return any(words in text for words in ("No space left on device", "Disk quota exceeded"))


def unusable(device: str, said: str) -> DeviceError:
    """The error of a device whose work folder cannot be used, by what it said."""
    return (DeviceFull if says_full(said) else DeviceError)(f"{device}: {said.strip()}", remedy=no_room(device))
