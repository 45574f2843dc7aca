"""A run under way, on stderr: what is done and left, what is being measured, the last results, doubts so far."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

from rich.cells import cell_len
from rich.console import Console as RichConsole
from rich.console import ConsoleOptions, RenderResult
from rich.live import Live
from rich.text import Text

from benchbench.cli.console import err
from benchbench.cli.wrapping import wrapped
from benchbench.execution.progress import DeviceProgress, RunProgress, outcome_line
from benchbench.execution.scheduler import Done, Event, Noted, Progressed, Scoring, Stopped
from benchbench.plan import Plan
from benchbench.values.case import Trial
from benchbench.values.formatting import counted, duration, in_a_line

TOLD_EVERY_S = 30
_BAR = 16  # cells
Also = Callable[[Event, RunProgress], None]


class Watch:
    """Live progress of a run: a few lines that change where somebody watches, a line per trial elsewhere.

    `also` hears every event with what they add up to.
    """

    def __init__(self, plan: Plan, also: Also | None = None) -> None:
        self._console = err()
        self._also = also
        self.progress = RunProgress(plan, time.monotonic())
        self._drawing = threading.Lock()  # rich draws in a thread of its own
        self._told = dict.fromkeys(self.progress.devices, time.monotonic())  # when it was said how far an evaluation is
        # Once a second: on this machine, drawing is work beside what is measured.
        self._live = Live(self, console=self._console, refresh_per_second=1) if self._console.is_terminal else None

    def __enter__(self) -> Watch:
        if self._live:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live:
            self._live.stop()

    def __rich_console__(self, _: RichConsole, options: ConsoleOptions) -> RenderResult:
        with self._drawing:
            yield Text("\n".join(progress_lines(self.progress, options.max_width, time.monotonic())), no_wrap=True)

    def __call__(self, event: Event) -> None:
        with self._drawing:
            self.progress.hear(event, time.monotonic())
        if self._also:
            self._also(event, self.progress)
        match event:
            case Progressed(trial=trial, samples=samples, of=of):
                self._tell_progress(trial, samples, of)
            case Done(outcome=outcome) if self._live is None or outcome.status != "ok":
                self._say(f"[{self._done()}] {outcome_line(outcome)}")
            case Stopped(stops=stops) if self._live is None:
                for stop in stops:
                    self._say(f"{stop.case}  no further round: {in_a_line(stop.text)}")
            case Noted(text=text):
                self._say(f"note: {text}")
            case Scoring(text=text):
                self._say(text)

    def _say(self, line: str) -> None:
        self._console.print(line, markup=False)

    def _done(self) -> str:
        devices = self.progress.devices.values()
        return f"{sum(device.done for device in devices)}/{sum(device.total for device in devices)}"

    def _tell_progress(self, trial: Trial, samples: int, of: int) -> None:
        """Plain lines come now and then, and none just before the trial's own."""
        now, device = time.monotonic(), trial.case.device
        if self._live is None and samples < of and now - self._told[device] > TOLD_EVERY_S:
            self._told[device] = now
            left = (now - self.progress.devices[device].trial_began_s) * (of - samples) / samples
            self._say(f"{trial.id}  {_samples((samples, of))}, {duration(left)} left")


def progress_lines(progress: RunProgress, width: int, now_s: float) -> list[str]:
    """All that is shown of a run under way, in lines that fit."""
    return [
        *(line for name, device in progress.devices.items() for line in _device(name, device, progress, width, now_s)),
        *(line for outcome in progress.last for line in _fitted("last", outcome_line(outcome), width)),
        *(_fitted("doubts", _doubts(progress), width) if progress.doubts else ()),
    ]


def _device(name: str, device: DeviceProgress, progress: RunProgress, width: int, now_s: float) -> Iterator[str]:
    """A line with the bar and what is left, and a line with what is being measured."""
    widest = max(map(cell_len, progress.devices))
    full = _BAR * device.done // max(1, device.total)
    bar = "━" * full + "─" * (_BAR - full)
    failed = f", {device.failed} failed" if device.failed else ""
    spent = duration(now_s - device.began_s)
    left = f"{duration(device.left_s(now_s))} left" if device.done < device.total else "done"
    padded = name + " " * (widest - cell_len(name))
    yield from wrapped(f"{padded} {bar} {device.done}/{device.total}{failed}, {spent}, {left}", width, indent="  ")
    if device.trial is not None:
        short = device.trial.id.removeprefix(f"{name}/")
        yield from _fitted("now", f"{short} {_samples(device.samples)}".rstrip(), width)


def _samples(samples: tuple[int, int] | None) -> str:
    return "" if samples is None else f"{samples[0]:,} of {samples[1]:,} samples"


def _doubts(progress: RunProgress) -> str:
    return ", ".join(f"{kind} in {counted(cases, 'case')}" for kind, cases in progress.doubts.items())


def _fitted(title: str, text: str, width: int) -> list[str]:
    """Something with its title, in lines that are indented by it."""
    return wrapped(f"  {title} {text}", width, indent="  ", at_slashes=True)
