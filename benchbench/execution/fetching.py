"""Fetching the native tool for a device: it is asked what it is, Google's prebuilt binary is brought into the cache."""

from __future__ import annotations

from pathlib import Path

from benchbench.config.complaints import did_you_mean
from benchbench.device.opening import Absent, opened
from benchbench.device.session import Session
from benchbench.execution.selection import all_devices
from benchbench.runtimes import RUNTIMES
from benchbench.runtimes.tool import Fetched, Tool
from benchbench.values.device import ToolChoice
from benchbench.values.errors import InputError, ToolError


def fetch(
    name: str,
    inventory: Path,
    generation: str | None = None,
    version: str | None = None,
    progress: Fetched | None = None,
) -> Tool:
    """Bring the binary that fits a device into the cache, or find it there; raises ToolError when it cannot be had."""
    devices = {device.name: device for device in all_devices(inventory)}
    if name not in devices:
        raise InputError(f"no device is called {name!r}", remedy=did_you_mean(name, devices))
    device = devices[name]
    chosen = device.tool or ToolChoice()
    given = {"generation": generation, "version": version}
    chosen = ToolChoice.model_validate(chosen.model_dump() | {key: value for key, value in given.items() if value})
    with opened([device], Session.probe, purpose="benchbench tools", patience_s=0) as (traits,):
        if isinstance(traits, Absent):
            raise traits.error
    for runtime in RUNTIMES:
        if (tool := runtime.fetch_tool(traits, chosen, progress)) is not None:
            return tool
    raise ToolError("no tool is published for any runtime")
