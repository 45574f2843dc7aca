"""Whatever a job starts ends with it: at its limit, by itself, or when somebody else comes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.beds.waiting import becomes_true
from tests.device.agent_sh.machine import Machine, gone, pids

DEAF = (
    "trap '' HUP TERM INT; sleep 60 & a=$!; setsid sh -c 'exit 0'; (sleep 60 & echo $$ $a $! > PIDS)"
    "; while :; do echo noise; done"
)


@pytest.mark.parametrize(
    "program", ["echo $$ > PIDS; exec sleep 60", DEAF], ids=["silent", "deaf, chatty and with children"]
)
def test_the_limit_ends_a_program_and_all_its_children(machine: Machine, program: str) -> None:
    names = machine.folder / "pids"
    reply = machine.start("a", "sh", "-c", program.replace("PIDS", f"'{names}'"), limit="1")
    assert reply.state == "DONE"
    assert reply.raw is not None
    assert reply.raw.late
    assert reply.raw.exit_code == 137
    assert reply.tool_s is not None
    assert 0.8 <= reply.tool_s < 60
    assert all(becomes_true(lambda pid=pid: gone(pid)) for pid in pids(names))  # type: ignore[misc]  # bound by default


def test_what_a_program_leaves_behind_is_ended_with_it(machine: Machine) -> None:
    names = machine.folder / "pids"
    reply = machine.start("a", "sh", "-c", f"sleep 60 & echo $! > '{names}'; exit 3")
    assert reply.raw is not None
    assert (reply.raw.exit_code, reply.raw.late) == (3, False)
    assert becomes_true(lambda: gone(*pids(names)))


def test_a_program_that_kills_itself_is_not_called_late(machine: Machine) -> None:
    reply = machine.start("a", "sh", "-c", "kill -9 $$")
    assert reply.raw is not None
    assert (reply.raw.exit_code, reply.raw.late) == (137, False)


def test_end_kills_a_running_job_with_its_children_and_forgets_it(machine: Machine) -> None:
    names = machine.folder / "pids"
    machine.start("a", "sh", "-c", f"trap '' HUP TERM; sleep 60 & echo $$ $! > '{names}'; wait", wait="0")
    running = pids(names)
    machine.verb("end", machine.jobs, "a")
    assert all(becomes_true(lambda pid=pid: gone(pid)) for pid in running)  # type: ignore[misc]  # bound by default
    assert machine.poll("a").state == "ABSENT"
    machine.verb("end", machine.jobs, "a")  # nothing to end is no mistake


def test_a_sweep_ends_what_runs_and_clears_what_is_left(machine: Machine) -> None:
    names = machine.folder / "pids"
    machine.start("done", "true")
    machine.start("running", "sh", "-c", f"echo $$ > '{names}'; exec sleep 60", wait="0")
    (machine.folder / "store").mkdir()
    (Path(machine.jobs) / ".part-1").write_text("broken off")
    (machine.folder / "store" / "kept").write_text("whole")
    (Path(machine.jobs) / "lent").mkdir()
    (running,) = pids(names)
    machine.verb("sweep", machine.jobs)
    assert becomes_true(lambda: gone(running))
    assert list(Path(machine.jobs).iterdir()) == []
    assert [path.name for path in (machine.folder / "store").iterdir()] == ["kept"]


def test_only_one_job_has_the_device_a_forgotten_one_is_ended_by_the_next(machine: Machine) -> None:
    names = machine.folder / "pids"
    machine.start("forgotten", "sh", "-c", f"echo $$ > '{names}'; exec sleep 60", wait="0")
    (forgotten,) = pids(names)
    (Path(machine.jobs) / "lent").mkdir()
    assert machine.start("next", "true").state == "DONE"
    assert becomes_true(lambda: gone(forgotten))
    assert sorted(path.name for path in Path(machine.jobs).iterdir()) == ["lent", "next"]


def test_a_job_whose_leader_was_killed_is_lost_and_its_program_is_ended(machine: Machine) -> None:
    names = machine.folder / "pids"
    machine.start("a", "sh", "-c", f"echo $$ > '{names}'; exec sleep 60", wait="0")
    (program,) = pids(names)
    os.kill(int((Path(machine.jobs) / "a" / "pid").read_text().split()[0]), 9)
    assert machine.poll("a").state == "LOST"
    assert not gone(program)
    machine.verb("end", machine.jobs, "a")
    assert becomes_true(lambda: gone(program))
