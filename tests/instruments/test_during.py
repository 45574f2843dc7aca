"""What a device goes through while a job runs."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from benchbench.device.session import open_session
from benchbench.instruments import instruments_of, measured
from benchbench.values.conditions import Conditions, DuringConditions
from benchbench.values.device import Device
from benchbench.values.job import Job
from benchbench.values.measurement_settings import MeasurementSettings
from tests.beds.namespaces import can_mount
from tests.beds.phone import Phone
from tests.beds.sshd import Board

pytestmark = pytest.mark.skipif(not can_mount(), reason="sensors of their own need root")
# Until the sampler has looked before the heat and after it.
UNTIL_SEEN = "until [ $(grep -c ' 1200000' series.conditions) -ge 2 ]; do sleep 0.1; done"


@pytest.mark.parametrize("kind", ["phone", "board"])
def test_heat_that_comes_and_goes_during_a_job_is_seen(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    bed: Phone | Board = request.getfixturevalue(kind)
    device = Device(name=kind, address=bed.address, workdir=f"{bed.workdir}/work")

    def heat_up() -> None:
        bed.sys.clock(1_200_000)
        bed.sys.heat(78)

    with open_session(device) as session:
        instruments = instruments_of(session.reading(), session.probe(), MeasurementSettings())
        timer = threading.Timer(1.0, heat_up)
        timer.start()
        _, seen = measured(
            session,
            "a",
            Job(argv=("sh", "-c", UNTIL_SEEN), timeout_s=120),
            outputs_to=tmp_path,
            instruments=instruments,
        )
        timer.join()
    before, during = seen["before"], seen["during"]
    assert isinstance(before, Conditions)
    assert isinstance(during, DuringConditions)
    assert (before.throttled, before.temperature_c) == ((), 41.0)
    assert during.temperature_c == 78.0
    assert set(during.temperatures_c) == {"cpu_thermal#0", "gpu_thermal#1"}  # the battery tells nothing of computing
    assert set(during.lowest_clocks_mhz.values()) == {1200.0}
    assert any(flag.endswith("capped at 1200 of 2850 MHz") for flag in during.throttled)
    assert during.looks >= 2
    told = {(one.quantity, one.sensor): one for one in during.series}
    heat = told["temperature", "cpu_thermal#0"]
    assert (heat.value[0], heat.value[-1]) == (41.0, 78.0)
    assert 0 <= heat.second[0] < heat.second[-1]
    assert list(heat.second) == sorted(heat.second)
    assert {sensor for quantity, sensor in told if quantity == "clock"} == set(during.clocks_mhz)
    assert {sensor for quantity, sensor in told if quantity == "clock limit"} == set(during.clocks_mhz)
    assert during.began is not None
    assert before.at <= during.began
    quantities = seen["quantities"]
    assert isinstance(quantities, dict)
    assert quantities["above_idle_c"] == 0


def test_a_phones_thermal_service_is_asked_meanwhile(phone: Phone, tmp_path: Path) -> None:
    device = Device(name="phone", address=phone.address, workdir=f"{phone.workdir}/work")
    with open_session(device) as session:
        instruments = instruments_of(session.reading(), session.probe(), MeasurementSettings())
        phone.throttle(3, 70)
        script = "until [ -s series.throttling ]; do sleep 0.1; done"
        job = Job(argv=("sh", "-c", script), timeout_s=120)
        _, seen = measured(session, "a", job, outputs_to=tmp_path, instruments=instruments)
    during = seen["during"]
    assert isinstance(during, DuringConditions)
    assert during.throttled == ("thermal status severe",)
    (flag,) = (one for one in during.series if one.quantity == "throttled")
    assert (flag.sensor, set(flag.value)) == ("thermal status severe", {1.0})
