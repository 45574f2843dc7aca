"""What the device tells of itself: once, around jobs, and while they run."""

from __future__ import annotations

import os
import subprocess
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from benchbench.device.agent import SCRIPT, read_series
from benchbench.instruments.conditions import read_conditions
from benchbench.values.job import RawConditions
from benchbench.values.key_values import pairs
from tests.beds.namespaces import can_mount
from tests.beds.waiting import becomes_true
from tests.device.agent_sh.machine import Machine


@pytest.mark.parametrize(("seconds", "used"), [(1000, True), (-100, False)], ids=["fresh", "old"])
def test_the_reading_before_a_job_is_the_last_one_while_it_is_fresh(machine: Machine, seconds: int, used: bool) -> None:
    now = float(Path("/proc/uptime").read_text().split()[0])
    last = Path(machine.jobs) / "reading"
    last.write_text(f"{now + seconds}\n")
    first = machine.start("a", "true", more=("conditions",))
    assert (first.before == {"uptime": f"{now + seconds}"}) is used
    assert ("load" in first.before, "load" in first.after) == (not used, True)
    assert last.read_text() == first.after["uptime"] + "\n"


def test_a_reading_on_its_own_serves_as_that_before_the_next_job(machine: Machine) -> None:
    said = pairs(machine.verb("conditions", machine.jobs).decode())
    assert (Path(machine.jobs) / "reading").read_text() == said["uptime"] + "\n"


def test_a_reading_serves_one_job_only(machine: Machine) -> None:
    (Path(machine.jobs) / "reading").write_text("1000000000\n")
    assert machine.start("a", "true", wait="0", more=("conditions",)).state in {"DONE", "RUNNING", "STARTING"}
    assert machine.start("b", "true", more=("conditions",)).before.keys() > {"uptime"}


def with_tools(machine: Machine, **scripts: str) -> Machine:
    """The machine with further commands; each may wait for a file with `wait_for`, a while."""
    tools = machine.folder.parent / "tools"
    tools.mkdir()
    wait_for = 'wait_for() { n=0; until [ -e "$1" ]; do n=$((n + 1)); [ $n -lt 300 ] || return; sleep 0.1; done; }'
    for name, script in scripts.items():
        (tools / name).write_text(f"#!/bin/sh\ncd '{tools}' || exit\n{wait_for}\n{script}\n")
        (tools / name).chmod(0o755)
    return replace(machine, path=f"{tools}:{machine.path}")


def test_services_that_take_their_time_are_asked_at_the_same_time(machine: Machine) -> None:
    """Each answers when the other has been asked."""
    asked = ': > "$1"; wait_for battery && wait_for thermalservice || exit'
    phone = with_tools(machine, dumpsys=f"{asked}\necho '  level: 85'; echo 'Thermal Status: 2'")
    said = pairs(phone.verb("conditions", phone.jobs).decode())
    assert (next(iter(said)), said["battery"], said["thermal_status"]) == ("uptime", "85", "2")


def test_a_device_is_read_while_what_a_tool_has_left_is_being_ended(machine: Machine) -> None:
    """A setting is put back, which ends a job, when the device has been read after its tool."""
    over = machine.folder.parent / "tools" / "over"
    phone = with_tools(
        machine,
        dumpsys="[ ! -e over ] || echo > read",
        settings='case $1 in get) echo 1 ;; put) [ ! -e over ] || { wait_for read && echo > "in time"; } ;; esac',
    )
    reply = phone.start("a", "touch", str(over), wait="90", more=("set", "global/x", "2", "conditions"))
    assert reply.state == "DONE"
    assert reply.after.keys() > {"uptime", "load"}
    assert (over.parent / "in time").exists()


def test_files_are_sampled_while_a_job_runs(machine: Machine) -> None:
    current, other = machine.folder / "cur rent", machine.folder / "other"
    current.write_text("-412\\n000\n")
    other.write_text("first\nsecond")
    sampled = ("sample", "power", "1", str(current), "sample", "power", "1", str(other), "sample", "none", "1", "/none")
    script = 'until [ "$(wc -l < series.power)" -ge 6 ]; do sleep 0.1; done'
    reply = machine.start("a", "sh", "-c", script, more=sampled)
    assert reply.state == "DONE"
    assert reply.series["none"] == b""
    series = read_series(reply.series["power"], [str(current), str(other)])
    assert len(series) >= 6
    assert [(s.source, s.text) for s in series[:3]] == [
        (str(current), "-412\\n000"),
        (str(other), "first"),
        (str(other), "second"),
    ]
    assert series[3].uptime_s - series[0].uptime_s >= 0.9
    assert reply.raw is not None
    assert reply.raw.answers == {}


def at_work_in(folder: Path) -> list[str]:
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if folder in (process / "cwd").readlink().parents:
                found.append(process.name)
    return found


def test_sampling_ends_with_the_job(machine: Machine) -> None:
    machine.start("a", "true", more=("sample", "load", "1", "/proc/loadavg"))
    assert becomes_true(lambda: at_work_in(Path(machine.jobs)) == [])


def test_a_probe_says_what_the_machine_is(machine: Machine) -> None:
    said = pairs(machine.agent("probe", expect=None).decode())
    assert said["kernel"] == "Linux"
    assert float(said["memory_kb"]) > 1000
    assert said["online"]
    assert said["boot_id"]


DUMPSYS = Path(__file__).parents[4] / "shared" / "cases" / "23-phone-temperatures-only-in-dumpsys" / "dumpsys"


@pytest.mark.skipif(not DUMPSYS.exists(), reason="the cases are not here")
def test_where_no_zone_can_be_read_the_thermal_service_tells_the_temperature(machine: Machine) -> None:
    if not can_mount():
        pytest.skip("a machine without thermal zones needs root")
    assert machine.hold is not None
    done = subprocess.run(
        [
            "unshare",
            "-m",
            "sh",
            "-c",
            'mount -t tmpfs none /sys/class/thermal; exec sh "$@"',
            "sh",
            str(SCRIPT),
            "conditions",
            machine.hold.name,
            machine.jobs,
        ],
        env=os.environ | {"PATH": f"{DUMPSYS.parent}:{machine.path}"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    seen = read_conditions(RawConditions(datetime.now(UTC), pairs(done.stdout)))
    assert seen.temperature_c == pytest.approx(62.5, abs=0.01)
    assert set(seen.temperatures_c) == {"CPU0", "GPU", "VIRTUAL-SKIN"}
    assert (seen.battery_percent, seen.charging, seen.throttled) == (85, True, ())
