from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from benchbench.errors import DeviceBusy, DeviceError
from benchbench.session import lock as module
from benchbench.session.hand import SCRIPT
from benchbench.session.lock import STALE_S, Lock, owner_line
from benchbench.transports import Transport
from benchbench.transports.local import LocalTransport


@pytest.fixture
def transport() -> Iterator[Transport]:
    with closing(LocalTransport()) as transport:
        yield transport


def lock(transport: Transport, folder: Path, owner: str | None = None) -> Lock:
    return Lock(transport, str(SCRIPT), str(folder), owner or owner_line())


def words(owner: str, **changes: str) -> str:
    """An owner's line with some of its words changed."""
    user, _, pid, _, start, room = owner.split()
    given = {"user": user, "pid": pid, "start": start, "room": room} | changes
    return f"{given['user']} pid {given['pid']} started {given['start']} {given['room']}"


def test_a_second_controller_is_kept_out_and_told_who_holds_the_device(transport: Transport, tmp_path: Path) -> None:
    first = lock(transport, tmp_path / "lock")
    assert first.take("rpi5") is None
    with pytest.raises(DeviceBusy, match=f"rpi5 is in use by .*@.* pid {os.getpid()} "):
        lock(transport, tmp_path / "lock").take("rpi5")
    first.release()
    assert lock(transport, tmp_path / "lock").take("rpi5") is None


def test_the_lock_of_a_process_that_ended_is_broken_with_a_note(transport: Transport, tmp_path: Path) -> None:
    script = "from benchbench.session.lock import owner_line; print(owner_line())"
    dead = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.strip()
    lock(transport, tmp_path / "lock", dead).take("rpi5")
    note = lock(transport, tmp_path / "lock").take("rpi5")
    assert note == f"rpi5: a stale lock of {dead} was broken: its holder has ended"


def test_another_process_with_the_holders_number_is_not_the_holder(transport: Transport, tmp_path: Path) -> None:
    lock(transport, tmp_path / "lock", words(owner_line(), start="1")).take("rpi5")
    assert "its holder has ended" in str(lock(transport, tmp_path / "lock").take("rpi5"))


@pytest.mark.parametrize("changes", [{"room": "0badcafe-1"}, {"pid": "99999999999"}, {"pid": "²"}, {"pid": "me"}])
def test_a_holder_of_which_nothing_can_be_known_here_is_not_called_dead(
    transport: Transport, tmp_path: Path, changes: dict[str, str]
) -> None:
    gone = words(owner_line(), **{"pid": "999999", **changes})
    lock(transport, tmp_path / "lock", gone).take("rpi5")
    with pytest.raises(DeviceBusy):
        lock(transport, tmp_path / "lock").take("rpi5")


def test_a_lock_from_before_a_restart_is_broken(transport: Transport, tmp_path: Path) -> None:
    lock(transport, tmp_path / "lock").take("rpi5")
    (tmp_path / "lock" / "boot").write_text("another\n")
    assert "the device was restarted since" in str(lock(transport, tmp_path / "lock").take("rpi5"))


def test_a_holder_that_gave_no_sign_for_long_has_lost_the_device(transport: Transport, tmp_path: Path) -> None:
    elsewhere = words(owner_line(), user="x@elsewhere", room="0badcafe-1")
    lock(transport, tmp_path / "lock", elsewhere).take("rpi5")
    beat = tmp_path / "lock" / "beat"
    now = float(beat.read_text())
    beat.write_text(f"{now - STALE_S + 60:.2f}\n")
    with pytest.raises(DeviceBusy):
        lock(transport, tmp_path / "lock").take("rpi5")
    beat.write_text(f"{now - STALE_S - 1:.2f}\n")
    assert "no sign of its holder for 15 minutes" in str(lock(transport, tmp_path / "lock").take("rpi5"))


def test_where_no_lock_can_be_made_the_folder_is_named(transport: Transport, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DeviceError, match=f"rpi5: cannot make {tmp_path}/file/lock"):
        lock(transport, tmp_path / "file" / "lock").take("rpi5")


def test_of_many_controllers_at_once_one_has_the_device(tmp_path: Path) -> None:
    taken, busy = [], []

    def take() -> None:
        with closing(LocalTransport()) as transport:
            try:
                lock(transport, tmp_path / "lock").take("rpi5")
                taken.append(1)
            except DeviceBusy:
                busy.append(1)

    threads = [threading.Thread(target=take) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(taken), len(busy)) == (1, 7)


def test_an_owner_is_a_new_one_each_time_and_one_line() -> None:
    assert owner_line() != owner_line()
    assert len(owner_line().split()) == 6
    assert module.STALE_S > 300
