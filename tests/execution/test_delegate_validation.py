"""What `devices` says of delegates: made there with a tiny model, once a boot."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from benchbench.device.session import open_session
from benchbench.execution.delegate_validation import Possible, judged, possible_delegates
from benchbench.execution.prepare import prepare_device
from benchbench.execution.status import device_status
from benchbench.instruments import conditions
from benchbench.runtimes.tflite.runtime import Tflite
from benchbench.values.device import Device, Local, ToolChoice
from benchbench.values.outcome import Delegation, LaunchResult
from tests.accelerators.test_gpu import ON_SWIFTSHADER, SWIFTSHADER
from tests.beds import models
from tests.beds.benchmark_model import install
from tests.beds.namespaces import can_mount
from tests.beds.phone import Phone


def delegates_of(device: Device) -> Mapping[str, Possible]:
    (look,) = device_status([device])
    assert look.state == "ready", look.problem
    return look.delegates


@pytest.fixture
def host(tmp_path: Path) -> Device:
    return Device(name="host", address=Local(), workdir=str(tmp_path / "work"))


def test_the_tiny_model_is_what_the_tests_builder_makes() -> None:
    assert Tflite.tiny_model.read_bytes() == models.conv_model(8, 4, 1, 2)


def test_an_accelerator_with_libraries_that_cannot_be_made_is_not_possible(host: Device, tmp_path: Path) -> None:
    nothing = {"VK_ICD_FILENAMES": str(tmp_path / "nothing.json"), "VK_DRIVER_FILES": str(tmp_path / "nothing.json")}
    found = delegates_of(host.model_copy(update={"env": nothing}))
    assert (found["cpu"], found["xnnpack"]) == (Possible(possible=True), Possible(possible=True))
    assert not found["gpu"].possible
    assert not found["edgetpu"].possible
    assert "libedgetpu" in found["edgetpu"].said
    assert not found["npu"].possible
    assert found["npu"].said


def test_a_gpu_that_takes_the_model_is_possible_and_says_so(host: Device) -> None:
    if not SWIFTSHADER.exists():
        pytest.skip("no software Vulkan device: apt-get install chromium-common")
    found = delegates_of(host.model_copy(update={"env": ON_SWIFTSHADER}))
    assert found["gpu"].possible, found["gpu"]
    assert "SwiftShader" in found["gpu"].said


def test_it_is_tried_once_a_boot_and_toolchain(host: Device) -> None:
    with open_session(host) as session:
        prepared = prepare_device(session, ToolChoice())
        first = possible_delegates(session, prepared)
        record = Path(session.workdir, "store", "tried.json")
        kept = json.loads(record.read_text())
        kept["tried"]["gpu"] = {"possible": True, "said": "as it is kept"}
        record.write_text(json.dumps(kept))
        assert possible_delegates(session, prepared)["gpu"].said == "as it is kept"

        record.write_text(json.dumps(kept | {"boot_id": "another boot"}))
        assert possible_delegates(session, prepared) == first
        record.write_text(json.dumps(kept | {"toolchain": "another tool"}))
        assert possible_delegates(session, prepared)["gpu"] == first["gpu"]
        record.write_text("no record")
        assert possible_delegates(session, prepared) == first


def test_a_phones_delegates_are_tried_with_its_own_tool(phone: Phone, tmp_path: Path) -> None:
    device = Device(
        name="phone",
        address=phone.address,
        workdir=f"{phone.workdir}/work",
        binary=str(install(tmp_path / "benchmark_model")),
    )
    found = delegates_of(device)
    assert found["nnapi"].said
    assert found["gpu"].said
    assert not found["edgetpu"].possible


@pytest.mark.parametrize(
    ("kind", "status", "verdict", "possible"),
    [
        ("gpu", "ok", "full", True),
        ("gpu", "ok", "partial", True),
        ("gpu", "ok", "none", False),
        ("gpu", "ok", "unknown", False),
        ("gpu", "failed", "unavailable", False),
        ("edgetpu", "ok", "none", True),
        ("edgetpu", "failed", "unavailable", False),
        ("nnapi", "ok", "none", False),
    ],
)
def test_possible_means_made_and_used(kind: str, status: str, verdict: str, possible: bool) -> None:
    took = Delegation.model_validate({"asked": kind, "verdict": verdict, "evidence": "what it said"})
    reading = LaunchResult.model_validate({"status": status, "delegation": took, "error": None})
    answer = judged(kind, reading)
    assert answer.possible is possible
    assert answer.said


def test_a_phone_whose_zones_are_roots_has_the_temperature_of_its_thermal_service(phone: Phone) -> None:
    for zone in phone.sys.thermal.glob("*/temp"):
        zone.unlink()
    phone.heat(55.5)
    with open_session(Device(name="phone", address=phone.address, workdir=f"{phone.workdir}/work")) as session:
        assert conditions.now(session).temperature_c == (55.5 if can_mount() else None)
