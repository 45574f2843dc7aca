"""A command that is ended from outside: no job runs on, no device stays locked, and it is said how to go on."""

from __future__ import annotations

import os
import pty
import shutil
import signal
import subprocess
import sys
import time
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from benchbench.cli.interrupts import Interrupts
from benchbench.config.inventory import device_file, read_device
from benchbench.device.session import open_session
from benchbench.values.device import Device
from benchbench.values.errors import Interrupted
from tests.beds.benchmark_model import install
from tests.beds.namespaces import processes_of
from tests.beds.phone import Phone
from tests.beds.sshd import Board
from tests.beds.waiting import becomes_true
from tests.workbench import Workbench, outcomes, planned

GUARD_S = 300  # against hangs only


@dataclass(frozen=True)
class Place:
    """A device of the workbench: where its work folder is on this machine, and what runs there."""

    file: Path
    work: Path
    processes: Callable[[], list[int]]

    def measures(self) -> bool:
        """Whether a job is under way."""
        return any(self.work.glob("jobs/*/*/pid"))

    def is_free(self) -> bool:
        """Whether no job runs, and the device can be had without breaking anybody's lock."""
        # A verb that was cut off needs a moment to end; a job would be under way for longer than is waited here.
        if not becomes_true(lambda: not any(map(is_of_a_job, self.processes()))):
            return False
        with open_session(read_device(self.file)) as session:
            return session.notes == []


def is_of_a_job(pid: int) -> bool:
    return "store/" in command(pid) and "agent" not in command(pid)


def command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
    except OSError:
        return ""


@pytest.fixture
def host(bench: Workbench) -> Place:
    return Place(bench.inventory / "host.toml", bench.work, bench.processes)


@pytest.fixture
def everywhere(bench: Workbench, host: Place, board: Board, phone: Phone) -> tuple[Place, ...]:
    """This machine, which waits for the others, a board and a phone."""
    there = device_file(Device(name="board", address=board.address))
    bench.device("board", f'{there}workdir = "{board.workdir}/work"\npython = "{sys.executable}"\n')
    tool = install(bench.folder / "benchmark_model")
    there = device_file(Device(name="phone", address=phone.address))
    bench.device("phone", f'{there}workdir = "{phone.workdir}/work"\nbinary = "{tool}"\n')
    at_phone = phone.path(f"{phone.workdir}/work")
    return (
        host,
        Place(bench.inventory / "board.toml", board.home / "work", lambda: processes_of(board.home.parent)),
        Place(bench.inventory / "phone.toml", at_phone, lambda: processes_of(phone.data.parent)),
    )


def long_matrix(bench: Workbench, *devices: str) -> str:
    """Trials that are under way for as long as it takes to end them."""
    path = bench.matrix("float32", devices=devices or ("host",), rounds=2, measure="max_seconds = 500")
    path.write_text(path.read_text().replace("min_seconds = 0\n", "min_seconds = 400\n", 1))
    return path.name


def begin(bench: Workbench, *arguments: str, **options: Any) -> subprocess.Popen[bytes]:
    settings: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "start_new_session": True}
    return subprocess.Popen(bench.command(*arguments), cwd=bench.folder, env=bench.environment, **settings | options)


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)], ids=["INT", "TERM", "HUP"]
)
def test_a_signal_ends_jobs_gives_devices_back_and_says_how_to_go_on(
    bench: Workbench, everywhere: tuple[Place, ...], number: signal.Signals, code: int
) -> None:
    run = begin(bench, "run", long_matrix(bench, "host", "board", "phone"))
    assert becomes_true(lambda: all(place.measures() for place in everywhere[1:]))
    run.send_signal(number)
    _, said = run.communicate(timeout=GUARD_S)
    assert run.returncode == code, said
    last = said.decode().splitlines()[-1]
    assert last.startswith("benchbench: interrupted (resume with: benchbench run --resume ")
    assert bench.latest().name in last
    assert [place.is_free() for place in everywhere] == [True] * 3
    assert outcomes(bench.latest()) == []  # a trial that was cut off is no result


def test_a_second_ctrl_c_ends_like_the_first(bench: Workbench, everywhere: tuple[Place, ...]) -> None:
    run = begin(bench, "run", long_matrix(bench, "host", "board", "phone"))
    assert becomes_true(lambda: all(place.measures() for place in everywhere[1:]))
    run.send_signal(signal.SIGINT)
    time.sleep(0.05)  # wherever the first one is by now
    run.send_signal(signal.SIGINT)
    _, said = run.communicate(timeout=GUARD_S)
    assert run.returncode == 130, said
    assert "resume with" in said.decode().splitlines()[-1]
    assert [place.is_free() for place in everywhere] == [True] * 3


