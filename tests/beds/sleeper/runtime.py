"""The sleeper: its models are text (`scheme = NAME`, `us = NUMBER`), its tool is a shell script."""

from __future__ import annotations

import hashlib
import re
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchbench.device.session import Session
from benchbench.runtimes.base import RecordedLaunch, Runtime, Toolchain
from benchbench.runtimes.tool import LaunchSpec, Runner
from benchbench.values.device import Device, RunnerKind, ToolChoice, Traits
from benchbench.values.errors import InputError
from benchbench.values.job import Job, JobOutput
from benchbench.values.model import ModelInfo, SubgraphInfo
from benchbench.values.outcome import Delegation, LaunchResult, Measurement, Timings

from .backend import Sleep

TOOL = Path(__file__).with_name("sleeper.sh")


@dataclass(frozen=True, slots=True)
class SleepRunner(Runner):
    """The script as a command line, and its lines as timings."""

    kind: RunnerKind = "sleeper"

    def job(self, work: LaunchSpec) -> Job:
        argv = ("sh", work.tool, work.model, str(work.measure.runs))
        return Job(argv=argv, timeout_s=work.measure.timeout_seconds)

    def read(self, work: LaunchSpec, raw: JobOutput) -> LaunchResult:
        result = result_of(raw.stdout.decode())
        if raw.exit_code or result is None:
            return LaunchResult(status="failed", error=raw.stderr.decode("utf-8", "replace").strip() or "no result")
        return result


def result_of(text: str) -> LaunchResult | None:
    """What the lines of one launch say; None where none is of the tool."""
    times = [float(us) for us in re.findall(r"^inference us=(\d+)$", text, re.MULTILINE)]
    if not times:
        return None
    timings = Timings(mean=statistics.fmean(times), median=statistics.median(times), min=min(times), max=max(times))
    measured = Measurement(timings=timings, runs=len(times), threads=1, tool="sleeper.sh")
    took = Delegation(asked="sleep", verdict="full", evidence="nothing else can", fallback="sleep")
    return LaunchResult(status="ok", measurement=measured, delegation=took)


class Sleeper(Runtime):
    """A runtime for .dummy files."""

    title = "Sleeper"
    format = "dummy"
    suffixes = (".dummy",)
    usual_backend = "sleep"
    log_tool = "sleeper.sh"
    backends = {"sleep": Sleep}  # noqa: RUF012 - as the base declares it

    def inspect(self, path: Path) -> ModelInfo:
        text = path.read_text(encoding="utf-8")
        said = dict(re.findall(r"^(\w+) = (\S+)$", text, re.MULTILINE))
        if "us" not in said:
            raise InputError(f"{path} is no .dummy model", remedy="write us = 1000")
        return ModelInfo(
            format=self.format,
            path=str(path),
            size_bytes=len(text.encode()),
            sha256=hashlib.sha256(text.encode()).hexdigest(),
            scheme=said.get("scheme", "float32"),
            inputs=(),
            outputs=(),
            subgraphs=(SubgraphInfo(name="main", ops={"SLEEP": 1}, tensors=0),),
        )

    def presumed_runner(self, device: Device) -> RunnerKind:
        return "sleeper"

    def prepare(self, session: Session, traits: Traits, choice: ToolChoice) -> tuple[Traits, Toolchain]:
        digest = hashlib.sha256(TOOL.read_bytes()).hexdigest()
        return traits, Toolchain(SleepRunner(), session.store.stage_tool(TOOL, executable=True), digest, "1")

    def read_log(self, text: str | bytes) -> Sequence[RecordedLaunch]:
        result = result_of(text if isinstance(text, str) else text.decode("utf-8", "replace"))
        return [] if result is None else [RecordedLaunch(result)]
