"""The lock's folder, which anybody may write to: what stands there is data, and old holds go."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from benchbench.device.agent import REFUSED, SCRIPT
from benchbench.values.key_values import pairs
from tests.beds.namespaces import can_mount, lock_folder
from tests.device.agent_sh.machine import Machine


def test_a_hold_of_an_earlier_boot_counts_no_more_and_its_holder_may_take_it_again(machine: Machine) -> None:
    if not can_mount():
        pytest.skip("a boot id of its own needs root")
    assert machine.hold is not None
    (machine.folder / "boot").write_text("0badcafe-another-boot\n")
    script = (
        f"mount --bind '{machine.folder}/boot' /proc/sys/kernel/random/boot_id || exit; hand='{SCRIPT}'; "
        'sh "$hand" conditions "$1" .; sh "$hand" lock 900 "${1#*.} by=me"; sh "$hand" lock 900 "you by=you"'
    )
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", script, "sh", machine.hold.name],
        env=os.environ | {"PATH": machine.path},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout.startswith("state=REFUSED\n\n"), done
    mine, _, yours = done.stdout.removeprefix("state=REFUSED\n\n").rpartition("state=")
    taken = pairs(mine)
    assert (taken["state"], taken["boot"]) == ("taken", "0badcafe-another-boot")
    assert int(taken["number"]) == int(machine.hold.number) + 1
    assert yours.startswith("held\n")


def test_others_records_are_data_and_never_run(machine: Machine) -> None:
    """Some shells evaluate what stands in brackets in an arithmetic expression."""
    assert machine.hold is not None
    folder, number = lock_folder(), int(machine.hold.number) + 1
    for name in ("1[$(id>r)]", f"{number}.beat.1[$(id>r)]", "1[$(id>r)].job.1.2", f"{number}.job.1[$(id>r)].2"):
        (folder / name).mkdir()
    (folder / str(number)).symlink_to(f"{machine.hold.boot} x[$(id>r)] token by=evil")
    before = set(machine.folder.iterdir())
    assert machine.lock("you by=you", 5)["state"] in {"held", "taken"}
    assert set(machine.folder.iterdir()) == before
    for entry in folder.iterdir():
        entry.unlink() if entry.is_symlink() else entry.rmdir()


@pytest.mark.parametrize("of", ["an earlier boot", "another account"])
def test_a_process_that_is_no_job_is_left_alone_whatever_is_written_down_of_it(machine: Machine, of: str) -> None:
    if not can_mount():
        pytest.skip("a folder of another account needs root")
    assert machine.hold is not None
    bystander = subprocess.Popen(["sleep", "60"], start_new_session=True)
    started = Path(f"/proc/{bystander.pid}/stat").read_text().rpartition(")")[2].split()[19]
    number = int(machine.hold.number) + (1 if of == "an earlier boot" else 0)
    registered = lock_folder() / f"{number}.job.{bystander.pid}.{started}"
    registered.mkdir()
    if of == "an earlier boot":
        (lock_folder() / str(number)).symlink_to("0badcafe-earlier 1 token by=me")
    else:
        os.chown(registered, 4321, 4321)
    machine.take("next by=2", 900, "ended", str(number))
    assert bystander.poll() is None
    assert not registered.exists()
    bystander.kill()
    bystander.wait()


@pytest.mark.parametrize("before", ["true", "mkdir -m 700 $folder", "mkdir -m 1777 $folder"])
def test_the_lock_folder_is_made_open_to_every_account_or_opened_by_its_owner(machine: Machine, before: str) -> None:
    """In a sticky place, as systems have them, by an account that keeps to itself what it makes."""
    folder = lock_folder()
    if not can_mount() or folder.parent != Path("/run/lock"):
        pytest.skip("a place of locks of its own needs root and /run/lock")
    script = (
        f"mount -t tmpfs -o mode=1777 l /run/lock || exit; umask 077; folder='{folder}'; {before}; "
        f"sh '{SCRIPT}' lock 900 'me by=me'; stat -c mode=%a \"$folder\""
    )
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", script],
        env=os.environ | {"PATH": machine.path},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    said = pairs(done.stdout)
    assert (said["state"], said["mode"]) == ("taken", "777"), done


def test_a_lock_folder_that_others_could_not_write_is_named(machine: Machine) -> None:
    if not can_mount():
        pytest.skip("mounting needs root")
    folder = lock_folder()
    for mount in (
        f"mount -t tmpfs -o mode=755,ro l '{folder}'",
        f"mount -t tmpfs -o mode=1777,ro l '{folder}'",
        f"mount -t tmpfs -o mode=777,nr_inodes=1 l '{folder}'",
    ):
        done = subprocess.run(
            ["unshare", "-m", "sh", "-c", f"{mount} && sh '{SCRIPT}' lock 900 'me by=me'"],
            env=os.environ | {"PATH": machine.path},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert pairs(done.stdout) == {"state": "impossible", "place": str(folder)}, done


def test_holds_of_long_ago_are_forgotten_and_their_numbers_not_used_again(machine: Machine) -> None:
    assert machine.hold is not None
    machine.verb("unlock", machine.jobs)
    number, boot = int(machine.hold.number), machine.hold.boot
    for passed in range(2, 80):
        (lock_folder() / str(number + passed)).symlink_to(f"{boot} 1 free")
    hold = machine.take("me by=me")
    assert int(hold.number) == number + 80
    kept = [int(path.name) for path in lock_folder().iterdir() if path.name.isdecimal()]
    assert min(kept) == number + 80 - 64
    machine.agent("conditions", machine.hold.name, machine.jobs, expect=REFUSED)
    machine.agent("unlock", hold.name, machine.jobs)
