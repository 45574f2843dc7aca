"""Links, jobs, devices and controllers that are lost in the middle, on real devices: nothing is lost or done twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from benchbench.device.session import open_session
from benchbench.values.device import Device
from benchbench.values.errors import DeviceBusy, DeviceError, JobGone, LinkLost, Unreachable
from tests.beds.namespaces import can_mount
from tests.beds.sshd import Board
from tests.beds.waiting import becomes_true
from tests.device.jobs import runs, shell


def controller(device: Device, job: str) -> subprocess.Popen[bytes]:
    """Another process that runs a job on the device."""
    script = (
        "import sys; from pathlib import Path; from benchbench.values.device import Device, Local\n"
        "from benchbench.values.job import Job; from benchbench.device.session import open_session\n"
        "device = Device(name='host', address=Local(), workdir=sys.argv[1])\n"
        "with open_session(device) as session:\n"
        "    session.run('a', Job(argv=('sh', '-c', sys.argv[2]), timeout_s=60), outputs_to=Path('.'))\n"
    )
    return subprocess.Popen([sys.executable, "-c", script, str(device.workdir), job])


def test_what_a_killed_controller_left_is_ended_and_its_lock_broken(device: Device, tmp_path: Path) -> None:
    name = tmp_path / "pid"
    other = controller(device, f"echo $$ > '{name}'; exec sleep 60")
    assert becomes_true(lambda: name.exists() and name.read_text().endswith("\n"))
    left = int(name.read_text())
    with pytest.raises(DeviceBusy), open_session(device):
        pass
    other.kill()
    other.wait()
    assert runs(left)
    with open_session(device) as session:
        assert becomes_true(lambda: not runs(left))
        broken, ended = session.notes
    assert broken.startswith("host: a stale lock of ")
    assert ended == "host: ended a, which an earlier run had left"


def test_a_link_lost_for_a_moment_neither_loses_nor_repeats_a_job(device: Device, tmp_path: Path) -> None:
    log, go = tmp_path / "log", tmp_path / "go"
    with open_session(device) as session:

        def cut() -> None:
            assert becomes_true(log.exists)
            session.transport.close()
            go.touch()

        cutter = threading.Thread(target=cut)
        cutter.start()
        job = shell(f"echo run >> '{log}'; until [ -e '{go}' ]; do sleep 0.1; done; echo whole")
        result = session.run("a", job, outputs_to=tmp_path)
        cutter.join()
    assert (result.raw.exit_code, result.raw.stdout) == (0, b"whole\n")
    assert log.read_text() == "run\n"
    assert len(result.retries) == 1


def test_a_job_is_found_again_by_its_name_after_it_was_given_up(device: Device, tmp_path: Path) -> None:
    log = tmp_path / "log"
    job = shell(f"echo run >> '{log}'; sleep 1; echo whole")
    with open_session(device) as session:
        session.agent.start("a", job)
        result = session.run("a", job, outputs_to=tmp_path)
    assert result.raw.stdout == b"whole\n"
    assert log.read_text() == "run\n"


def test_a_job_killed_from_outside_is_told_and_leaves_nothing(
    device: Device, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchbench.device.agent.WAIT_S", 3)  # nobody is left to wake who waits
    name = tmp_path / "pid"
    with open_session(device) as session:
        jobs = Path(session.agent.jobs)

        def kill() -> None:
            assert becomes_true(lambda: name.exists() and name.read_text().endswith("\n"))
            os.kill(int((jobs / "a" / "pid").read_text().split()[0]), signal.SIGKILL)

        killer = threading.Thread(target=kill)
        killer.start()
        with pytest.raises(DeviceError, match="host: the job vanished"):
            session.run("a", shell(f"echo $$ > '{name}'; exec sleep 60"), outputs_to=tmp_path)
        killer.join()
        assert becomes_true(lambda: not runs(int(name.read_text())))
        assert list(jobs.iterdir()) == []


def test_a_start_that_was_cut_off_before_it_began_is_begun_anew(device: Device, tmp_path: Path) -> None:
    with open_session(device) as session:
        begun = Path(session.agent.jobs, "a")
        begun.mkdir()
        (begun / "answers").touch()
        with pytest.raises(JobGone):
            session.run("a", shell("echo anew"), outputs_to=tmp_path)
        assert session.run("a", shell("echo anew"), outputs_to=tmp_path).raw.stdout == b"anew\n"


def test_a_verb_that_breaks_the_link_each_time_is_given_up(device: Device) -> None:
    with open_session(device) as session:
        tried = []

        def breaks() -> None:
            tried.append(1)
            raise LinkLost("again")

        with pytest.raises(LinkLost, match="again"):
            session.surviving(breaks)
        assert len(tried) == 5


def test_a_device_that_comes_back_unusable_is_tried_again_and_again_over_one_link(
    make_board: Callable[..., Board],
) -> None:
    if not can_mount():
        pytest.skip("a disk to remount needs root")
    board = make_board(disk_mb=4)
    with open_session(Device(name="board", address=board.address, workdir="work"), patience_s=3) as session:
        session.transport.run(["sh", "-c", f"rm -f {board.home}/work/store/*.sh"], timeout_s=30)
        board.make_read_only()
        session.transport.close()
        with pytest.raises(Unreachable, match="did not come back"):
            session.reading()
        assert len(board._servers()) <= 3  # the listening one, and the last link with its privileged half


def test_a_device_that_was_lost_before_it_is_given_back_is_not_taken_once_more(device: Device) -> None:
    with open_session(device) as session:
        session.agent.unlock()  # as when its answer is lost with the link, or another had the device meanwhile
    with open_session(device.model_copy(update={"workdir": f"{device.workdir}/other"})):
        pass


def test_a_device_that_was_restarted_before_it_is_given_back_is_free(make_board: Callable[..., Board]) -> None:
    if not can_mount():
        pytest.skip("a boot id of its own needs root")
    board = make_board()
    device = Device(name="board", address=board.address, workdir=board.workdir)
    with open_session(device):
        board.reboot()
    with open_session(device):
        pass
