"""A phone beyond what every link does: what happens to its link, to it and to its disk."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import pytest

from benchbench.transports.adb import connect_adb
from benchbench.transports.adb_server import adb_program
from benchbench.values.errors import Late, LinkLost, TransferFailed, Unreachable
from tests.beds.adb_server import AdbServerProcess
from tests.beds.namespaces import can_mount
from tests.beds.phone import Phone
from tests.transports.conftest import WITHOUT_SHELL_V2
from tests.transports.processes import GUARD_S, once_alive, sh, wait_until_alive, wait_until_gone

MakePhone = Callable[..., Phone]


@pytest.fixture
def short_grace(monkeypatch: pytest.MonkeyPatch) -> float:
    """Less patience with a device that does not answer, so that the test is quick."""
    monkeypatch.setattr("benchbench.transports.adb.GRACE_S", 0.7)
    return 0.7


def test_a_phone_that_vanishes_is_a_lost_link_and_works_when_it_is_back(phone: Phone) -> None:
    marker = f"marker-{uuid4()}"
    with closing(connect_adb(phone.address)) as link:
        once_alive(marker, phone.vanish)
        began = time.monotonic()
        with pytest.raises(LinkLost, match="broke off"):
            link.run(sh("echo partial; sleep 500; true", marker), timeout_s=120)
        assert time.monotonic() - began < GUARD_S
        wait_until_gone(marker)
        with pytest.raises((Unreachable, LinkLost)):
            link.run(["true"], timeout_s=5)
    phone.come_back()
    with closing(connect_adb(phone.address)) as link:
        assert link.run(["echo", "hello"], timeout_s=120).text == "hello\n"


def test_an_old_phone_that_vanishes_ends_the_program_at_its_limit(make_phone: MakePhone) -> None:
    phone = make_phone(features=WITHOUT_SHELL_V2)
    marker = f"marker-{uuid4()}"
    with closing(connect_adb(phone.address)) as link:
        once_alive(marker, phone.vanish)
        with pytest.raises(LinkLost):
            link.run(sh("echo partial; sleep 500; true", marker), timeout_s=5)
        wait_until_gone(marker)


def test_a_phone_is_there_again_after_a_reboot(phone: Phone) -> None:
    marker = f"marker-{uuid4()}"
    boot_id = "/proc/sys/kernel/random/boot_id"
    with closing(connect_adb(phone.address)) as link:
        link.run(sh('setsid sh -c "sleep 500; true" "$1" >/dev/null 2>&1 </dev/null &', marker), timeout_s=120)
        wait_until_alive(marker)
        before = link.run(["cat", boot_id], timeout_s=120).text
    phone.reboot()
    wait_until_gone(marker)
    with closing(connect_adb(phone.address)) as link:
        if can_mount():
            assert link.run(["cat", boot_id], timeout_s=120).text != before


def test_a_frozen_phone_is_a_lost_link_soon_after_the_limit(phone: Phone, short_grace: float) -> None:
    with closing(connect_adb(phone.address)) as link:
        phone.freeze()
        began = time.monotonic()
        with pytest.raises(LinkLost):
            link.run(["true"], timeout_s=0.5)
        assert 0.5 < time.monotonic() - began < GUARD_S


def test_a_phone_that_freezes_in_the_middle_is_a_lost_link(phone: Phone, short_grace: float) -> None:
    with closing(connect_adb(phone.address)) as link:
        marker = f"marker-{uuid4()}"
        once_alive(marker, phone.freeze)
        with pytest.raises(LinkLost, match="no answer"):
            link.run(sh("while true; do echo talk; sleep 0.01; done", marker), timeout_s=5)


def test_a_frozen_phone_holds_no_transfer_longer_than_its_limit(phone: Phone, tmp_path: Path) -> None:
    (tmp_path / "source").write_bytes(bytes(30 << 20))
    phone.device.rate = 1e6  # so slow that it is surely frozen in the middle
    with closing(connect_adb(phone.address)) as link:
        threading.Timer(0.02, phone.freeze).start()
        began = time.monotonic()
        with pytest.raises((TransferFailed, LinkLost)):
            link.push(tmp_path / "source", f"{phone.workdir}/target", timeout_s=1)
        with pytest.raises((TransferFailed, LinkLost)):
            link.pull(f"{phone.workdir}/target", tmp_path / "back", timeout_s=1)
        assert time.monotonic() - began < GUARD_S
        assert not (tmp_path / "back").exists()


def test_a_chatty_program_on_a_slow_link_is_late_not_lost(phone: Phone) -> None:
    with closing(connect_adb(phone.address)) as link:
        phone.device.rate = 300_000
        with pytest.raises(Late):
            link.run(sh("while true; do echo talk and talk and talk; done"), timeout_s=1)


def test_a_full_disk_is_named_and_nothing_stays(phone: Phone, tmp_path: Path) -> None:
    phone.device.quota = 3 << 20
    (tmp_path / "source").write_bytes(os.urandom(8 << 20))
    with closing(connect_adb(phone.address)) as link:
        with pytest.raises(TransferFailed, match="No space left on device"):
            link.push(tmp_path / "source", f"{phone.workdir}/target")
        assert link.run(["ls", "-A", phone.workdir], timeout_s=120).text == ""


def test_a_phone_lost_while_a_file_is_on_its_way_leaves_no_target(phone: Phone, tmp_path: Path) -> None:
    (tmp_path / "source").write_bytes(bytes(30 << 20))
    phone.device.rate = 20e6
    with closing(connect_adb(phone.address)) as link:
        threading.Timer(0.4, phone.vanish).start()
        with pytest.raises(LinkLost):
            link.push(tmp_path / "source", f"{phone.workdir}/target")
    assert not phone.path(f"{phone.workdir}/target").exists()


def test_close_from_another_thread_ends_a_transfer(phone: Phone, tmp_path: Path) -> None:
    (tmp_path / "source").write_bytes(bytes(30 << 20))
    phone.device.rate = 1e6  # so slow that it would take half a minute
    link = connect_adb(phone.address)
    threading.Timer(0.3, link.close).start()
    began = time.monotonic()
    with pytest.raises(LinkLost, match="closed"):
        link.push(tmp_path / "source", f"{phone.workdir}/target")
    assert time.monotonic() - began < GUARD_S


def test_many_phones_at_once(make_phone: MakePhone) -> None:
    phones = [make_phone() for _ in range(6)]

    def use(number: int) -> list[str]:
        with closing(connect_adb(phones[number].address)) as link:
            return [link.run(["echo", f"{number}"], timeout_s=120).text for _ in range(10)]

    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(use, range(6))) == [[f"{number}\n"] * 10 for number in range(6)]


def test_a_phone_says_what_it_is_and_how_hot(phone: Phone) -> None:
    phone.heat(66.5)
    phone.charge(42, charging=False)
    with closing(connect_adb(phone.address)) as link:
        assert link.run(["getprop", "ro.product.model"], timeout_s=120).text == "Bench Phone\n"
        assert "[ro.build.version.sdk]: [34]" in link.run(["getprop"], timeout_s=120).text
        assert "level: 42" in link.run(["dumpsys", "battery"], timeout_s=120).text
        assert "mValue=66.5" in link.run(["dumpsys", "thermalservice"], timeout_s=120).text
        if can_mount():
            zone = link.run(sh("cat /sys/class/thermal/thermal_zone0/temp"), timeout_s=120).text
            assert zone == "66500\n"


def test_a_phone_runs_a_pushed_script_with_this_python(phone: Phone, tmp_path: Path) -> None:
    (tmp_path / "tool").write_text(f"#!{sys.executable}\nimport numpy, sys\nprint('numpy', len(sys.argv))\n")
    with closing(connect_adb(phone.address)) as link:
        link.push(tmp_path / "tool", f"{phone.workdir}/tool", mode=0o755)
        assert link.run([f"{phone.workdir}/tool", "--a", "b c"], timeout_s=30).text == "numpy 3\n"


def test_the_real_adb_program_works_with_a_phone(phone: Phone, adb_server: AdbServerProcess, tmp_path: Path) -> None:
    adb = [adb_program(), "-P", str(adb_server.port), "-s", phone.serial]
    connect_adb(phone.address).close()
    assert subprocess.run([*adb, "shell", "exit 3"], check=False).returncode == 3
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "file").write_text("text")
    pushed = subprocess.run([*adb, "push", str(tmp_path / "folder"), phone.workdir], capture_output=True, check=False)
    assert pushed.returncode == 0, pushed
    listed = subprocess.run([*adb, "shell", "ls", phone.workdir], capture_output=True, text=True, check=True)
    assert listed.stdout == "folder\n"
