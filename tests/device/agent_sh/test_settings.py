"""Settings that hold for a job: what is read back, and that the device has its own again whatever ends the job."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest

from benchbench.device.agent import read_series
from benchbench.device.session import open_session
from benchbench.values.device import Device, Local
from benchbench.values.job import SETTINGS_GOT, Job, Setting
from tests.beds.controller import Controller
from tests.beds.waiting import becomes_true
from tests.device.agent_sh.machine import Machine, gone, pids


def setting(machine: Machine, value: str = "schedutil") -> Path:
    file = machine.folder / "scaling_governor"
    file.write_text(f"{value}\n")
    return file


def test_a_setting_holds_for_the_job_and_is_read_back(machine: Machine) -> None:
    file, none = setting(machine), machine.folder / "none"
    asked = ("set", str(file), "performance", "set", str(none), "1")
    reply = machine.start("a", "cat", str(file), more=asked)
    assert reply.raw is not None
    assert reply.raw.stdout == b"performance\n"
    assert file.read_text() == "schedutil\n"
    assert not none.exists()
    assert reply.raw.answers == {SETTINGS_GOT: f"{file}=performance\n{none}=\n".encode()}


def test_a_setting_that_the_device_refuses_is_told_as_it_is(machine: Machine) -> None:
    reply = machine.start("a", "true", more=("set", "/proc/version", "9"))
    assert reply.raw is not None
    assert reply.raw.answers[SETTINGS_GOT].startswith(b"/proc/version=Linux")


@pytest.mark.parametrize("what", ["the whole job", "its leader", "a limit"])
def test_a_killed_job_has_its_settings_put_back(machine: Machine, what: str) -> None:
    file, started = setting(machine), machine.folder / "started"
    limit = "1" if what == "a limit" else "60"
    machine.start(
        *("a", "sh", "-c", f"echo $PPID > '{started}'; exec sleep 60"),
        wait="0",
        limit=limit,
        more=("set", str(file), "performance"),
    )
    (leader,) = pids(started)
    if what == "a limit":
        assert becomes_true(lambda: file.read_text() == "schedutil\n")
        return
    assert file.read_text() == "performance\n"
    if what == "its leader":  # as a device that is out of memory does
        os.kill(leader, signal.SIGKILL)
        assert becomes_true(lambda: gone(leader))
    machine.verb("end", machine.jobs, "a")
    assert file.read_text() == "schedutil\n"


def test_who_takes_the_device_puts_back_what_the_earlier_holders_job_set(machine: Machine) -> None:
    file, started = setting(machine), machine.folder / "started"
    script = f"echo $PPID > '{started}'; exec sleep 60"
    machine.start("a", "sh", "-c", script, wait="0", limit="60", more=("set", str(file), "performance"))
    pids(started)
    assert file.read_text() == "performance\n"
    assert machine.hold is not None
    later = replace(machine, hold=machine.take("feed by=you", 900, "ended", machine.hold.number))
    assert file.read_text() == "schedutil\n"
    later.verb("unlock", later.jobs)


def test_commands_are_sampled_and_may_be_functions_of_the_agent(machine: Machine) -> None:
    commands = ("$echo one; echo two", "$say load 3", "$no-such-command")
    sampled = tuple(word for command in commands for word in ("sample", "slow", "1", command))
    script = 'until [ "$(wc -l < series.slow)" -ge 3 ]; do sleep 0.1; done'
    reply = machine.start("a", "sh", "-c", script, more=sampled)
    told = [(one.source, one.text) for one in read_series(reply.series["slow"], commands)[:3]]
    assert told == [(commands[0], "one"), (commands[0], "two"), (commands[1], "load=3")]


def test_a_controller_that_is_killed_leaves_the_device_as_it_was(tmp_path: Path) -> None:
    """kill -9 of the controller: the job goes on, and puts back what it set when it ends."""
    file, go = tmp_path / "governor", tmp_path / "go"
    file.write_text("schedutil\n")
    device = Device(name="host", address=Local(), workdir=str(tmp_path / "work"))
    script = f"until [ -e '{go}' ]; do sleep 0.05; done"
    with Controller(device, "a test", settings={str(file): "performance"}) as controller:
        assert controller.answer() == "taken"
        controller.begin("a", script)
        assert becomes_true(lambda: file.read_text() == "performance\n")
        controller.kill()
        assert file.read_text() == "performance\n"
        go.touch()
        assert becomes_true(lambda: file.read_text() == "schedutil\n")


def test_settings_of_a_session_are_answers_of_the_job(tmp_path: Path) -> None:
    file = tmp_path / "governor"
    file.write_text("schedutil\n")
    device = Device(name="host", address=Local(), workdir=str(tmp_path / "work"))
    with open_session(device) as session:
        job = Job(argv=("cat", str(file)), timeout_s=60, settings=(Setting(str(file), "performance"),))
        result = session.run("a", job, outputs_to=tmp_path)
    assert result.raw.stdout == b"performance\n"
    assert result.raw.answers == {SETTINGS_GOT: f"{file}=performance\n".encode()}
