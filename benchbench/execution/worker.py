"""One device at work: a trial in, an outcome out; every fault ends in an outcome, never in a traceback."""

from __future__ import annotations

import shlex
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from benchbench.accuracy.collect import with_benchmark_model, with_script
from benchbench.accuracy.collect.chunks import Chunks
from benchbench.accuracy.collect.launch_sequence import LaunchSequence, Progress
from benchbench.accuracy.outputs import write_outputs
from benchbench.accuracy.shards import Shards
from benchbench.config.matrix import NATIVE_SAMPLES
from benchbench.device.agent import folder_name
from benchbench.device.faults import passing_fault
from benchbench.device.probe import mask
from benchbench.device.session import JobResult, Session
from benchbench.execution.prepare import PreparedDevice, Toolchain
from benchbench.run_folder.journal import Journal
from benchbench.runtimes.models import info_of
from benchbench.runtimes.tflite.benchmark_model import BenchmarkModelRunner
from benchbench.runtimes.tool import LaunchSpec
from benchbench.values.case import MeasurementSettings, Trial
from benchbench.values.device import under
from benchbench.values.errors import BenchbenchError, Unsupported
from benchbench.values.job import Job, JobOutput
from benchbench.values.outcome import Delegation, LaunchResult, Outcome

COOLDOWN_POLL_S = 2.0
LEFT_OUT = b"bytes of output left out by benchbench]"  # as agent.sh says it
BY_PYTHON = 'the python runner evaluates such models; for benchmark_model the "tflite" generation is needed'


@dataclass(frozen=True, slots=True)
class RunContext:
    """What all trials of a run share; `samples` are the inputs to take outputs for, by variant.

    Through benchmark_model not more than `native_samples` of them are taken.
    """

    measure: MeasurementSettings
    journal: Journal
    samples: Mapping[str, Shards]
    native_samples: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Worker:
    """An open session with its equipment."""

    session: Session
    prepared: PreparedDevice

    def perform(self, trial: Trial, context: RunContext, progress: Progress) -> Outcome:
        """Run one trial, again after a transient fault as often as the matrix allows.

        A job that still runs, or has ended, since a fault is found again by the trial's name. `progress` hears of
        samples evaluated.
        """
        retries: list[str] = []
        while True:
            attempt, again = len(retries) + 1, False
            started = datetime.now(UTC).isoformat(timespec="milliseconds")
            try:
                outcome = self._attempt(trial, context, progress)
            except BenchbenchError as error:
                # The session has waited for a device that is gone, and one in use is not waited for: the next trial
                # will see whether it can be had again.
                outcome, again = failed(trial, error), error.retry_now
            outcome = outcome.model_copy(
                update={"attempts": attempt, "retries": (*retries, *outcome.retries), "started": started}
            )
            if not again or self.session.cancelled.is_set() or attempt > context.measure.retries:
                return outcome
            retries.append(outcome.error or "")

    def _attempt(self, trial: Trial, context: RunContext, progress: Progress) -> Outcome:
        measure = context.measure
        toolchain = self.prepared.toolchain
        if toolchain is None:
            return blank(trial).model_copy(update={"error": self.prepared.problem, "transient": True})
        cooldown_s = self._cool_down(measure)
        began = time.monotonic()
        work = self._work(trial, context, toolchain)
        if missing := self._missing_file(work):
            return unavailable(trial, missing)
        if trial.purpose == "accuracy":
            outcome = self._evaluate(trial, context, toolchain, work, progress)
        else:
            outcome = self._launch(trial, context, toolchain, work)
        return outcome.model_copy(update={"cooldown_s": cooldown_s, "wall_s": time.monotonic() - began})

    def _missing_file(self, work: LaunchSpec) -> str | None:
        """The path of a delegate's file that is not on the device: tools run on the CPU then, without a word.

        Names without a folder are for the device's own loader to find.
        """
        for path in work.delegate.files_needed(work.library):
            if "/" in path and self.session.transport.run(["test", "-e", path], timeout_s=30).exit_code != 0:
                return path
        return None

    def _launch(self, trial: Trial, context: RunContext, toolchain: Toolchain, work: LaunchSpec) -> Outcome:
        job = toolchain.runner.job(work)
        job = replace(job, env={**job.env, **self.session.device.env})
        result = self.session.run(folder_name(trial.id), job, outputs_to=context.journal.folder)
        log = context.journal.write_log(trial.id, transcript(job, result.raw))
        reading = required(toolchain.runner.read(work, result.raw), trial, context.measure)
        outcome = outcome_of(trial, toolchain, with_cut(reading, result.raw), result).model_copy(update={"log": log})
        if reading.status in {"ok", "skipped"} or not (fault := passing_fault(self.session, work.staged, result.raw)):
            return outcome
        if fault.retry_now:
            raise fault
        return outcome.model_copy(update={"error": fault.message, "remedy": fault.remedy, "transient": fault.transient})

    def _evaluate(
        self, trial: Trial, context: RunContext, toolchain: Toolchain, work: LaunchSpec, progress: Progress
    ) -> Outcome:
        """Here a trial is many launches; what each has left is kept, and not made again by another attempt."""
        runner, variant = toolchain.runner, trial.case.variant
        shards, outputs = context.samples[variant.id], outputs_folder(trial, context.journal)
        launches = LaunchSequence(self.session, runner, trial.id, Chunks(outputs / "parts"))
        if isinstance(runner, BenchmarkModelRunner):
            info = info_of(variant)
            if reason := with_benchmark_model.obstacle(runner, info, variant.inputs):
                return blank(trial).model_copy(update={"status": "skipped", "error": reason, "remedy": BY_PYTHON})
            dataset = shards.dataset.first(context.native_samples.get(variant.family, NATIVE_SAMPLES))
            found, count = with_benchmark_model.evaluate(launches, work, info, dataset, progress), dataset.n
        else:
            state = info_of(variant).state
            found, count = with_script.evaluate(launches, work, shards, progress, state=state), None
        reading = required(found.reading, trial, context.measure)
        said = [f"== {label} ==\n".encode() + transcript(*told) for label, told in found.said.items()]
        update: dict[str, object] = {"log": context.journal.write_log(trial.id, b"\n".join(said)), "samples": count}
        if found.outputs:
            write_outputs(outputs / "outputs.npz", found.outputs)
            update["outputs"] = f"outputs/{outputs.name}"
        launches.parts.remove()
        return outcome_of(trial, toolchain, reading, found.result).model_copy(update=update)

    def _cool_down(self, measure: MeasurementSettings) -> float | None:
        """Wait until the device is cool enough or has had its time; the seconds waited, None where nobody asked."""
        if measure.cooldown is None:
            return None
        began = time.monotonic()
        while True:
            now = self.session.conditions().temperature_c
            waited = time.monotonic() - began
            if now is None or now <= measure.cooldown.below_c or waited >= measure.cooldown.at_most_seconds:
                return waited
            if self.session.cancelled.wait(COOLDOWN_POLL_S):
                return waited

    def _work(self, trial: Trial, context: RunContext, toolchain: Toolchain) -> LaunchSpec:
        case, session = trial.case, self.session
        library = session.device.libraries.get(case.delegate.kind) or case.delegate.library
        library = library and under(self.prepared.traits.home, library)
        return LaunchSpec(
            variant=case.variant,
            model=session.stage(Path(case.variant.path), case.variant.sha256),
            delegate=case.delegate,
            threads=case.threads,
            measure=context.measure,
            tool=toolchain.tool,
            python=toolchain.python,
            affinity_mask=mask(self.prepared.traits.clusters, case.affinity) if case.affinity else None,
            library=library,
            profile=trial.purpose == "profile",
        )


