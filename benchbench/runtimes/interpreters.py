"""The Pythons of a device in which a runtime may be."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass

from benchbench.values.device import Device, Local, Traits


@dataclass(frozen=True, slots=True)
class Interpreter:
    """A Python as it was asked on the device; `runtime` is what it can import, None = nothing, for `reason`."""

    executable: str
    runtime: str | None
    reason: str = ""


def interpreters(device: Device, traits: Traits) -> tuple[str, ...]:
    """Where a runtime may be, best first: the file's word, ours that `--equip` made, the one on the device's PATH."""
    if device.python is not None:
        found = [device.python, traits.environment]
    elif isinstance(device.address, Local):
        found = [sys.executable, traits.environment]
    else:
        found = [traits.environment, traits.python]
    return tuple(dict.fromkeys(python for python in found if python))


def environment(device: Device) -> Sequence[str]:
    """What the device's file sets for the measuring process: libraries may be found through it, or not."""
    return ["env", *[f"{key}={value}" for key, value in device.env.items()]] if device.env else []
