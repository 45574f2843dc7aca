"""The lock of this machine, as a controller takes it."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from benchbench.device.agent import SCRIPT, Agent
from benchbench.device.lock import Claim, Hold, Holder, in_use
from benchbench.transports import Transport
from benchbench.transports.local import LocalTransport
from benchbench.values.errors import DeviceBusy, DeviceError, HoldLost


@pytest.fixture
def transport() -> Iterator[Transport]:
    with closing(LocalTransport()) as transport:
        yield transport


class Controllers:
    """Take this machine, and give it back at the end of the test."""

    def __init__(self, transport: Transport, folder: Path) -> None:
        self.transport, self.folder = transport, folder
        self.hands: list[Agent] = []

    def take(self, claim: Claim) -> tuple[Hold, list[str]]:
        hold, notes = claim.take(self.transport, str(SCRIPT), "rpi5")
        self.hands.append(Agent(self.transport, str(SCRIPT), hold.name, hold.jobs(str(self.folder)), "rpi5"))
        return hold, notes

    def release(self) -> None:
        for agent in self.hands:
            try:
                agent.unlock()
            except HoldLost:
                continue


@pytest.fixture
def controllers(transport: Transport, tmp_path: Path) -> Iterator[Controllers]:
    controllers = Controllers(transport, tmp_path)
    yield controllers
    controllers.release()


def test_a_second_controller_is_kept_out_and_told_by_whom_and_what_for(controllers: Controllers) -> None:
    mine = Claim.new("run night")
    controllers.take(mine)
    with pytest.raises(
        DeviceBusy, match=rf"rpi5 is in use by .*@.* pid {mine.holder.pid} \(run night, since ..:.."
    ) as told:
        controllers.take(Claim.new("run day"))
    assert "--wait" in told.value.remedy
    assert told.value.transient  # a resumed run may find it free
    controllers.release()
    assert controllers.take(Claim.new("run day"))[1] == []


def test_the_lock_of_a_process_that_ended_is_broken_with_a_note(controllers: Controllers) -> None:
    script = "from benchbench.device.lock import Holder; print(Holder.here('run night').text)"
    dead = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.strip()
    left = Claim("left", Holder.read(dead))
    controllers.take(left)
    assert controllers.take(Claim.new("run day"))[1] == [
        f"rpi5: a stale lock of {left.holder} was broken: its holder has ended"
    ]


def test_another_process_with_the_holders_number_is_not_the_holder(controllers: Controllers) -> None:
    controllers.take(Claim("other", replace(Holder.here("run night"), start="1")))
    (note,) = controllers.take(Claim.new("run day"))[1]
    assert "its holder has ended" in note


@pytest.mark.parametrize("changes", [{"pids": "0badcafe"}, {"pid": "99999999999"}, {"pid": "²"}, {"pid": "me"}])
def test_a_holder_of_which_nothing_can_be_known_here_is_not_called_dead(
    controllers: Controllers, changes: dict[str, str]
) -> None:
    controllers.take(Claim("gone", replace(Holder.here("run night"), **{"pid": "999999", **changes})))
    with pytest.raises(DeviceBusy):
        controllers.take(Claim.new("run day"))


def test_a_holder_that_gave_no_sign_for_long_has_lost_the_device(controllers: Controllers) -> None:
    elsewhere = Claim("elsewhere", replace(Holder.here("run night"), pids="0badcafe"))
    controllers.take(elsewhere)
    with pytest.raises(DeviceBusy):
        controllers.take(Claim.new("run day", stale_s=600))
    (note,) = controllers.take(Claim.new("run day", stale_s=-1))[1]
    assert "no sign of its holder for" in note
    with pytest.raises(DeviceBusy):
        controllers.take(elsewhere)


def test_a_machine_without_a_place_for_its_lock_is_told_of_in_words(transport: Transport, tmp_path: Path) -> None:
    (tmp_path / "agent.sh").write_text("echo state=impossible; echo place=/run/lock/benchbench.lock\n")
    with pytest.raises(DeviceError, match=r"rpi5: .*/run/lock/benchbench\.lock") as told:
        Claim.new("run").take(transport, str(tmp_path / "agent.sh"), "rpi5")
    assert not isinstance(told.value, DeviceBusy)
    assert "chmod 777 /run/lock/benchbench.lock" in told.value.remedy


def test_of_many_controllers_at_once_one_has_the_device(controllers: Controllers) -> None:
    taken, busy = [], []

    def take() -> None:
        with closing(LocalTransport()) as transport:
            try:
                taken.append(Claim.new("run").take(transport, str(SCRIPT), "rpi5")[0])
            except DeviceBusy as error:
                busy.append(error)

    threads = [threading.Thread(target=take) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(taken), len(busy)) == (1, 7)
    controllers.hands.append(
        Agent(controllers.transport, str(SCRIPT), taken[0].name, taken[0].jobs("/tmp/none"), "rpi5")
    )


def test_what_stands_in_a_lock_is_a_holder_whatever_anybody_wrote_there() -> None:
    mine = Holder.here('a "run"\n of\x1b[31m ünïcode=1')
    assert len(mine.text.split()) == 5
    assert mine.text.isascii()
    read = Holder.read(mine.text)
    assert read == replace(mine, purpose='a "run"? of?[31m ünïcode=1')
    assert Holder.read("") == Holder.read("x y=z =") == Holder("?", "?", "?", "?", "?")


@pytest.mark.parametrize(
    ("since", "now", "words"),
    [
        ("100.5", "142.6", "for 42 s"),
        ("100.5", "7700.5", "for 2 h 06 min"),
        ("200.5", "100", "(run night)"),
        ("x", "1", "(run night)"),
        ("nan", "1", "(run night)"),
    ],
)
def test_how_long_a_device_has_been_in_use_is_told_in_readable_words(since: str, now: str, words: str) -> None:
    told = in_use("rpi5", {"holder": "token by=ann@desk for=run%20night pid=7", "since": since, "now": now})
    assert told.startswith("rpi5 is in use by ann@desk pid 7 (run night")
    assert words in told
