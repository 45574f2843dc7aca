"""Devices as `benchbench devices` shows them: state, what they are, and what can run there, with the reasons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from benchbench.delegates import KINDS
from benchbench.device import Device, ToolChoice
from benchbench.equip import Equipped, equip
from benchbench.errors import BenchbenchError, DeviceBusy, SameMachine, Unauthorized, Unreachable
from benchbench.session.opening import Absent, opened
from benchbench.session.session import Session
from benchbench.tryout import Possible, possible_delegates

State = Literal["ready", "not equipped", "unauthorized", "offline", "unreachable", "in use", "duplicate", "unusable"]


@dataclass(frozen=True, slots=True)
class Look:
    """One device at this moment, and each kind of delegate with whether it is possible there, and what said so."""

    device: Device
    state: State
    delegates: Mapping[str, Possible]
    equipped: Equipped | None = None
    temperature_c: float | None = None
    problem: str | None = None

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
            "delegates": {
                name: {"possible": answer.possible, "reason": answer.said or None}
                for name, answer in self.delegates.items()
            },
            "problem": self.problem,
        }


def look_at(devices: Sequence[Device]) -> tuple[Look, ...]:
    """Every device's state, traits and runner; all at once, and none can spoil the others."""
    with opened(devices, _look, purpose="benchbench devices", patience_s=0) as looks:
        return tuple(_without(look.device, look.error) if isinstance(look, Absent) else look for look in looks)


def _look(session: Session) -> Look:
    equipped = equip(session, ToolChoice())
    state: State = "not equipped" if equipped.equipment is None else "ready"
    delegates = possible_delegates(session, equipped)
    return Look(session.device, state, delegates, equipped, session.conditions().temperature_c, equipped.problem)


def _without(device: Device, error: BenchbenchError) -> Look:
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
    return Look(device, state, dict.fromkeys(KINDS, Possible(possible=False, said=str(error))), problem=str(error))
