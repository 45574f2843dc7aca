"""The work folder of a device: where it is, what it may be, and how it is cleaned."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from benchbench.device.session import open_session
from benchbench.device.work_folder import clean, workdir_of
from benchbench.values.device import Device
from benchbench.values.errors import DeviceBusy, DeviceError
from tests.beds.namespaces import can_mount
from tests.device.jobs import shell


def test_a_work_folder_that_vanished_with_the_link_is_made_again(device: Device, tmp_path: Path) -> None:
    model = tmp_path / "m.tflite"
    model.write_bytes(b"model")
    with open_session(device) as session:
        session.stage(model)
        subprocess.run(["rm", "-rf", str(device.workdir)], check=True)
        session.transport.close()
        session.reading()
        staged = session.stage(model)
        assert Path(staged).read_bytes() == b"model"
        assert session.run("a", shell("echo hello"), outputs_to=tmp_path).raw.stdout == b"hello\n"


def test_cleaning_leaves_nothing_of_ours_and_all_that_is_not(device: Device, tmp_path: Path) -> None:
    with open_session(device) as session:
        session.run("a", shell("true"), outputs_to=tmp_path)
        with pytest.raises(DeviceBusy):
            clean(device)
    Path(str(device.workdir), "thesis.txt").write_text("precious")
    assert clean(device) == str(device.workdir)
    assert [path.name for path in Path(str(device.workdir)).iterdir()] == ["thesis.txt"]


def test_the_usual_work_folder_is_below_the_home_and_so_is_one_with_a_tilde(device: Device) -> None:
    assert workdir_of(device.model_copy(update={"workdir": None})) == ".cache/benchbench/device"
    assert workdir_of(device.model_copy(update={"workdir": "~/bench"})) == "bench"


def in_a_room(tmp_path: Path, mounts: str, device: Device) -> str:
    """What opening a session says, in a mount namespace of its own."""
    if not can_mount():
        pytest.skip("mounting needs root")
    script = (
        "import sys; from benchbench.values.device import Device, Local\n"
        "from benchbench.values.errors import BenchbenchError\n"
        "from benchbench.device.session import open_session\n"
        "try:\n"
        "    with open_session(Device(name='host', address=Local(), workdir=sys.argv[1])): print('opened')\n"
        "except BenchbenchError as error: print(error)\n"
    )
    room = ["unshare", "-m", "sh", "-c", f'{mounts}; exec "$@"', "sh", sys.executable, "-c", script]
    done = subprocess.run([*room, str(device.workdir)], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.count("\n") == 1, done
    return done.stdout


def test_a_read_only_work_folder_is_one_clear_line(device: Device, tmp_path: Path) -> None:
    Path(str(device.workdir)).mkdir()
    said = in_a_room(tmp_path, f"mount -t tmpfs -o ro t '{device.workdir}'", device)
    assert "host: cannot use the folder" in said
    assert "Read-only" in said
    assert "`workdir` moves it" in said


def test_a_full_work_folder_is_one_clear_line(device: Device, tmp_path: Path) -> None:
    Path(str(device.workdir)).mkdir()
    fill = f"mount -t tmpfs -o size=64k t '{device.workdir}'; head -c 1m /dev/zero > '{device.workdir}/x' 2>/dev/null"
    said = in_a_room(tmp_path, fill, device)
    assert "No space left" in said


def test_a_folder_where_nothing_may_be_executed_is_good_enough_for_python(device: Device, tmp_path: Path) -> None:
    Path(str(device.workdir)).mkdir()
    assert in_a_room(tmp_path, f"mount -t tmpfs -o noexec t '{device.workdir}'", device) == "opened\n"


def test_a_file_in_place_of_the_work_folder_is_named(device: Device) -> None:
    Path(str(device.workdir)).touch()
    with pytest.raises(DeviceError, match=r"host: cannot use the folder .*work folder"), open_session(device):
        pass


def test_a_device_whose_work_folder_fails_once_it_is_taken_is_given_back(device: Device) -> None:
    work = Path(str(device.workdir))
    with open_session(device) as session:
        number = int(session.hold.number)
    (work / "jobs" / f"{session.hold.boot}.{number + 2}").write_text("a file where the folder of the next jobs must be")
    with pytest.raises(DeviceError, match="cannot use"), open_session(device):
        pass
    with open_session(device):
        pass
