"""One device at work: a trial in, an outcome out; every fault ends in an outcome, never in a traceback."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from benchbench.case import Measure, Trial
from benchbench.equip import Equipment, Equipped
from benchbench.errors import BenchbenchError
from benchbench.journal import Journal
from benchbench.outcome import Delegation, Outcome, Reading
from benchbench.runners import Evaluation, Job, Raw, Work
from benchbench.session.hand import folder_name
from benchbench.session.probe import mask
from benchbench.session.session import JobResult, Session

COOLDOWN_POLL_S = 2.0


@dataclass(frozen=True, slots=True)
class Course:
    """What all trials of a run share; `samples` are the inputs to take outputs for, by family, on this host."""

    measure: Measure
    journal: Journal
    samples: Mapping[str, Evaluation]


@dataclass(frozen=True, slots=True)
class Crew:
    """An open session with its equipment."""

    session: Session
    equipped: Equipped

    def perform(self, trial: Trial, course: Course) -> Outcome:
        """Run one trial, again after a transient fault as often as the matrix allows."""
        retries: list[str] = []
        while True:
            attempt = len(retries) + 1
            started = datetime.now(UTC).isoformat(timespec="milliseconds")
            try:
                outcome = self._attempt(trial, course, attempt)
            except BenchbenchError as error:
                outcome = failed(trial, error)
            outcome = outcome.model_copy(
                update={"attempts": attempt, "retries": (*retries, *outcome.retries), "started": started}
            )
            if not outcome.transient or attempt > course.measure.retries or self.session.cancelled.is_set():
                return outcome
            retries.append(outcome.error or "")

    def _attempt(self, trial: Trial, course: Course, attempt: int) -> Outcome:
        measure, journal = course.measure, course.journal
        equipment = self.equipped.equipment
        if equipment is None:
            return blank(trial).model_copy(update={"status": "failed", "error": self.equipped.problem})
        cooldown_s = self._cool_down(measure)
        began = time.monotonic()
        work = self._work(trial, course, equipment)
        job = equipment.runner.job(work)
        job = replace(job, env={**job.env, **self.session.device.env})
        outputs = journal.folder / "outputs" / folder_name(trial.id)
        result = self.session.run(folder_name(f"{trial.id} {attempt}"), job, outputs_to=outputs)
        reading = required(equipment.runner.read(work, result.raw), trial, measure)
        log = journal.write_log(trial.id, transcript(job, result.raw))
        return outcome_of(trial, equipment, reading, result).model_copy(
            update={
                "log": log,
                "cooldown_s": cooldown_s,
                "wall_s": time.monotonic() - began,
                "outputs": f"outputs/{outputs.name}" if result.outputs else None,
            }
        )

    def _cool_down(self, measure: Measure) -> float | None:
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

    def _work(self, trial: Trial, course: Course, equipment: Equipment) -> Work:
        case, store = trial.case, self.session.store
        library = self.session.device.libraries.get(case.delegate.kind) or case.delegate.library
        evaluation = None
        if trial.purpose == "accuracy":
            kept = course.samples[case.variant.family]
            evaluation = replace(kept, samples=store.stage([Path(kept.samples)])[0])
        return Work(
            variant=case.variant,
            model=store.stage([Path(case.variant.path)])[0],
            delegate=case.delegate,
            threads=case.threads,
            measure=course.measure,
            tool=equipment.tool,
            python=equipment.python,
            affinity_mask=mask(self.equipped.traits.clusters, case.affinity) if case.affinity else None,
            library=library,
            profile=trial.purpose == "profile",
            evaluation=evaluation,
        )


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
        update={"error": error.message, "remedy": error.remedy or None, "transient": error.transient}
    )


def outcome_of(trial: Trial, equipment: Equipment, reading: Reading, result: JobResult) -> Outcome:
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
            "runner": equipment.runner.kind,
        }
    )


def required(reading: Reading, trial: Trial, measure: Measure) -> Reading:
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


def transcript(job: Job, raw: Raw) -> bytes:
    """Everything a tool was given and said, for a person to read."""
    parts = [b"$ " + " ".join(job.argv).encode(), f"exit code {raw.exit_code}{' (time limit)' * raw.late}".encode()]
    said = {"stdout": raw.stdout, "stderr": raw.stderr, **raw.answers}
    for name, content in said.items():
        if content.strip():
            shown = content if b"\0" not in content else f"({len(content)} bytes, binary)".encode()
            parts += [f"\n== {name} ==".encode(), shown.rstrip()]
    return b"\n".join(parts) + b"\n"
