"""One holder at a time: taking, releasing and breaking the lock, and signs of life."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from benchbench.device.agent import REFUSED, SCRIPT
from benchbench.device.lock import Hold
from benchbench.values.key_values import pairs
from tests.beds.namespaces import lock_folder
from tests.beds.waiting import becomes_true
from tests.device.agent_sh.machine import Machine, gone, pids


def test_a_lock_has_one_holder_who_may_take_it_again(machine: Machine) -> None:
    assert machine.hold is not None
    assert machine.take(f"{machine.hold.token} by=me") == machine.hold
    held = machine.lock("you by=you")
    assert (held["state"], held["number"]) == ("held", machine.hold.number)
    assert held["holder"] == f"{machine.hold.token} by=me"
    assert float(held["since"]) <= float(held["now"])


def test_only_the_holder_unlocks(machine: Machine) -> None:
    assert machine.hold is not None
    stranger = replace(machine, hold=replace(machine.hold, token="stranger"))
    stranger.verb("unlock", machine.jobs, expect=REFUSED)
    assert machine.lock("you by=you")["state"] == "held"
    machine.verb("unlock", machine.jobs)
    you = replace(machine, hold=machine.take("you by=you"))
    assert machine.lock("me by=me")["state"] == "held"
    you.verb("unlock", you.jobs)


def test_a_lock_is_broken_only_while_it_is_still_the_one_that_has_ended(machine: Machine) -> None:
    assert machine.hold is not None
    first = machine.take("first by=1", 900, "ended", machine.hold.number)
    late = machine.lock("second by=2", 900, "ended", machine.hold.number)
    assert (late["state"], late["number"], late["holder"]) == ("held", first.number, "first by=1")
    machine.agent("unlock", first.name, machine.jobs)


@pytest.mark.parametrize("free", [False, True], ids=["stale", "free"])
def test_of_many_that_want_a_lock_at_once_one_has_it_and_others_hear_which(machine: Machine, free: bool) -> None:
    assert machine.hold is not None
    number = machine.hold.number
    if free:
        machine.verb("unlock", machine.jobs)
    more = () if free else ("ended", number)
    started = [
        subprocess.Popen(
            ["sh", str(SCRIPT), "lock", "900", f"token{owner} by={owner}", *more],
            env=os.environ | {"PATH": machine.path},
            stdout=subprocess.PIPE,
        )
        for owner in range(12)
    ]
    said = [pairs(process.communicate()[0].decode()) for process in started]
    (winner,) = [owner for owner, reply in enumerate(said) if reply["state"] == "taken"]
    losers = [reply for reply in said if reply["state"] != "taken"]
    assert {(reply["state"], reply["holder"]) for reply in losers} == {("held", f"token{winner} by={winner}")}
    hold = Hold(said[winner]["number"], f"token{winner}", said[winner]["boot"])
    machine.agent("unlock", hold.name, machine.jobs)


def test_every_verb_of_a_hold_that_no_longer_counts_is_refused(machine: Machine) -> None:
    assert machine.hold is not None
    (machine.folder / "store").mkdir()
    sent = machine.folder / "store" / ".sent"
    sent.write_text("x")
    winner = replace(machine, hold=machine.take("winner by=2", 900, "ended", machine.hold.number))
    Path(winner.jobs).mkdir()
    assert winner.start("a", "sh", "-c", "sleep 30", wait="0").state in {"RUNNING", "STARTING"}
    for verb in (
        ("conditions", machine.jobs),
        ("accept", str(sent), f"{sent}.final", "0" * 64, "1", "644"),
        ("sweep", machine.jobs),
        ("start", machine.jobs, "b", "9", "0", "--", "touch", f"{machine.folder}/ran"),
        ("poll", machine.jobs, "a", "0"),
        ("end", machine.jobs, "a"),
        ("unlock", machine.jobs),
        ("clean", str(machine.folder)),
    ):
        assert machine.verb(*verb, expect=REFUSED) == b"state=REFUSED\n\n"
    assert winner.poll("a", wait="0").state == "RUNNING"
    assert not (machine.folder / "ran").exists()
    assert sent.exists()
    winner.verb("unlock", winner.jobs)


def test_who_takes_a_stale_lock_ends_the_job_under_it_in_any_work_folder(machine: Machine) -> None:
    assert machine.hold is not None
    names = machine.folder / "pids"
    machine.start("left", "sh", "-c", f"trap '' TERM HUP; sleep 60 & echo $$ $! > '{names}'; wait", wait="0")
    running = pids(names)
    said = machine.lock("next by=2", 900, "ended", machine.hold.number)
    assert (said["state"], said["why"], said["ended"]) == ("taken", "ended", "left")
    assert all(gone(pid) for pid in running)
    machine.agent("unlock", Hold(said["number"], "next", said["boot"]).name, f"{machine.folder}/elsewhere/jobs/x")


def test_a_job_that_begins_as_its_lock_is_broken_does_not_run(machine: Machine) -> None:
    """The start has been allowed, and its job comes to life only after somebody else has taken the device."""
    assert machine.hold is not None
    winner = machine.take("winner by=2", 900, "ended", machine.hold.number)
    folder = Path(machine.jobs) / "late"
    folder.mkdir()
    ran = str(machine.folder / "ran")
    late = ["sh", str(SCRIPT), "job", str(lock_folder()), machine.hold.number, "9", "touch", ran]
    subprocess.run(late, cwd=folder, env=os.environ | {"PATH": machine.path}, check=False, timeout=60)
    assert not (machine.folder / "ran").exists()
    assert not list(lock_folder().glob("*.job.*"))
    machine.agent("unlock", winner.name, machine.jobs)


def test_a_job_whose_lock_is_broken_before_its_registration_does_not_run(machine: Machine) -> None:
    """Who takes the device just then has looked for jobs before this one could be seen."""
    assert machine.hold is not None
    winner, programs = int(machine.hold.number) + 1, machine.folder / "programs"
    link = lock_folder() / str(winner)
    programs.mkdir()
    (programs / "mkdir").write_text(
        f"#!/bin/sh\ncase $1 in *.job.*) ln -s '{machine.hold.boot} 1 winner by=2' '{link}' ;; esac\n"
        f'exec {shutil.which("mkdir")} "$@"\n'
    )
    (programs / "mkdir").chmod(0o755)
    folder = Path(machine.jobs) / "late"
    folder.mkdir()
    ran = str(machine.folder / "ran")
    late = ["sh", str(SCRIPT), "job", str(lock_folder()), machine.hold.number, "9", "touch", ran]
    path = f"{programs}:{machine.path}"
    subprocess.run(late, cwd=folder, env=os.environ | {"PATH": path}, check=False, timeout=60)
    if not link.is_symlink():
        pytest.skip("this shell has a mkdir of its own")
    assert not (machine.folder / "ran").exists()
    assert not list(lock_folder().glob("*.job.*"))
    machine.agent("unlock", f"{winner}.winner", machine.jobs)


def silence(machine: Machine) -> None:
    """As if the holder's last sign of life were one of when the machine was started, which it has been for minutes."""
    assert machine.hold is not None
    for beat in lock_folder().glob(f"{machine.hold.number}.beat.*"):
        beat.rmdir()
    (lock_folder() / f"{machine.hold.number}.beat.1000000000").mkdir()


