"""Settings on request: what a device is asked for, what it says of it, and that it has its own again."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchbench.device.session import Session, open_session
from benchbench.instruments import measured
from benchbench.instruments.settings import SettingsOnRequest
from benchbench.values.conditions import SettingSeen
from benchbench.values.device import Device, Local
from benchbench.values.job import Job
from benchbench.values.measurement_settings import MeasurementSettings
from tests.beds.controller import Controller
from tests.beds.namespaces import can_mount
from tests.beds.phone import Phone
from tests.beds.waiting import becomes_true

pytestmark = pytest.mark.skipif(not can_mount(), reason="sysfs of its own needs root")
STAY_ON = ("global", "stay_on_while_plugged_in")


def asked_of(session: Session, **asked: object) -> SettingsOnRequest:
    return SettingsOnRequest.of(session.reading(), session.probe(), MeasurementSettings.model_validate(asked))


def seen_of(session: Session, settings: SettingsOnRequest, job: Job, folder: Path) -> tuple[bytes, list[SettingSeen]]:
    result, seen = measured(session, "a", job, outputs_to=folder, instruments=(settings,))
    found = seen["settings"]
    assert isinstance(found, tuple)
    return result.raw.stdout, list(found)


def test_a_phone_runs_with_the_governor_awake_and_has_its_own_again(phone: Phone, tmp_path: Path) -> None:
    device = Device(name="phone", address=phone.address, workdir=f"{phone.workdir}/work")
    governors = sorted((phone.sys.cpu / "cpufreq").glob("*/scaling_governor"))
    with open_session(device) as session:
        settings = asked_of(session, governor="performance", stay_awake=True)
        look = "cat /sys/devices/system/cpu/cpufreq/*/scaling_governor; settings get global stay_on_while_plugged_in"
        said, seen = seen_of(session, settings, Job(argv=("sh", "-c", look), timeout_s=60), tmp_path)
    assert said.split() == [b"performance"] * len(governors) + [b"7"]
    assert [(one.name, one.got, one.held) for one in seen] == [
        *[("governor", "performance", True)] * len(governors),
        ("stay awake", "7", True),
    ]
    assert {file.read_text() for file in governors} == {"schedutil\n"}
    assert phone.setting(*STAY_ON) is None


def test_a_phone_that_restarts_sleeps_again_as_before(phone: Phone) -> None:
    """Android keeps settings over a restart, and the controller is gone: whoever opens the phone next puts it back."""
    device = Device(name="phone", address=phone.address, workdir=f"{phone.workdir}/work")
    with Controller(device, "a test", settings={"/".join(STAY_ON): "7"}) as controller:
        assert controller.answer() == "taken"
        controller.begin("a", "sleep 100")
        assert becomes_true(lambda: phone.setting(*STAY_ON) == "7")
        controller.kill()
        phone.reboot()
    assert phone.setting(*STAY_ON) == "7"
    with open_session(device):
        assert phone.setting(*STAY_ON) is None


def test_a_task_profile_that_changes_nothing_is_not_believed(phone: Phone, tmp_path: Path) -> None:
    device = Device(name="phone", address=phone.address, workdir=f"{phone.workdir}/work")
    tool = phone.path("/system/bin/settaskprofile")
    with open_session(device) as session:
        settings, job = asked_of(session, task_profile="MaxPerformance"), Job(argv=("echo", "ran"), timeout_s=60)
        said, (missing,) = seen_of(session, settings, job, tmp_path)
        tool.write_text("#!/bin/sh\nexit 0\n")
        tool.chmod(0o755)
        said_again, (idle,) = seen_of(session, settings, job, tmp_path)
    assert said == said_again == b"ran\n"
    assert (missing.asked, missing.held, idle.held) == ("MaxPerformance", False, False)
    assert "settaskprofile" in str(missing.got)


def test_cores_that_a_launch_is_pinned_to_are_read_back(tmp_path: Path) -> None:
    device = Device(name="host", address=Local(), workdir=str(tmp_path / "work"))
    with open_session(device) as session:
        job = Job(argv=("taskset", "1", "sh", "-c", "grep Cpus_allowed_list: /proc/self/status"), timeout_s=60)
        said, seen = seen_of(session, asked_of(session), job, tmp_path)
    assert said.split() == [b"Cpus_allowed_list:", b"0"]
    assert seen == [SettingSeen(name="affinity", asked="1", got="1")]


def test_a_device_that_has_no_governors_and_is_no_phone_says_so(tmp_path: Path) -> None:
    device = Device(name="host", address=Local(), workdir=str(tmp_path / "work"))
    with open_session(device) as session:
        if any(key.startswith("governor.") for key in session.reading().values):
            pytest.skip("this machine has governors")
        settings = asked_of(session, governor="performance", stay_awake=True, task_profile="MaxPerformance")
        _, seen = seen_of(session, settings, Job(argv=("true",), timeout_s=60), tmp_path)
    assert [(one.name, one.asked, one.there, one.held) for one in seen] == [
        ("governor", "performance", False, False),
        ("stay awake", "7", False, False),
        ("task profile", "MaxPerformance", False, False),
    ]
