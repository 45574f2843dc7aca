"""One launch of a tool as a trial, and the parts of an outcome that all modes share."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import replace

from benchbench.device.agent import folder_name
from benchbench.device.faults import passing_fault
from benchbench.instruments import measured
from benchbench.modes.base import Attempt
from benchbench.runtimes.tool import LaunchSpec
from benchbench.values.case import Trial, Variant, open_inputs_remedy
from benchbench.values.errors import BenchbenchError, Unsupported
from benchbench.values.job import Job, JobOutput, JobResult
from benchbench.values.measurement_settings import MeasurementSettings
from benchbench.values.outcome import Delegation, LaunchResult, Outcome

_MANY_NUMBERS = re.compile(rb"((?:[\d.e+-]+, ){20})((?:[\d.e+-]+, ){200,})((?:[\d.e+-]+, ){19}[\d.e+-]+)")
LEFT_OUT = b"bytes of output left out by benchbench]"  # as agent.sh says it


def launch(attempt: Attempt, spec: LaunchSpec) -> Outcome:
    """The outcome of one launch; raises a fault after which another attempt may go well at once."""
    return launched(attempt, spec)[0]


def launched(attempt: Attempt, spec: LaunchSpec, *, part: str = "", job_name: str = "") -> tuple[Outcome, LaunchResult]:
    """As `launch`, with what was read of it.

    `part` tells the logs of several launches of a trial apart, `job_name` their jobs, also those of earlier attempts.
    """
    session, trial, context = attempt.session, attempt.trial, attempt.context
    job = attempt.runner.job(spec)
    job = replace(job, env={**job.env, **session.device.env})
    own, folder = folder_name(job_name or trial.id), context.journal.folder
    result, seen = measured(session, own, job, outputs_to=folder, instruments=attempt.instruments)
    said, name = transcript(job, result.raw), f"{trial.id} {part}".strip()
    log = context.journal.write_log(name, said)
    reading = required(attempt.runner.read(spec, result.raw), trial, context.measure)
    if reading.status == "ok":
        context.journal.write_log(name, without_times(said))
    outcome = outcome_of(attempt, with_cut(reading, result.raw), result, seen).model_copy(
        update={"log": log, "command": shlex.join(job.argv)}
    )
    if reading.status in {"ok", "skipped"}:
        return outcome, reading
    fault = passing_fault(session.device.name, session.restore(spec.staged), result.raw)
    if fault is None:
        return outcome, reading
    if fault.retry_now:
        raise fault
    update = {"error": fault.message, "remedy": fault.remedy, "transient": fault.transient}
    return outcome.model_copy(update=update), reading


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


def outcome_of(attempt: Attempt, reading: LaunchResult, result: JobResult, seen: Mapping[str, object]) -> Outcome:
    """What came of a trial; `seen` are the fields that the instruments tell."""
    return blank(attempt.trial).model_copy(
        update={
            "status": reading.status,
            "measurement": reading.measurement,
            "delegation": reading.delegation,
            "error": reading.error,
            "remedy": reading.remedy or sizes_remedy(reading, attempt.trial.case.variant, result.raw),
            **seen,
            "tool_s": result.tool_s,
            "exit_code": result.raw.exit_code,
            "retries": result.retries,
            "runner": attempt.runner.kind,
        }
    )


def sizes_remedy(reading: LaunchResult, variant: Variant, raw: JobOutput) -> str | None:
    """What may help a model that failed with sizes of 1, since nobody gave those that it leaves open."""
    if reading.status != "failed" or reading.delegation.verdict == "unavailable" or raw.late:
        return None
    return open_inputs_remedy(variant.open_inputs) if variant.open_inputs else None


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
        or not trial.case.delegate.is_delegate
    ):
        return reading
    why = f"require_delegation: the verdict is {verdict}: {reading.delegation.evidence or 'no evidence of delegation'}"
    return reading.model_copy(update={"status": "failed", "error": why})


def transcript(job: Job, raw: JobOutput) -> bytes:
    """Everything a tool was given and said, for a person to read."""
    parts = [b"$ " + shlex.join(job.argv).encode(), f"exit code {raw.exit_code}{' (time limit)' * raw.late}".encode()]
    given = {name: text.encode() for name, text in job.files.items()}
    for name, content in {**given, "stdout": raw.stdout, "stderr": raw.stderr, **raw.answers}.items():
        if content.strip():
            shown = content if b"\0" not in content else f"({len(content)} bytes, binary)".encode()
            parts += [f"\n== {name} ==".encode(), shown.rstrip()]
    return b"\n".join(parts) + b"\n"


def without_times(said: bytes) -> bytes:
    """A transcript with the middle of long lists left out: what every inference took is in series/."""

    def shortened(found: re.Match[bytes]) -> bytes:
        return found[1] + b'"(%d more)", ' % found[2].count(b",") + found[3]

    return _MANY_NUMBERS.sub(shortened, said)
