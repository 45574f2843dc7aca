"""Small matrices and their plans."""

from __future__ import annotations

from typing import Any

from benchbench.config.matrix import Matrix
from benchbench.plan import Plan, make_plan
from benchbench.runtimes.base import Target
from benchbench.runtimes.tflite.backends import Cpu, Xnnpack
from benchbench.values.case import Variant
from benchbench.values.device import Adb, Device, Local, Ssh, ToolChoice
from benchbench.values.measurement_settings import MeasurementSettings

HOST, PI = Device(name="host", address=Local()), Device(name="rpi5", address=Ssh(host="rpi5"))
PHONE = Device(name="pixel8", address=Adb(serial="R58N"))


def variant(name: str) -> Variant:
    return Variant(family="net", name=name, scheme=name, path=f"/{name}", sha256=name, size_mb=1, nodes=9)


def matrix(**changes: Any) -> Matrix:
    given: dict[str, Any] = {
        "name": "test",
        "source": "matrix.toml",
        "devices": None,
        "threads": (1, 2),
        "affinity": (),
        "delegates": (Cpu(), Xnnpack()),
        "variants": (variant("float32"), variant("int8")),
        "entries": (),
        "datasets": {},
        "samples": {},
        "measure": MeasurementSettings(rounds=3, canary=False),
        "skips": (),
        "tool": ToolChoice(),
    }
    return Matrix(**given | changes)


def planned(asked: Matrix, *devices: Device, seed: int = 7, **selection: Any) -> Plan:
    return make_plan(asked, [Target(device) for device in devices or (HOST,)], seed=seed, **selection)


def reasons(plan: Plan) -> dict[str, str]:
    return {skip.case.id: skip.reason for skip in plan.skips}
