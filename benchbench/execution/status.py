"""Devices as `benchbench devices` shows them: state, what they are, and what can run there, with the reasons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from benchbench.device.opening import Absent, opened
from benchbench.device.session import Session
from benchbench.execution.delegate_validation import Possible, possible_delegates
from benchbench.execution.prepare import PreparedDevice, prepare_device
from benchbench.instruments import conditions
from benchbench.runtimes import KINDS
from benchbench.values.device import Device, ToolChoice
from benchbench.values.errors import BenchbenchError, DeviceBusy, SameMachine, Unauthorized, Unreachable

State = Literal["ready", "not equipped", "unauthorized", "offline", "unreachable", "in use", "duplicate", "unusable"]


@dataclass(frozen=True, slots=True)
class DeviceStatus:
    """One device at this moment, and each kind of delegate with whether it is possible there, and what said so."""

    device: Device
    state: State
    delegates: Mapping[str, Possible]
    prepared: PreparedDevice | None = None
    temperature_c: float | None = None
    problem: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """For --json: everything, by name."""
        prepared = self.prepared
        toolchains = prepared.toolchains if prepared else {}
        first = next(iter(toolchains.values()), None)
        return {
            "name": self.device.name,
            "reached": self.device.address.reached,
            "address": self.device.address.model_dump(mode="json", exclude_none=True),
            "file": self.device.source or None,
            "state": self.state,
            "traits": prepared.traits.model_dump(mode="json") if prepared else None,
            "runner": first and first.runner.kind,
            "tool": first and first.tool_version,
            "tools": {
                name: {"runner": toolchain.runner.kind, "version": toolchain.tool_version}
                for name, toolchain in toolchains.items()
            },
            "temperature_c": self.temperature_c,
            "delegates": {
                name: {"possible": answer.possible, "reason": answer.said or None}
                for name, answer in self.delegates.items()
            },
            "problem": self.problem,
        }


def device_status(devices: Sequence[Device]) -> tuple[DeviceStatus, ...]:
    """Every device's state, traits and runner; all at once, and none can spoil the others."""
    with opened(devices, _look, purpose="benchbench devices", patience_s=0) as looks:
        return tuple(_without(look.device, look.error) if isinstance(look, Absent) else look for look in looks)


def _look(session: Session) -> DeviceStatus:
    prepared = prepare_device(session, ToolChoice())
    state: State = "ready" if prepared.toolchains else "not equipped"
    delegates = possible_delegates(session, prepared)
    return DeviceStatus(
        session.device, state, delegates, prepared, conditions.now(session).temperature_c, prepared.problem
    )


def _without(device: Device, error: BenchbenchError) -> DeviceStatus:
    state: State
    match error:
        case DeviceBusy():
            state = "in use"
        case SameMachine():
            state = "duplicate"
        case Unauthorized():
            state = "unauthorized"
        case Unreachable():
            state = "offline" if "offline" in error.message else "unreachable"
        case _:
            state = "unusable"
    return DeviceStatus(
        device, state, dict.fromkeys(KINDS, Possible(possible=False, said=str(error))), problem=str(error)
    )
