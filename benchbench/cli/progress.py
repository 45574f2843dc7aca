"""What a person is told of a plan, and while a family is made."""

from __future__ import annotations

import time
from collections.abc import Sequence

import click
from rich.markup import escape
from rich.progress import (
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)

from benchbench.accuracy.collect.with_benchmark_model import BATCHED
from benchbench.cli.console import err
from benchbench.plan import LAUNCH_S, Plan
from benchbench.runtimes.quantizing.manifest import Skipped
from benchbench.runtimes.quantizing.progress import Finished, Step, Working
from benchbench.values.formatting import counted, duration


class Making:
    """Live progress of quantize on stderr: one line that changes where somebody watches, a line per file elsewhere.

    How long it takes is said of a calibration only, by its samples: schemes differ too much to tell one from another.
    """

    def __init__(self) -> None:
        self._console = err()
        self._began = time.monotonic()
        self._progress = Progress(
            SpinnerColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.description}"),
            TimeElapsedColumn(),
            console=self._console,
            transient=True,
            disable=not self._console.is_terminal,
        )
        self._task: TaskID | None = None

    def __enter__(self) -> Making:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def say(self, line: str) -> None:
        self._console.print(line, markup=False)

    def __call__(self, step: Step) -> None:
        if self._task is None:
            self._task = self._progress.add_task("", total=step.total)
        match step:
            case Working(number=number, total=total):
                said = escape(_working_line(step))
                self._progress.update(self._task, description=said, completed=number - 1, total=total)
            case Finished(label=label, number=number, total=total, result=result):
                self._progress.update(self._task, completed=number)
                if not self._console.is_terminal:
                    became = "skipped" if isinstance(result, Skipped) else "made"  # why, is said at the end
                    self.say(f"[{number}/{total}] {label}: {became}, {duration(time.monotonic() - self._began)}")


def _working_line(step: Working) -> str:
    if step.doing != "calibrating":
        return f"{step.doing} {step.label}"
    left = "" if step.left_seconds is None else f", {duration(step.left_seconds)} left"
    return f"calibrating {step.label}: {step.fed} of {step.samples} samples{left}"


def show_plan(plan: Plan, problems: Sequence[str] = ()) -> None:
    """Cases, trials, skips with reasons, and the time it takes at least."""
    click.echo("\n".join(case.id for case in plan.cases))
    talk = err()
    told = [
        *(f"skipped  {skip.case.id}: {skip.reason}" for skip in plan.skips),
        *(f"note: {line}" for line in problems),
    ]
    if told:  # in one piece: rich takes its time for every call
        talk.print("\n".join(told), markup=False)
    selected = len(plan.cases) + len(plan.skips)
    if selected < plan.cells:
        talk.print(f"{selected} of {plan.cells} selected", markup=False)
    for device in plan.devices:
        trials = plan.of(device)
        extra = len([trial for trial in trials if not trial.timed and trial.of_matrix])
        canaries = len([trial for trial in trials if not trial.of_matrix])
        more = f" and {counted(extra, 'launch', 'launches')} for profiles and outputs" if extra else ""
        more += f" and {counted(canaries, 'canary', 'canaries')}" if canaries else ""
        cases = counted(sum(case.device == device for case in plan.cases), "case")
        talk.print(
            f"{device}: {cases} x {_rounds(plan)}{more} = {_up_to(plan, device)}",
            markup=False,
        )
        native, launches = plan.native_launches(device)
        if launches > native:
            talk.print(
                f"{device}: benchmark_model runs one inference a launch: outputs of {native} cases are {launches} "
                f"launches at most ({duration(launches * LAUNCH_S)}), {BATCHED} a case where a model takes batches "
                "(`native_samples` says how many samples)",
                markup=False,
            )
    by_need = f", if all go on {duration(plan.in_all(plan.most_seconds))}" if plan.measure.adaptive else ""
    least = duration(plan.in_all(plan.seconds))
    talk.print(f"{_in_turn(plan)}at least {least}{by_need} in all; seed {plan.seed}", markup=False)


def _in_turn(plan: Plan) -> str:
    """Which devices run at the same time, where there are several."""
    others = [device for device in plan.devices if device not in plan.here]
    parts = ["devices run side by side"] if len(others) > 1 else []
    parts += ["this machine runs after the others"] if others and len(others) < len(plan.devices) else []
    return f"{', '.join(parts)}: " if parts else ""


def _rounds(plan: Plan) -> str:
    least, most = plan.measure.least_rounds, plan.measure.most_rounds
    return f"{least} to {most} rounds" if most > least else counted(least, "round")


def _up_to(plan: Plan, device: str) -> str:
    """How many trials and how long, in the best case and, where rounds go on by need, in the worst."""
    trials, least_s = plan.of(device), plan.seconds(device)
    if not plan.measure.adaptive:
        return f"{counted(len(trials), 'trial')}, at least {duration(least_s)}"
    fewest = sum(trial.round <= plan.measure.least_rounds for trial in trials)
    most_s = plan.most_seconds(device)
    return f"{fewest} to {len(trials)} trials, at least {duration(least_s)}, if all go on {duration(most_s)}"