def outputs_folder(trial: Trial, journal: Journal) -> Path:
    return journal.folder / "outputs" / folder_name(trial.id)


def blank(trial: Trial) -> Outcome:
    """The part of an outcome that is known before anything ran."""
    case = trial.case
    return Outcome(
        trial=trial.id,
        case=case.id,
        device=case.device,
        variant=case.variant.id,
        round=trial.round,
        position=trial.position,
        purpose=trial.purpose,
        status="failed",
        delegation=Delegation(asked=case.delegate.kind),
    )


def failed(trial: Trial, error: BenchbenchError) -> Outcome:
    """The outcome of a trial that an error ended."""
    return blank(trial).model_copy(
        update={
            "status": "skipped" if isinstance(error, Unsupported) else "failed",
            "error": error.message,
            "remedy": error.remedy or None,
            "transient": error.transient,
        }
    )


def unavailable(trial: Trial, path: str) -> Outcome:
    """The outcome of a trial that was not launched, since a file of its delegate is not on the device."""
    label, device = trial.case.delegate.label, trial.case.device
    told = f"{device}: {path} is not there, which {label} needs"
    remedy = "put it there, or correct its path in the matrix or under `libraries` in the device's file"
    delegation = Delegation(asked=trial.case.delegate.kind, verdict="unavailable", evidence=told)
    return blank(trial).model_copy(update={"error": told, "remedy": remedy, "delegation": delegation})


def unopened(trial: Trial, error: BenchbenchError) -> Outcome:
    """The outcome of a trial whose device could not be had: whatever the reason, a resumed run may have it."""
    return failed(trial, error).model_copy(update={"transient": True})


def outcome_of(trial: Trial, toolchain: Toolchain, reading: LaunchResult, result: JobResult) -> Outcome:
    return blank(trial).model_copy(
        update={
            "status": reading.status,
            "measurement": reading.measurement,
            "delegation": reading.delegation,
            "error": reading.error,
            "before": result.before,
            "after": result.after,
            "tool_s": result.tool_s,
            "exit_code": result.raw.exit_code,
            "retries": result.retries,
            "runner": toolchain.runner.kind,
        }
    )


def with_cut(reading: LaunchResult, raw: JobOutput) -> LaunchResult:
    """The reading, with a warning where the tool said more than is read back."""
    cut = [line for line in (raw.stdout + raw.stderr).splitlines() if line.endswith(LEFT_OUT)]
    warnings = (*reading.measurement.warnings, *(line.decode("ascii", "replace").strip("[]") for line in cut))
    return reading.model_copy(update={"measurement": reading.measurement.model_copy(update={"warnings": warnings})})


def required(reading: LaunchResult, trial: Trial, measure: MeasurementSettings) -> LaunchResult:
    """The reading, failed where the matrix requires a full delegation and there was none."""
    verdict = reading.delegation.verdict
    if (
        not measure.require_delegation
        or reading.status != "ok"
        or verdict == "full"
        or trial.case.delegate.kind == "cpu"
    ):
        return reading
    why = f"require_delegation: the verdict is {verdict}: {reading.delegation.evidence or 'no evidence of delegation'}"
    return reading.model_copy(update={"status": "failed", "error": why})


def transcript(job: Job, raw: JobOutput) -> bytes:
    """Everything a tool was given and said, for a person to read."""
    parts = [b"$ " + shlex.join(job.argv).encode(), f"exit code {raw.exit_code}{' (time limit)' * raw.late}".encode()]
    said = {"stdout": raw.stdout, "stderr": raw.stderr, **raw.answers}
    for name, content in said.items():
        if content.strip():
            shown = content if b"\0" not in content else f"({len(content)} bytes, binary)".encode()
            parts += [f"\n== {name} ==".encode(), shown.rstrip()]
    return b"\n".join(parts) + b"\n"
