"""One device at work: a trial in, an outcome out; every fault ends in an outcome, never in a traceback."""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from benchbench.accuracy.collect.launch_sequence import Progress
from benchbench.device.probe import mask
from benchbench.device.session import Session
from benchbench.execution.prepare import PreparedDevice, prepare_device
from benchbench.instruments import conditions, instruments_of
from benchbench.instruments.conditions import read_conditions, too_warm
from benchbench.modes import mode_of
from benchbench.modes.base import Attempt, RunContext
from benchbench.modes.launch import blank, failed
from benchbench.runtimes.base import Toolchain
from benchbench.runtimes.tool import LaunchSpec
from benchbench.values.case import Trial
from benchbench.values.device import ToolChoice, under
from benchbench.values.errors import BenchbenchError
from benchbench.values.job import RawConditions
from benchbench.values.measurement_settings import Cooldown
from benchbench.values.outcome import Delegation, Outcome

COOLDOWN_POLL_S = 2.0


@dataclass(frozen=True, slots=True)
class Worker:
    """An open session with its equipment; `idle` is what the device told before anything was measured on it."""

    session: Session
    prepared: PreparedDevice
    idle: RawConditions

    @classmethod
    def of(cls, session: Session, choice: ToolChoice, formats: Collection[str]) -> Worker:
        """The session of a device that was just opened, prepared. Raises as `prepare_device` does."""
        return cls(session, prepare_device(session, choice, formats), session.reading())

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
        model_format = trial.case.variant.format
        toolchain = self.prepared.toolchains.get(model_format)
        if toolchain is None:
            problem = self.prepared.problems.get(model_format)
            return blank(trial).model_copy(update={"error": problem, "transient": True})
        cooldown_s = self._cool_down(measure.cooldown)
        began = time.monotonic()
        work = self._work(trial, context, toolchain)
        if missing := self._missing_file(work):
            return unavailable(trial, missing)
        instruments = instruments_of(self.idle, self.prepared.traits, measure)
        attempt = Attempt(trial, context, self.session, toolchain.runner, work, progress, instruments)
        outcome = mode_of(trial.purpose).perform(attempt)
        return outcome.model_copy(update={"cooldown_s": cooldown_s, "wall_s": time.monotonic() - began})

    def _missing_file(self, work: LaunchSpec) -> str | None:
        """The path of a delegate's file that is not on the device: tools run on the CPU then, without a word.

        Names without a folder are for the device's own loader to find.
        """
        for path in work.delegate.files_needed(work.library):
            if "/" in path and not self.session.has(path):
                return path
        return None

    def cooled(self, cooldown: Cooldown) -> bool:
        """Wait until the device is cool enough or has had its time; whether it is. Raises as the session does."""
        until, idle = time.monotonic() + cooldown.at_most_seconds, read_conditions(self.idle)
        while too_warm(conditions.now(self.session), idle, cooldown):
            left_s = until - time.monotonic()
            if left_s <= 0 or self.session.cancelled.wait(min(COOLDOWN_POLL_S, left_s)):
                return False
        return True

    def _cool_down(self, cooldown: Cooldown | None) -> float | None:
        """The seconds that were waited for a cool device, None where nobody asked."""
        if cooldown is None:
            return None
        began = time.monotonic()
        self.cooled(cooldown)
        return time.monotonic() - began

    def _work(self, trial: Trial, context: RunContext, toolchain: Toolchain) -> LaunchSpec:
        case, session = trial.case, self.session
        library = case.delegate.library_on(session.libraries)
        library = library and under(self.prepared.traits.home, library)
        path = Path(case.variant.path)
        return LaunchSpec(
            variant=case.variant,
            model=session.stage(path, case.variant.sha256),
            data={file.name: session.stage(path.parent / file.name, file.sha256) for file in case.variant.data},
            delegate=case.delegate,
            threads=case.threads,
            measure=context.measure,
            tool=toolchain.tool,
            python=toolchain.python,
            affinity_mask=mask(self.prepared.traits.clusters, case.affinity) if case.affinity else None,
            library=library,
        )


def unavailable(trial: Trial, path: str) -> Outcome:
    """The outcome of a trial that was not launched, since a file of its delegate is not on the device."""
    label, device = trial.case.delegate.label, trial.case.device
    told = f"{device}: {path} is not there, which {label} needs"
    source = trial.case.delegate.libraries_from
    put = f"put it there (from {source})" if source else "put it there"
    remedy = f"{put}, correct its path, or let `libraries` in the device's file name one of this host ('host:PATH')"
    delegation = Delegation(asked=trial.case.delegate.kind, verdict="unavailable", evidence=told)
    return blank(trial).model_copy(update={"error": told, "remedy": remedy, "delegation": delegation})


def unopened(trial: Trial, error: BenchbenchError) -> Outcome:
    """The outcome of a trial whose device could not be had: whatever the reason, a resumed run may have it."""
    return failed(trial, error).model_copy(update={"transient": True})