def test_a_holder_that_gave_no_sign_for_longer_than_the_limit_has_lost_the_lock(machine: Machine) -> None:
    assert machine.hold is not None
    assert machine.lock("you by=you", 60)["state"] == "held"
    silence(machine)
    said = machine.lock("you by=you", 60)
    assert (said["state"], said["why"]) == ("taken", "silent")
    machine.agent("unlock", Hold(said["number"], "you", said["boot"]).name, machine.jobs)


def test_every_verb_is_a_sign_of_life(machine: Machine) -> None:
    silence(machine)
    machine.verb("conditions", machine.jobs)
    assert machine.lock("you by=you", 60)["state"] == "held"


def test_the_answer_to_who_waited_for_a_job_is_a_sign_of_life(machine: Machine) -> None:
    assert machine.hold is not None
    job = ["--", "sh", "-c", f"until [ -e '{machine.folder}/go' ]; do sleep 0.1; done"]
    waiting = subprocess.Popen(
        ["sh", str(SCRIPT), "start", machine.hold.name, machine.jobs, "a", "900", "900", *job],
        env=os.environ | {"PATH": machine.path},
        stdout=subprocess.PIPE,
    )
    assert becomes_true(lambda: any(Path(machine.jobs, "a").glob("asleep.*")))
    silence(machine)
    (machine.folder / "go").touch()
    assert waiting.communicate(timeout=300)[0].startswith(b"state=DONE\n")
    assert machine.lock("you by=you", 60)["state"] == "held"


def test_signs_of_life_that_cannot_be_cleared_away_cost_nobody_the_device(machine: Machine) -> None:
    assert machine.hold is not None
    for beat in lock_folder().glob("*.beat.*"):
        beat.rmdir()
    for second in range(20):
        beat = lock_folder() / f"{machine.hold.number}.beat.{1_000_000_000 + second}"
        (beat / "left").mkdir(parents=True)
    machine.verb("conditions", machine.jobs)
    for beat in lock_folder().glob("*.beat.*"):
        shutil.rmtree(beat)
