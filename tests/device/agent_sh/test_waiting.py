"""Who waits for a job is woken by its end, and finds it again under its name."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

from benchbench.device.agent import REFUSED, SCRIPT, parse_reply
from tests.beds.waiting import becomes_true
from tests.device.agent_sh.machine import Machine, pids


def test_a_second_start_of_the_same_name_starts_nothing(machine: Machine) -> None:
    argv = ("sh", "-c", f"echo run >> '{machine.folder}/runs'; until [ -e '{machine.folder}/go' ]; do sleep 0.1; done")
    assert machine.start("a", *argv, wait="0").state in {"RUNNING", "STARTING"}
    (machine.folder / "go").touch()
    assert machine.start("a", *argv).state == "DONE"
    assert machine.start("a", *argv).state == "DONE"
    assert (machine.folder / "runs").read_text() == "run\n"


def test_a_job_outlives_the_verb_that_started_it_and_is_found_again(machine: Machine) -> None:
    reply = machine.start(
        "a", "sh", "-c", f"until [ -e '{machine.folder}/go' ]; do sleep 0.1; done; echo done", wait="0"
    )
    assert reply.state in {"RUNNING", "STARTING"}
    (machine.folder / "go").touch()
    reply = machine.poll("a")
    assert reply.state == "DONE"
    assert reply.raw is not None
    assert reply.raw.stdout == b"done\n"


def in_session(leader: int) -> set[int]:
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, _, session = stat.read_text().rpartition(")")[2].split()[:4]
        except OSError:
            continue
        if int(session) == leader and state != "Z":
            found.add(int(stat.parent.name))
    return found


def test_who_waits_for_a_job_sleeps_once_and_is_woken_by_its_end(machine: Machine) -> None:
    assert machine.hold is not None
    job = ["--", "sh", "-c", f"until [ -e '{machine.folder}/go' ]; do sleep 0.1; done; echo done"]
    waiting = subprocess.Popen(
        ["sh", str(SCRIPT), "start", machine.hold.name, machine.jobs, "a", "900", "900", *job],
        env=os.environ | {"PATH": machine.path},
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    folder = Path(machine.jobs, "a")
    assert becomes_true(lambda: any(folder.glob("asleep.*")) and (folder / "out").exists())
    first = in_session(waiting.pid)
    time.sleep(1)
    assert (len(first), in_session(waiting.pid)) == (2, first)  # the shell and its sleep
    (machine.folder / "go").touch()
    reply = parse_reply(waiting.communicate(timeout=300)[0], limit_s=900)
    assert (reply.state, reply.raw and reply.raw.stdout) == ("DONE", b"done\n")


def test_who_comes_back_to_a_job_is_woken_by_its_end_too(machine: Machine) -> None:
    assert machine.hold is not None
    machine.start("a", "sh", "-c", f"until [ -e '{machine.folder}/go' ]; do sleep 0.1; done", limit="900", wait="0")
    assert becomes_true(Path(machine.jobs, "a", "pid").exists)
    waiting = [
        subprocess.Popen(
            ["sh", str(SCRIPT), "poll", machine.hold.name, machine.jobs, "a", "900"],
            env=os.environ | {"PATH": machine.path},
            stdout=subprocess.PIPE,
        )
        for _ in range(2)
    ]
    assert becomes_true(lambda: len(list(Path(machine.jobs, "a").glob("asleep.*"))) == 2)
    (machine.folder / "go").touch()
    assert all(process.communicate(timeout=300)[0].startswith(b"state=DONE\n") for process in waiting)


def test_a_job_that_never_was_is_absent(machine: Machine) -> None:
    assert machine.poll("nothing").state == "ABSENT"


def test_who_waits_for_a_job_that_is_swept_away_waits_no_longer(machine: Machine) -> None:
    names = machine.folder / "pids"
    assert machine.hold is not None
    job = ["--", "sh", "-c", f"echo $$ > '{names}'; sleep 60"]
    waiting = subprocess.Popen(
        ["sh", str(SCRIPT), "start", machine.hold.name, machine.jobs, "a", "60", "20", *job],
        env=os.environ | {"PATH": machine.path},
        stdout=subprocess.PIPE,
    )
    pids(names)
    began = time.monotonic()
    machine.verb("sweep", machine.jobs)
    assert b"state=" in waiting.communicate(timeout=60)[0]
    assert time.monotonic() - began < 60


def test_who_waits_for_a_job_when_the_device_is_taken_gets_no_result(machine: Machine) -> None:
    assert machine.hold is not None
    machine.start("a", "sh", "-c", "echo begun; sleep 60", wait="0")
    waiting = subprocess.Popen(
        ["sh", str(SCRIPT), "poll", machine.hold.name, machine.jobs, "a", "50"],
        env=os.environ | {"PATH": machine.path},
        stdout=subprocess.PIPE,
    )
    assert becomes_true(lambda: any(Path(machine.jobs, "a").glob("asleep.*")))
    winner = machine.take("winner by=2", 900, "ended", machine.hold.number)
    said = waiting.communicate(timeout=60)[0]
    assert waiting.returncode == REFUSED
    assert said.endswith(b"state=REFUSED\n\n")
    machine.agent("unlock", winner.name, machine.jobs)
