"""A session over the local transport, in a work folder of its own: its jobs, its hold, its link."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from benchbench.device.session import open_session
from benchbench.transports import Finished, Transport
from benchbench.values.device import Device, Local
from benchbench.values.errors import DeviceBusy, DeviceError, JobGone, LinkLost, Unreachable
from benchbench.values.job import Sampling
from tests.beds.namespaces import can_mount
from tests.beds.sshd import Board
from tests.beds.waiting import becomes_true
from tests.device.jobs import shell


def runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_job_is_run_in_a_folder_of_its_own_with_its_environment_and_files(device: Device, tmp_path: Path) -> None:
    job = shell(
        'cat "in put"; echo "$COLOUR" >&2; echo answer > answer; echo big > output; exit 4',
        env={"COLOUR": "a 'b'"},
        files={"in put": b"given\n"},
        answers=("answer",),
    )
    with open_session(device) as session:
        result = session.run("a", job, outputs_to=tmp_path)
    assert (result.raw.exit_code, result.raw.stdout, result.raw.stderr) == (4, b"given\n", b"a 'b'\n")
    assert result.raw.answers == {"answer": b"answer\n"}
    assert result.retries == ()
    assert (result.before, result.after) == (None, None)  # nobody asked
    assert list(Path(str(device.workdir), "jobs").iterdir()) == []


def test_values_of_a_devices_environment_that_a_tool_repeats_are_not_taken_back(tmp_path: Path) -> None:
    secret = "s3cret-t0ken-of-mine"
    device = Device(
        name="host", address=Local(), workdir=str(tmp_path / "work"), env={"HF_TOKEN": secret, "LEVEL": "1"}
    )
    job = shell("echo out $T $LEVEL; echo err $T >&2; echo answer $T > answer", env={"T": secret}, answers=("answer",))
    with open_session(device) as session:
        raw = session.run("a", replace(job, env={**job.env, **device.env}), outputs_to=tmp_path).raw
    assert (raw.stdout, raw.stderr) == (b"out (HF_TOKEN) 1\n", b"err (HF_TOKEN)\n")
    assert raw.answers == {"answer": b"answer (HF_TOKEN)\n"}


def test_outputs_are_pulled_as_files(device: Device, tmp_path: Path) -> None:
    job = shell("head -c 1000000 /dev/zero > out.bin", outputs=("out.bin",))
    with open_session(device) as session:
        result = session.run("a", job, outputs_to=tmp_path / "kept")
    assert result.outputs == (tmp_path / "kept" / "out.bin",)
    assert result.outputs[0].stat().st_size == 1_000_000


def test_a_job_beyond_its_limit_is_late(device: Device, tmp_path: Path) -> None:
    with open_session(device) as session:
        result = session.run("a", shell("sleep 60", timeout_s=0.5), outputs_to=tmp_path)
    assert result.raw.late


def test_two_controllers_exclude_each_other_and_the_second_is_told_by_whom(device: Device) -> None:
    held = pytest.raises(DeviceBusy, match=f"host is in use by .* pid {os.getpid()}")
    with open_session(device), held, open_session(device):
        pass
    with open_session(device) as session:
        assert session.notes == []


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


def test_a_cancelled_session_ends_its_job_and_gives_the_device_back(device: Device, tmp_path: Path) -> None:
    name = tmp_path / "pid"
    with open_session(device) as session:

        def cancel() -> None:
            assert becomes_true(lambda: name.exists() and name.read_text().endswith("\n"))
            session.cancel()

        canceller = threading.Thread(target=cancel)
        canceller.start()
        with pytest.raises(LinkLost):
            session.run("a", shell(f"echo $$ > '{name}'; exec sleep 60"), outputs_to=tmp_path)
        canceller.join()
    assert not runs(int(name.read_text()))
    with open_session(device) as session:
        assert session.notes == []


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


@pytest.mark.parametrize("link", ["local", "board", "phone"])
def test_a_job_with_all_that_is_read_is_one_round_trip(
    link: str, device: Device, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    if link != "local":
        there = request.getfixturevalue(link)
        device = Device(name=link, address=there.address, workdir=f"{there.workdir}/work")
    sampling = Sampling("load", 1, ("/proc/loadavg",))
    job = shell(
        "until [ -s series.load ]; do sleep 0.1; done; cp request x",
        files={"request": b"given"},
        answers=("x",),
        conditions=True,
        samples=(sampling,),
    )
    verbs: list[str] = []
    with open_session(device) as session:
        run = type(session.transport).run

        def counted(self: Transport, argv: Sequence[str], *, timeout_s: float, stdin: bytes = b"") -> Finished:
            verbs.append(argv[2])
            return run(self, argv, timeout_s=timeout_s, stdin=stdin)

        monkeypatch.setattr(type(session.transport), "run", counted)
        for name in ("a", "b"):
            result = session.run(name, job, outputs_to=tmp_path)
            assert result.raw.answers == {"x": b"given"}
            assert len(result.samples["load"][0].text.split()) == 5
            assert result.before is not None
            assert result.after is not None
            assert {"uptime", "load", "memory_available_kb"} <= result.before.values.keys() & result.after.values.keys()
        assert verbs == ["start", "start"]


@pytest.mark.parametrize(
    ("script", "kept"),
    [("true", True), ("head -c 1m /dev/zero > out.bin", False), ("exit 3", False), ("head -c 1m /dev/zero", False)],
    ids=["little", "outputs", "failed", "chatty"],
)
def test_what_may_be_large_is_removed_as_soon_as_it_is_here(
    script: str, kept: bool, device: Device, tmp_path: Path
) -> None:
    outputs = ("out.bin",) if "out.bin" in script else ()
    with open_session(device) as session:
        session.run("a", shell(script, outputs=outputs), outputs_to=tmp_path)
        assert Path(session.agent.jobs, "a").exists() is kept


def test_a_job_whose_result_was_taken_is_begun_anew_under_the_same_name(device: Device, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with open_session(device) as session:
        for _ in range(2):
            session.run("a", shell(f"echo run >> '{log}'"), outputs_to=tmp_path)
    assert log.read_text() == "run\nrun\n"


def test_a_reading_between_two_jobs_is_one_and_has_one_time(device: Device, tmp_path: Path) -> None:
    job = shell("true", conditions=True)
    with open_session(device) as session:
        last = session.run("0", job, outputs_to=tmp_path)
        for number in range(1, 100):  # on a slow machine more than two seconds may be between two jobs
            between, last = last.after, session.run(str(number), job, outputs_to=tmp_path)
            assert between is not None
            assert last.before is not None
            assert last.after is not None
            if last.before.values == between.values:
                assert last.before.at == between.at
                assert last.before.at <= last.after.at <= datetime.now(UTC)
                return
    pytest.fail("there were always more than two seconds between two jobs")


def test_what_is_sampled_during_a_job_comes_back_with_its_times(device: Device, tmp_path: Path) -> None:
    (tmp_path / "current").write_text("-412000\n")
    sampling = Sampling("power", 1, (str(tmp_path / "current"),))
    job = shell("until [ -s series.power ]; do sleep 0.1; done", samples=(sampling,))
    with open_session(device) as session:
        result = session.run("a", job, outputs_to=tmp_path)
    sample = result.samples["power"][0]
    assert (sample.source, sample.text) == (str(tmp_path / "current"), "-412000")
    assert sample.uptime_s <= float(Path("/proc/uptime").read_text().split()[0])


def test_a_file_once_seen_is_not_asked_for_again(device: Device, tmp_path: Path) -> None:
    library = tmp_path / "lib.so"
    with open_session(device) as session:
        assert not session.has(str(library))
        library.touch()
        assert session.has(str(library))
        library.unlink()
        assert session.has(str(library))
        session.transport.close()
        session.reading()  # over a new link
        assert not session.has(str(library))


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
