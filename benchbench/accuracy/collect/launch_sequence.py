"""Launches of one model on one device that together are one evaluation: each is made once, all on the same path."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from benchbench.accuracy.collect.chunks import Chunk, Chunks, Record
from benchbench.accuracy.outputs import Output
from benchbench.device.agent import folder_name
from benchbench.device.faults import passing_fault
from benchbench.device.session import Session
from benchbench.instruments import measured
from benchbench.instruments.conditions import ConditionsAround
from benchbench.runtimes.tool import LaunchSpec, Runner
from benchbench.values.errors import InputError, LinkLost, ToolError
from benchbench.values.job import Job, JobOutput, JobResult
from benchbench.values.outcome import Delegation, LaunchResult, Measurement

Progress = Callable[[int, int], None]  # samples done, samples in all


class LaunchFailed(ToolError):
    """A launch gave no outputs, or not those that it should."""


@dataclass(frozen=True, slots=True)
class Evaluated:
    """What all launches of an evaluation left; no outputs unless the reading is ok.

    `result` spans the launches, with the tool time of all; `seen` is the device before the first and after the last.
    `said` holds telling ones by name.
    """

    outputs: tuple[Output, ...]
    reading: LaunchResult
    result: JobResult
    seen: Mapping[str, object]
    said: dict[str, tuple[Job, JobOutput]]


@dataclass(slots=True)
class LaunchSequence:
    """Runs the jobs of one evaluation, and remembers what they left."""

    session: Session
    runner: Runner
    name: str
    parts: Chunks
    records: list[Record] = field(default_factory=list)
    said: dict[str, tuple[Job, JobOutput]] = field(default_factory=dict)

    def launch(
        self,
        label: str,
        span: str,
        work_of: Callable[[], LaunchSpec],
        outputs_of: Callable[[JobResult], tuple[Output, ...]],
    ) -> Chunk:
        """One launch for the samples that `span` names, unless an earlier attempt has made it.

        `work_of` puts on the device what it needs; `outputs_of` reads what came back, and raises ValueError or
        InputError for anything but outputs. Raises LaunchFailed, and as a session does.
        """
        if part := self.parts.find(span):
            self.records.append(part.record)
            return part
        if self.session.cancelled.is_set():
            raise LinkLost(f"{self.session.device.name}: the run was cancelled")
        work = work_of()
        job = self.runner.job(work)
        job = replace(job, env={**job.env, **self.session.device.env})
        with tempfile.TemporaryDirectory(prefix="benchbench-") as folder:
            # A job is found again by its name after a fault: the same name is the same inputs.
            own = folder_name(f"{self.name} {span}")
            around = (ConditionsAround(),)
            result, seen = measured(self.session, own, job, outputs_to=Path(folder), instruments=around)
            self.said[label] = job, result.raw
            reading = self.runner.read(work, result.raw)
            record = Record(
                reading=reading,
                tool_s=result.tool_s,
                exit_code=result.raw.exit_code,
                retries=result.retries,
            ).model_copy(update={"before": seen["before"], "after": seen["after"]})
            if reading.status != "ok":
                lost = self.session.restore(work.staged)
                if fault := passing_fault(self.session.device.name, lost, result.raw):
                    raise fault
            self.records.append(record)
            self._check(reading, label)
            try:
                part = Chunk(outputs_of(result), record)
            except (ValueError, InputError) as error:
                raise LaunchFailed(self._said(label, str(error))) from error
        self.parts.keep(span, part)
        return part

    def _check(self, reading: LaunchResult, label: str) -> None:
        """A launch must have ended well, on the same path as all others."""
        expected = self.records[0].reading.delegation
        if reading.status != "ok":
            raise LaunchFailed(self._said(label, str(reading.error)))
        if _taken(reading.delegation) != _taken(expected):
            got = _in_words(reading.delegation)
            why = f"its delegation is {got}, and {_in_words(expected)} in the first launch"
            raise LaunchFailed(self._said(label, why))

    def _said(self, label: str, why: str) -> str:
        """What fails at once has nothing to do with the samples."""
        return why if len(self.records) == 1 else f"launch {len(self.records)} ({label}): {why}"

    def evaluated(self, outputs: tuple[Output, ...], remark: str = "", error: str | None = None) -> Evaluated:
        """An evaluation has no latency: its launches are of other sizes than those that are timed."""
        first, last = self.records[0], self.records[-1]
        told = first.reading.measurement
        warnings = (*told.warnings, remark) if remark else told.warnings
        measurement = Measurement(
            threads=told.threads,
            model_mb=told.model_mb,
            tool=told.tool,
            ops=told.ops,
            cpus=told.cpus,
            memory=told.memory,
            warnings=warnings,
        )
        reading = LaunchResult(
            status="failed" if error else "ok",
            measurement=measurement,
            delegation=(last if error else first).reading.delegation,
            error=error,
        )
        times = [record.tool_s for record in self.records if record.tool_s is not None]
        retries = tuple(retry for record in self.records for retry in record.retries)
        ended = JobOutput(last.exit_code, b"", b"")
        whole = JobResult(ended, tool_s=sum(times) if times else None, retries=retries)
        seen = {"before": first.before, "after": last.after}
        return Evaluated(outputs, reading, whole, seen, self.said)


def _taken(delegation: Delegation) -> tuple[str, int | None, str | None]:
    return delegation.verdict, delegation.nodes_delegated, delegation.fallback


def _in_words(delegation: Delegation) -> str:
    nodes = "" if delegation.nodes_delegated is None else f" ({delegation.nodes_delegated} nodes)"
    return f"{delegation.verdict}{nodes}"
