"""Devices as `benchbench devices` shows them: state, what they are, and what can run there, with the reasons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from benchbench.delegates import KINDS, Delegate
from benchbench.device import Device, ToolChoice
from benchbench.equip import Equipped, equip
from benchbench.errors import BenchbenchError, DeviceBusy, Unauthorized, Unreachable
from benchbench.session.opening import Absent, opened
from benchbench.session.session import Session

State = Literal["ready", "not equipped", "unauthorized", "offline", "unreachable", "in use", "unusable"]


@dataclass(frozen=True, slots=True)
class Look:
    """One device at this moment; `delegates` maps each kind to why it is not possible there, None = it is."""

    device: Device
    state: State
    equipped: Equipped | None = None
    temperature_c: float | None = None
    problem: str | None = None

    @property
    def delegates(self) -> dict[str, str | None]:
        equipped = self.equipped
        if equipped is None or equipped.equipment is None:
            return dict.fromkeys(KINDS, self.problem or "nothing to measure with")
        return {name: equipped.unsupported_reason(_example(name)) for name in KINDS}

    def as_dict(self) -> dict[str, Any]:
        """For --json: everything, by name."""
        equipped = self.equipped
        equipment = equipped.equipment if equipped else None
        return {
            "name": self.device.name,
            "reached": self.device.address.reached,
            "address": self.device.address.model_dump(mode="json", exclude_none=True),
            "file": self.device.source or None,
            "state": self.state,
            "traits": equipped.traits.model_dump(mode="json") if equipped else None,
            "runner": equipment.runner.kind if equipment else None,
            "tool": equipment.tool_version if equipment else None,
            "temperature_c": self.temperature_c,
            "delegates": {name: {"possible": why is None, "reason": why} for name, why in self.delegates.items()},
            "problem": self.problem,
        }


def _example(kind: str) -> Delegate:
    """A delegate of a kind with nothing special asked of it."""
    from pydantic import TypeAdapter

    needed = {"path": "any.so"} if kind == "external" else {}
    delegate: Delegate = TypeAdapter(Delegate).validate_python({"kind": kind, **needed})
    return delegate


def look_at(devices: Sequence[Device]) -> tuple[Look, ...]:
    """Every device's state, traits and runner; all at once, and none can spoil the others."""
    with opened(devices, _look, purpose="benchbench devices", patience_s=0) as looks:
        return tuple(_without(look.device, look.error) if isinstance(look, Absent) else look for look in looks)


def _look(session: Session) -> Look:
    equipped = equip(session, ToolChoice())
    state: State = "not equipped" if equipped.equipment is None else "ready"
    return Look(session.device, state, equipped, session.conditions().temperature_c, equipped.problem)


def _without(device: Device, error: BenchbenchError) -> Look:
    match error:
        case DeviceBusy():
            return Look(device, "in use", problem=str(error))
        case Unauthorized():
            return Look(device, "unauthorized", problem=str(error))
        case Unreachable():
            return Look(device, "offline" if "offline" in error.message else "unreachable", problem=str(error))
        case _:
            return Look(device, "unusable", problem=str(error))
