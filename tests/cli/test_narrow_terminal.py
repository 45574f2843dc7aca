"""What a terminal of 80 columns shows: no word in two, and of a run what is done, under way, left and doubtful."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
from collections.abc import Sequence
from typing import Any

import pyte
import pytest
from rich.cells import cell_len

from benchbench.cli.watching import progress_lines
from benchbench.execution.progress import RunProgress
from benchbench.execution.scheduler import Done, Event, Progressed, Scoring, Started
from benchbench.plan import Plan, make_plan
from benchbench.runtimes.base import Target
from benchbench.values.case import Trial
from benchbench.values.device import Adb, Device, Local
from tests.plans import matrix
from tests.report.builder import conditions, launches, outcome, variant, write_run
from tests.workbench import Workbench

_STYLE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def on_terminal(bench: Workbench, *arguments: str, columns: int, expect: int = 0) -> str:
    """All that a command writes to a terminal of so many columns."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    environment = {key: value for key, value in bench.environment.items() if key not in {"COLUMNS", "LINES"}}
    process = subprocess.Popen(
        bench.command(*arguments),
        cwd=bench.folder,
        env=environment | {"TERM": "xterm-256color"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    said = b""
    try:
        while chunk := os.read(ours, 65_536):
            said += chunk
    except OSError:  # the end of a terminal nobody writes to any more
        pass
    os.close(ours)
    assert process.wait(60) == expect, said
    return said.decode()


def lines_of(said: str) -> list[str]:
    """Lines as they were written, also those that were replaced later."""
    said = re.sub(r"\x1b\[\d*A", "\n", said)
    return [line.rstrip() for line in _STYLE.sub("", said).replace("\r", "").split("\n")]


def words_of(lines: Sequence[str]) -> set[str]:
    """The words, those of an id by themselves, for it may go on in the next line behind a slash."""
    return {word for line in lines for word in re.split(r"[\s/]+", line)}


@pytest.mark.parametrize("arguments", [("compare", "a", "b"), ("history", "a", "b", "--case", "*"), ("report", "b")])
def test_tables_and_talk_break_no_word(bench: Workbench, arguments: tuple[str, ...]) -> None:
    model = variant(name="a_rather_long_name_of_a_variant", scheme="int8")
    times = [10.0, 10.1, 9.9, 10.05, 10.0]
    for name, factor in (("a", 1.0), ("b", 1.2)):
        found = [*launches([factor * time for time in times], model=model), *launches(times, delegate="gpu")]
        failed = outcome(
            delegate="cpu", ms=None, status="failed", error="the tool ended with a line of many words " * 4
        )
        write_run(bench.folder / name, [*found, failed], variants=[model], id=name)
    code = 1 if arguments[0] == "compare" else 0
    narrow, wide = (lines_of(on_terminal(bench, *arguments, columns=n, expect=code)) for n in (80, 500))
    assert max(map(cell_len, narrow)) <= 80
    assert words_of(narrow) <= words_of(wide) | {"·"}
    assert "a_rather_long_name_of_a_variant" in " ".join(narrow)


def plan() -> Plan:
    devices = Device(name="host", address=Local()), Device(name="pixel8", address=Adb(serial="1"))
    return make_plan(matrix(threads=(1,)), [Target(device) for device in devices], seed=1)


def heard(events: Sequence[tuple[float, Event]]) -> RunProgress:
    progress = RunProgress(plan(), 0.0)
    for at_s, event in events:
        progress.hear(event, at_s)
    return progress


def done(trial: Trial, **more: Any) -> Done:
    made = outcome(trial.case.device, **more)
    return Done(trial, made.model_copy(update={"trial": trial.id, "case": trial.case.id, "purpose": trial.purpose}))


def test_what_is_left_is_told_by_what_is_done_and_an_evaluation_by_its_samples() -> None:
    first, second, *_ = plan().of("host")
    total = len(plan().of("host"))
    progress = heard([(0, Started(first)), (4, done(first)), (4, Started(second))])
    host = progress.devices["host"]
    assert host.left_s(4) == pytest.approx(4 * (total - 1))
    assert host.left_s(6) == pytest.approx(4 * (total - 1) - 2)
    progress.hear(Progressed(second, 10, 40), 14)
    assert host.left_s(14) == pytest.approx(4 * (total - 2) + 30)
    assert progress.devices["pixel8"].left_s(14) == pytest.approx(plan().seconds("pixel8"))


def test_doubts_of_a_run_under_way_are_counted_by_cases_and_few_launches_are_no_news() -> None:
    trials = [trial for trial in plan().of("host") if trial.timed][:2]
    hot = {"after": conditions(90.0)}
    assert dict(heard([(n, done(trial)) for n, trial in enumerate(trials)]).doubts) == {}
    found = heard([(n, done(trial, **hot)) for n, trial in enumerate(trials)]).doubts
    assert found["hot"] == len({trial.case.id for trial in trials})


def test_a_run_under_way_fits_and_breaks_no_word() -> None:
    first, second, third, *_ = plan().of("host")
    error = "ERROR: a line of the tool that goes on for a good while, and says what it met on its way"
    events: list[tuple[float, Event]] = [
        (3, done(first)),
        (5, done(second, ms=None, status="failed", error=error, before=conditions(90.0))),
        (6, Started(third)),
        (7, Progressed(third, 1200, 60_000)),
        (8, Started(plan().of("pixel8")[0])),
        (9, Scoring("comparing outputs")),
    ]
    progress = heard(events)
    narrow, wide = (progress_lines(progress, width, 10.0) for width in (80, 500))
    assert max(map(cell_len, narrow)) <= 80
    assert words_of(narrow) == words_of(wide)
    said = " ".join(" ".join(narrow).split())
    total = len(plan().of("host"))
    assert f"host ━ 2/{total}, 1 failed" in re.sub("[━─]+", "━", said)
    assert f"now {third.id.removeprefix('host/')} 1,200 of 60,000 samples" in said
    assert error in said
    assert re.search(r"10 s, (\d+ min )?\d+ s left", said)
    assert "pixel8" in said


def test_a_real_run_in_a_terminal_of_80_columns(bench: Workbench) -> None:
    said = on_terminal(bench, "run", bench.matrix("float32", "int8", rounds=3).name, columns=80)
    assert max(map(cell_len, lines_of(said))) <= 80
    screen = pyte.Screen(80, 200)
    pyte.Stream(screen).feed(said)
    shown = "\n".join(line.rstrip() for line in screen.display)
    assert re.search(r"host ━{16} 6/6, .*, done", shown)
    assert re.search(r"last host/fashion_mnist\.\w+/xnnpack/t1/r3 [\d.]+ .s on xnnpack", " ".join(shown.split()))
    assert "report: reports/" in shown