def test_many_signals_of_other_kinds_end_like_the_first(bench: Workbench, host: Place) -> None:
    run = begin(bench, "run", long_matrix(bench))
    assert becomes_true(host.measures)
    for _ in range(10):
        run.send_signal(signal.SIGTERM)
        run.send_signal(signal.SIGHUP)
        time.sleep(0.01)
    _, said = run.communicate(timeout=GUARD_S)
    assert run.returncode in {129, 143}, said
    assert "resume with" in said.decode().splitlines()[-1]
    assert host.is_free()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interruption_in_a_callback_whose_errors_go_nowhere_is_raised_after_it(number: signal.Signals) -> None:
    """As in those of the import system, which what interrupts a command can find at work."""

    class Thing:
        pass

    def callback(_: object) -> None:
        signal.raise_signal(number)

    def collected() -> None:
        thing = Thing()
        reference = weakref.ref(thing, callback)
        del thing
        assert reference() is None
        time.sleep(GUARD_S)

    before = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    signal.signal(number, signal.default_int_handler)
    try:
        with Interrupts().heard(), pytest.raises(Interrupted) as raised:
            collected()
        assert raised.value.number == number
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def test_who_interrupts_the_page_is_told_how_to_get_it(bench: Workbench, host: Place) -> None:
    run = begin(bench, "run", bench.matrix("float32", rounds=1).name)
    assert run.stdout is not None
    run.stdout.readline()  # the table comes before the page, which takes seconds
    run.send_signal(signal.SIGINT)
    _, said = run.communicate(timeout=GUARD_S)
    assert run.returncode == 130, said
    assert f"benchbench report reports/{bench.latest().name}" in said.decode().splitlines()[-1]
    assert host.is_free()
    bench.benchbench("report", str(bench.latest()))
    assert (bench.latest() / "index.html").is_file()


def test_a_third_ctrl_c_leaves_at_once(bench: Workbench, board: Board) -> None:
    there = device_file(Device(name="board", address=board.address))
    bench.device("board", f'{there}workdir = "{board.workdir}/work"\npython = "{sys.executable}"\n')
    words = bench.folder / "stderr"
    with words.open("wb") as stream:
        run = begin(bench, "run", long_matrix(bench, "board"), stdout=subprocess.DEVNULL, stderr=stream)
    assert becomes_true(lambda: any((board.home / "work").glob("jobs/*/*/pid")))
    board.freeze()  # so that giving it back takes its time

    def press_and_be_told() -> bool:
        run.send_signal(signal.SIGINT)
        return becomes_true(lambda: b"Ctrl-C once more leaves at once" in words.read_bytes(), 1)

    assert any(press_and_be_told() for _ in range(10))  # the second press tells; two that come as one are one
    run.send_signal(signal.SIGINT)
    assert run.wait(timeout=GUARD_S) == 130
    said = words.read_bytes()
    assert b"resume with" not in said
    assert b"Ctrl-C once more leaves at once" in said
    board.thaw()


def test_devices_are_given_back_also_where_they_were_still_being_opened(bench: Workbench, host: Place) -> None:
    """Somewhere between the lock and the first trial, wherever the signal finds it."""
    matrix = long_matrix(bench)
    for _ in range(5):
        shutil.rmtree(bench.work, ignore_errors=True)
        run = begin(bench, "run", matrix)
        assert becomes_true(lambda: any(bench.work.glob("store/*.sh")))
        run.send_signal(signal.SIGTERM)
        _, said = run.communicate(timeout=GUARD_S)
        assert run.returncode == 143, said
        assert host.is_free()


def test_a_hang_up_that_was_inherited_as_ignored_is_ignored(bench: Workbench, host: Place) -> None:
    matrix = bench.matrix("float32", rounds=2)
    command = ["sh", "-c", 'trap "" HUP; exec "$@"', "sh", *bench.command("run", matrix.name)]
    run = subprocess.Popen(command, cwd=bench.folder, env=bench.environment, stderr=subprocess.PIPE)
    assert becomes_true(lambda: any(bench.work.glob("jobs/*/*/pid")))
    run.send_signal(signal.SIGHUP)
    _, said = run.communicate(timeout=GUARD_S)
    assert run.returncode == 0, said
    assert [outcome.status for outcome in outcomes(bench.latest())] == ["ok", "ok"]


@pytest.mark.parametrize("ignored", [False, True], ids=["hang-up", "no signal"])
def test_a_terminal_that_is_closed_ends_like_ctrl_c(bench: Workbench, host: Place, ignored: bool) -> None:
    ours, theirs = pty.openpty()
    trap = 'trap "" HUP; ' if ignored else ""
    matrix = bench.matrix("float32", rounds=200)  # without a signal the next words find it closed
    command = ["setsid", "-c", "sh", "-c", f'{trap}exec "$@"', "sh", *bench.command("run", matrix.name)]
    run = subprocess.Popen(command, cwd=bench.folder, env=bench.environment, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    until = time.monotonic() + GUARD_S
    while not host.measures() and time.monotonic() < until:
        os.read(ours, 4096)  # somebody watches
    os.close(ours)
    assert run.wait(timeout=GUARD_S) == 129
    assert host.is_free()
    assert len(outcomes(bench.latest())) < len(planned(bench.latest()))


def test_a_reader_that_is_gone_ends_like_ctrl_c(bench: Workbench, host: Place) -> None:
    matrix = bench.matrix("float32", rounds=200)
    run = begin(bench, "run", matrix.name, stderr=subprocess.STDOUT)
    assert run.stdout is not None
    run.stdout.readline()
    run.stdout.close()
    assert run.wait(timeout=GUARD_S) == 141
    assert host.is_free()
    assert len(outcomes(bench.latest())) < len(planned(bench.latest()))
