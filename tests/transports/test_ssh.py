"""SSH beyond what every link does: what happens to a link, to a board and to its disk."""

from __future__ import annotations

import os
import secrets
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import pytest

from benchbench.transports.ssh import connect_ssh
from benchbench.values.errors import LinkLost, TransferFailed, Unreachable
from tests.beds.namespaces import can_mount
from tests.beds.sshd import Board
from tests.transports.processes import GUARD_S, once_alive, sh, wait_until_alive, wait_until_gone

MakeBoard = Callable[..., Board]


@pytest.fixture
def short_grace(monkeypatch: pytest.MonkeyPatch) -> float:
    """Less patience with a device that does not answer, so that the test is quick."""
    monkeypatch.setattr("benchbench.transports.ssh.GRACE_S", 0.7)
    return 0.7


def test_a_killed_session_is_a_lost_link_and_its_program_ends_at_its_limit(board: Board) -> None:
    marker = f"{500 + secrets.randbelow(10**6) / 1e6:.6f}"  # a word of the program's child alone: it has begun then
    with closing(connect_ssh(board.address)) as link:
        once_alive(marker, board.kill_sessions)
        began = time.monotonic()
        with pytest.raises(LinkLost, match="broke off"):
            link.run(sh(f"echo partial; sleep {marker}; true"), timeout_s=5)
        wait_until_gone(marker)
        assert time.monotonic() - began >= 5  # it lived until its limit
        with pytest.raises(LinkLost):
            link.run(["true"], timeout_s=5)


def test_a_link_lost_while_a_file_is_on_its_way_leaves_no_target(board: Board, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(bytes(200 << 20))
    with closing(connect_ssh(board.address)) as link:
        threading.Timer(0.3, board.kill_sessions).start()
        with pytest.raises(LinkLost):
            link.push(source, f"{board.workdir}/target")
    with closing(connect_ssh(board.address)) as link:
        assert link.run(["ls", f"{board.workdir}/target"], timeout_s=120).exit_code != 0


def test_a_frozen_board_is_a_lost_link_soon_after_the_limit(board: Board, short_grace: float) -> None:
    with closing(connect_ssh(board.address)) as link:
        assert link.run(["true"], timeout_s=120).exit_code == 0
        board.freeze()
        began = time.monotonic()
        with pytest.raises(LinkLost):
            link.run(["true"], timeout_s=0.5)
        assert 0.5 < time.monotonic() - began < GUARD_S


def test_a_board_that_freezes_in_the_middle_is_a_lost_link(board: Board, short_grace: float) -> None:
    with closing(connect_ssh(board.address)) as link:
        marker = f"marker-{uuid4()}"
        once_alive(marker, board.freeze)
        with pytest.raises(LinkLost):
            link.run(sh("while true; do echo talk; sleep 0.01; done", marker), timeout_s=5)


def test_a_frozen_board_holds_no_transfer_longer_than_its_limit(board: Board, tmp_path: Path) -> None:
    (tmp_path / "source").write_bytes(bytes(8 << 20))
    with closing(connect_ssh(board.address)) as link:
        link.push(tmp_path / "source", f"{board.workdir}/target")
        board.freeze()
        began = time.monotonic()
        with pytest.raises(TransferFailed, match="not done in time"):
            link.pull(f"{board.workdir}/target", tmp_path / "back", timeout_s=1)
        assert time.monotonic() - began < GUARD_S
        assert not (tmp_path / "back").exists()


def test_a_frozen_board_is_unreachable_in_time(board: Board) -> None:
    board.freeze()
    began = time.monotonic()
    with pytest.raises(Unreachable):
        connect_ssh(board.address, timeout_s=1)
    assert time.monotonic() - began < GUARD_S


def test_a_board_is_there_again_after_a_reboot(board: Board) -> None:
    marker = f"marker-{uuid4()}"
    boot_id = "/proc/sys/kernel/random/boot_id"
    with closing(connect_ssh(board.address)) as link:
        link.run(sh('setsid sh -c "sleep 500; true" "$1" >/dev/null 2>&1 </dev/null &', marker), timeout_s=120)
        wait_until_alive(marker)
        before = link.run(["cat", boot_id], timeout_s=120).text
        board.reboot()
        with pytest.raises(LinkLost):
            link.run(["true"], timeout_s=120)
    with closing(connect_ssh(board.address)) as link:
        wait_until_gone(marker)
        if can_mount():
            assert link.run(["cat", boot_id], timeout_s=120).text != before


def test_a_full_disk_is_named_and_nothing_stays(make_board: MakeBoard, tmp_path: Path) -> None:
    if not can_mount():
        pytest.skip("a small disk needs root")
    board = make_board(disk_mb=4)
    (tmp_path / "source").write_bytes(os.urandom(8 << 20))
    with closing(connect_ssh(board.address)) as link:
        with pytest.raises(TransferFailed, match="no space left on device"):
            link.push(tmp_path / "source", f"{board.workdir}/target")
        assert link.run(["ls", "-A", board.workdir], timeout_s=120).text == ""


def test_a_read_only_disk_is_named(make_board: MakeBoard, tmp_path: Path) -> None:
    if not can_mount():
        pytest.skip("a disk to remount needs root")
    board = make_board(disk_mb=4)
    board.make_read_only()
    (tmp_path / "source").write_bytes(b"x")
    with closing(connect_ssh(board.address)) as link, pytest.raises(TransferFailed, match="Read-only file system"):
        link.push(tmp_path / "source", f"{board.workdir}/target")


def test_a_board_has_a_home_and_sensors_of_its_own(make_board: MakeBoard) -> None:
    if not can_mount():
        pytest.skip("sensors of its own need root")
    for celsius in (50.0, 72.5):
        board = make_board()
        board.heat(celsius)
        with closing(connect_ssh(board.address)) as link:
            read = link.run(sh("pwd; echo $HOME; cat /sys/class/thermal/thermal_zone0/temp"), timeout_s=120).text
        assert read.split() == [str(board.home), str(board.home), f"{celsius * 1000:.0f}"]
