"""What a person sees in the terminal: data on stdout, talk on stderr; plain lines where nobody is watching."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from rich.console import Console as RichConsole
from rich.console import ConsoleOptions, RenderableType
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.segment import Segment

from benchbench.accuracy.collect.with_benchmark_model import BATCHED
from benchbench.cli.terminal import styled
from benchbench.execution.scheduler import Done, Event, Noted, Progressed, Scoring, Started
from benchbench.modes import mode_of
from benchbench.plan import LAUNCH_S, Plan
from benchbench.runtimes.quantizing.manifest import Skipped
from benchbench.runtimes.quantizing.progress import Finished, Step, Working
from benchbench.values.case import Trial
from benchbench.values.formatting import counted, duration
from benchbench.values.outcome import Outcome
from benchbench.values.visible import visible

TOLD_EVERY_S = 30
STATUS_WORDS = {"ok": "", "failed": "FAILED", "incomplete": "INCOMPLETE", "skipped": "skipped"}


class Console(RichConsole):
    """Rich's, but no control character of a text reaches the terminal, whatever it is part of."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterator[Segment]:
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(visible(segment.text), segment.style)


def out() -> Console:
    """Data: stdout. Tables are not squeezed into a pipe's 80 columns."""
    console = Console(file=styled(sys.stdout), highlight=False)
    return console if console.is_terminal else Console(file=console.file, highlight=False, width=200, soft_wrap=True)


def err() -> Console:
    return Console(file=styled(sys.stderr), stderr=True, highlight=False, soft_wrap=True)


def outcome_line(outcome: Outcome) -> str:
    """One line on a finished trial: what it is, what it took, who executed it, and what was wrong."""
    if outcome.status != "ok":
        return f"{outcome.trial}  {STATUS_WORDS[outcome.status]}: {outcome.error or 'no reason given'}"
    again = f"  (attempt {outcome.attempts})" if outcome.attempts > 1 else ""
    return f"{outcome.trial}  {mode_of(outcome.purpose).headline(outcome)}  on {outcome.delegation.executor}{again}"


class Watch:
    """Live progress of a run on stderr: a bar per device where somebody watches, a line per trial elsewhere."""

    def __init__(self, totals: Mapping[str, int]) -> None:
        self._console = err()
        self._totals = dict(totals)
        self._done = dict.fromkeys(totals, 0)
        self._began = time.monotonic()
        self._bars: dict[str, TaskID] = {}
        self._started: dict[str, float] = {}  # device -> when its trial began
        self._ended: dict[str, float] = {}  # device -> when its last trial ended
        self._told: dict[str, float] = {}  # device -> when it last said how far an evaluation is
        self._progress = Progress(
            TextColumn("{task.fields[device]}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[left]}"),
            TextColumn("{task.fields[now]}", table_column=None),
            console=self._console,
            disable=not self._console.is_terminal,
        )

    def __enter__(self) -> Watch:
        self._progress.start()
        for device, total in self._totals.items():
            self._bars[device] = self._progress.add_task("", total=total, device=escape(device), now="", left="")
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def __call__(self, event: Event) -> None:
        match event:
            case Started(trial=trial):
                device = trial.case.device
                short = trial.id.removeprefix(f"{device}/")
                self._started[device] = time.monotonic()
                self._progress.update(self._bars[device], now=escape(short))
            case Progressed(trial=trial, samples=samples, of=of):
                self._tell_progress(trial, samples, of)
            case Done(trial=trial, outcome=outcome):
                device = trial.case.device
                self._done[device] += 1
                self._ended[device] = time.monotonic()
                self._progress.update(self._bars[device], advance=1, left=self._left(device), now="")
                self._say(outcome)
            case Noted(text=text):
                self._console.print(f"note: {text}", markup=False)
            case Scoring(text=text):
                self._console.print(text, markup=False)

    def _tell_progress(self, trial: Trial, samples: int, of: int) -> None:
        """The bar always says it; plain lines come now and then, and none just before the trial's own."""
        device, now = trial.case.device, time.monotonic()
        text = f"{samples:,} of {of:,} samples"
        short = trial.id.removeprefix(f"{device}/")
        its_own_s = (now - self._started[device]) * (of - samples) / samples
        self._progress.update(
            self._bars[device], now=escape(f"{short}: {text}"), left=self._left(device, its_own_s, under_way=1)
        )
        if not self._console.is_terminal and samples < of and now - self._told.get(device, self._began) > TOLD_EVERY_S:
            self._told[device] = now
            self._console.print(f"{trial.id}  {text}, {duration(its_own_s)} left", markup=False)

    def _left(self, device: str, more_s: float = 0, *, under_way: int = 0) -> str:
        """What is left takes as long as what is done has taken on average; what is under way is known better."""
        done = self._done[device]
        waiting = self._totals[device] - done - under_way
        per_trial = (self._ended[device] - self._began) / done if done else 0
        left = per_trial * waiting + more_s
        return f"{duration(left)} left" if left else "done"

    def _say(self, outcome: Outcome) -> None:
        if self._console.is_terminal and outcome.status == "ok":
            return  # the bar says it
        done, total = sum(self._done.values()), sum(self._totals.values())
        self._console.print(f"[{done}/{total}] {outcome_line(outcome)}", markup=False)


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
    out().print("\n".join(case.id for case in plan.cases), markup=False)
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
        cases = counted(len({trial.case.id for trial in trials if trial.of_matrix}), "case")
        talk.print(
            f"{device}: {cases} x {counted(plan.measure.rounds, 'round')}"
            f"{more} = {counted(len(trials), 'trial')}, at least {duration(plan.seconds(device))}",
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
    longest = max((plan.seconds(device) for device in plan.devices), default=0)
    talk.print(f"devices run side by side: at least {duration(longest)} in all; seed {plan.seed}", markup=False)


@contextmanager
def waiting(text: str) -> Iterator[None]:
    """A sign of life on stderr while something takes its time."""
    console = err()
    if not console.is_terminal:
        console.print(f"{text} …", markup=False)
        yield
        return
    with console.status(escape(text)):
        yield
