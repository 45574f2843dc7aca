"""`make bench`: what the harness costs.

Each of this machine, a board over SSH and a phone over ADB (both on loopback) runs the same trials of at least two
seconds. For each link, three figures side by side: of a run of the harness, timed from opening the devices to the last
outcome on disk without the report; of a plain shell loop that starts the very same command once for each launch, by
itself, by `ssh` or by `adb shell`; and of that loop with the device's conditions read after each launch, as a run does,
by one more of these. A run of all three spends this machine's time inside the tool after that of the slower of the
others, since this machine's trials run alone. A short run before them loads the controller's libraries. First of all,
what the agent costs the device while a job runs, waiting and sampling.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchbench.analysis.intervals import median_interval
from benchbench.config.matrix import load_matrix
from benchbench.device.agent import SCRIPT, parse_reply
from benchbench.device.lock import Hold
from benchbench.execution.selection import Selection
from benchbench.pipeline import run_matrix
from benchbench.run_folder.journal import read_outcomes
from benchbench.transports.adb import AdbTransport
from benchbench.transports.local import LocalTransport
from benchbench.transports.ssh import SshTransport
from benchbench.values.device import Device, Local
from benchbench.values.job import JobOutput
from benchbench.values.key_values import pairs
from tests.beds.adb_server import AdbServerProcess
from tests.beds.namespaces import be_another_machine, can_mount
from tests.beds.phone import Phone
from tests.beds.sshd import Board
from tests.bench_loop import Loop, reach

MODEL = Path(__file__).parents[1] / "benchbench" / "demo" / "fashion_mnist" / "fashion_mnist_float32.tflite"
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "20"))
TRIAL_S = 2.15  # of inferences: some 2.3 inside the tool, with what it does before
JOB_S = 10  # of the job that the agent waits for
PAIRS = 20  # of launches with and without a sampler
# Some two seconds of computing, which says itself how long it took, and how long of that it had its core.
WORK = (
    sys.executable,
    "-c",
    "from time import perf_counter, process_time; wall, own = perf_counter(), process_time(); sum(range(10**8)); "
    "print(perf_counter() - wall, process_time() - own)",
)
MATRIX = f"""
name = "overhead"
delegates = ["xnnpack"]
[[model]]
family = "fashion_mnist"
variants = "{MODEL}"
[measure]
rounds = {{rounds}}
canary = false
runs = 1
min_seconds = {{seconds}}
warmup_runs = 1
warmup_min_seconds = 0
"""


@dataclass
class Verbs:
    """What goes over the links: how often each verb of a transport was called, and the last start of a job."""

    counts: Counter[str] = field(default_factory=Counter)
    start: Sequence[str] = ()
    files: bytes = b""  # that were sent with it

    @contextlib.contextmanager
    def counted(self) -> Iterator[None]:
        kinds = (LocalTransport, SshTransport, AdbTransport)
        before = [(kind, name, getattr(kind, name)) for kind in kinds for name in ("run", "push", "pull")]
        for kind, name, verb in before:
            setattr(kind, name, self._counting(name, verb))
        try:
            yield
        finally:
            for kind, name, verb in before:
                setattr(kind, name, verb)

    def _counting(self, name: str, verb: Any) -> Any:
        def call(transport: Any, *arguments: Any, **more: Any) -> Any:
            argv: Sequence[str] = arguments[0] if name == "run" else ()
            agents = len(argv) > 2 and str(argv[1]).endswith(".sh")
            self.counts[argv[2] if agents else Path(argv[0]).name if argv else name] += 1
            if agents and argv[2] == "start":
                self.start, self.files = argv, more.get("stdin", b"")
            return verb(transport, *arguments, **more)

        return call


def harness(
    folder: Path, devices: list[Device], verbs: Verbs, rounds: int = ROUNDS, trial_s: float = TRIAL_S
) -> tuple[float, float, float]:
    """Wall-clock of one run, the seconds inside the tool that nothing ran beside, and the mean of a trial outside."""
    path = folder / "matrix.toml"
    path.write_text(MATRIX.format(rounds=rounds, seconds=trial_s))
    matrix = load_matrix(path)
    began = time.monotonic()
    with verbs.counted():
        run = run_matrix(matrix, devices, reports=folder / "reports", selection=Selection(seed=0))
    wall = time.monotonic() - began
    inside: dict[str, float] = defaultdict(float)
    outside = []
    for outcome in read_outcomes(run):
        assert outcome.status == "ok", outcome.error
        assert outcome.tool_s is not None
        assert outcome.wall_s is not None
        inside[outcome.device] += outcome.tool_s
        outside.append(outcome.wall_s - outcome.tool_s)
    here = {device.name for device in devices if isinstance(device.address, Local)}
    away = [seconds for name, seconds in inside.items() if name not in here]
    return wall, sum(inside[name] for name in here) + max(away, default=0), statistics.mean(outside)


class OwnAgent:
    """The agent in this machine's sh, without a transport.

    To be used while this process has no children, for it waits for them all.
    """

    def __init__(self, folder: Path) -> None:
        # What outlives its parent becomes a child of this process, so that its CPU time is counted when it is reaped.
        ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER
        token = secrets.token_hex(4)
        said = pairs(self._agent("lock", "900", f"{token} by=bench").decode())
        self._hold = Hold(said["number"], token, said["boot"])
        self._jobs = self._hold.jobs(str(folder))
        self._agent("sweep", self._hold.name, self._jobs)
        self._count = 0

    def run(self, *options: str, job: Sequence[str]) -> JobOutput:
        self._count += 1
        words = (self._jobs, f"job{self._count}", "60", "20", *options, "--", *job)
        reply = parse_reply(self._agent("start", self._hold.name, *words), limit_s=60)
        assert reply.raw is not None, reply
        return reply.raw

    def cost_ms(self, *options: str, job: Sequence[str]) -> float:
        """Milliseconds of CPU of all processes that come of a job."""
        before = _children_ms()
        self.run(*options, job=job)
        return _children_ms() - before

    def close(self) -> None:
        self._agent("unlock", self._hold.name, self._jobs)
        ctypes.CDLL(None).prctl(36, 0, 0, 0, 0)

    def _agent(self, *arguments: str) -> bytes:
        done = subprocess.run(["sh", str(SCRIPT), *arguments], capture_output=True, start_new_session=True, check=True)
        with contextlib.suppress(ChildProcessError):
            while True:
                os.waitpid(-1, 0)
        return done.stdout


def _children_ms() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (used.ru_utime + used.ru_stime) * 1000


def agent_alone(folder: Path) -> None:
    """What the agent costs beside a job: starting it, waiting for it, sampling meanwhile."""
    agent = OwnAgent(folder)
    sampler = [word for file in ("/proc/loadavg", "/proc/uptime") for word in ("sample", "bench", "1", file)]
    try:
        quick = statistics.median(agent.cost_ms("conditions", job=["true"]) for _ in range(5))
        waits = agent.cost_ms("conditions", job=["sleep", str(JOB_S)]) - quick
        samples = agent.cost_ms("conditions", *sampler, job=["sleep", str(JOB_S)]) - quick - waits
        taken = _taken_by(sampler, agent)
    finally:
        agent.close()
    print(f"agent      {quick:.1f} ms of CPU for a job that is over at once, {waits:.1f} ms more for one of {JOB_S} s")
    middle, ends = statistics.median(taken), median_interval(taken)
    assert ends is not None
    share = f"{middle:+.2%} [{ends.low:+.2%}, {ends.high:+.2%}]"
    print(
        f"sampler    {samples:.1f} ms of CPU in {JOB_S} s of two files at 1 Hz = {samples / JOB_S / 1000:.2%} of a core"
    )
    print(
        f"           keeps a job of 2 s off the core that they share for {share} of its time ({PAIRS} pairs)",
        flush=True,
    )


def _taken_by(sampler: Sequence[str], agent: OwnAgent) -> list[float]:
    """For how much longer a job does not have its core under a sampler, as a share of its own CPU time, pair by pair.

    Job, agent and sampler have one core between them, as where all cores of a device are at work. What changes the
    speed of that core changes the job's own time too, and so is not in the share.
    """
    both: dict[tuple[str, ...], list[float]] = {(): [], tuple(sampler): []}
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(cores)})
    try:
        for number in range(PAIRS):
            for options in sorted(both, reverse=bool(number % 2)):  # in turn first
                wall_s, own_s = map(float, agent.run(*options, job=WORK).stdout.split())
                both[options].append(wall_s / own_s)
    finally:
        os.sched_setaffinity(0, cores)
    without, under = both.values()
    return [one - other for one, other in zip(under, without, strict=True)]


def beside(loop: Loop) -> None:
    """The launches of a run by a plain loop, and by one that reads conditions after each, as a run does."""
    with loop.reading() as reading:
        for title, then in (("loop", ()), ("and reads", reading)):
            wall, inside = loop.run(ROUNDS, then)
            told = f"{wall:6.2f} s / tool {inside:6.2f} s = {wall / inside:.3f}"
            ms = (wall - inside) / ROUNDS * 1000
            print(f"{'':<10} {title} {told}; {ms:.0f} ms of a launch outside the tool", flush=True)


def main() -> None:
    if can_mount():
        be_another_machine()
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        for name in ("board", "phone", "adb"):
            (folder / name).mkdir(mode=0o755)
        agent_alone(folder / "agent")
        server = stack.enter_context(AdbServerProcess(folder / "adb"))
        os.environ["ANDROID_ADB_SERVER_PORT"] = str(server.port)
        board = stack.enter_context(Board(folder / "board"))
        phone = stack.enter_context(Phone(folder / "phone"))

        def devices_in(place: str) -> list[Device]:
            return [
                Device(name="host", address=Local(), workdir=str(folder / "host" / place)),
                Device(name="board", address=board.address, workdir=f"{board.workdir}/{place}", python=sys.executable),
                Device(name="phone", address=phone.address, workdir=f"{phone.workdir}/{place}", python=sys.executable),
            ]

        wall, inside, _ = harness(folder, devices_in("first"), Verbs(), rounds=1, trial_s=0)
        print(f"{'first':<10} run  {wall:6.2f} s / tool {inside:6.2f} s: one short trial on each, libraries loaded")
        host, ssh, adb = devices_in("w")
        for title, devices in (("local", [host]), ("ssh", [ssh]), ("adb", [adb]), ("all three", [host, ssh, adb])):
            verbs = Verbs()
            wall, inside, outside = harness(folder, devices, verbs)
            told = f"{wall:6.2f} s / tool {inside:6.2f} s = {wall / inside:.3f}"
            print(f"{title:<10} run  {told}; {outside * 1000:.0f} ms of a trial outside the tool", flush=True)
            if len(devices) == 1:
                beside(Loop(reach(devices[0], server.port), verbs.start, verbs.files))
                print(f"{'':<10} verbs of {ROUNDS} trials and what comes before: {dict(verbs.counts.most_common())}")


if __name__ == "__main__":
    main()
