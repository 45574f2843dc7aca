"""The Python of a device in which the device script finds a runtime."""

from __future__ import annotations

import sys
from dataclasses import dataclass

from benchbench.device.session import Session
from benchbench.runtimes import device_script
from benchbench.runtimes.device_script import Probe, probe_argv, read_probe
from benchbench.runtimes.interpreters import Interpreter, environment, interpreters
from benchbench.values.device import Device, Local, Traits
from benchbench.values.errors import ToolError


@dataclass(frozen=True, slots=True)
class Sought:
    """A runtime to be found: its name in words, what pip installs, and what the script's probe is asked beside.

    `extra` of benchbench brings it to this host; None = benchbench does by itself.
    """

    name: str
    package: str
    extra: str | None = None
    arguments: tuple[str, ...] = ()


def find_python(session: Session, traits: Traits, sought: Sought) -> tuple[Probe, str]:
    """The first interpreter with a runtime, and where our script is there; raises ToolError when there is none."""
    device = session.device
    script = session.store.stage_packed(device_script.NAME, device_script.archive())
    problems: list[ToolError] = []
    for python in interpreters(device, traits):
        try:
            probe = _probe(session, python, script, sought)
            if probe.runtime is not None:
                return probe, script
            remedy = _how_to_install(device, python, sought)
            problems.append(ToolError(f"{device.name}: {probe.executable} has no {sought.name}", remedy=remedy))
        except ToolError as error:
            problems.append(error)
    none = ToolError(f"{device.name}: has no python3", remedy="install python3 there, or name one as `python`")
    raise next(iter(problems), none)


def look_at_python(session: Session, python: str, sought: Sought) -> Interpreter:
    """What an interpreter of the device can import; raises ToolError when it cannot run our script."""
    script = session.store.stage_packed(device_script.NAME, device_script.archive())
    probe = _probe(session, python, script, sought)
    return Interpreter(probe.executable, probe.runtime, probe.evidence.get("runtime", "no reason given"))


def _probe(session: Session, python: str, script: str, sought: Sought) -> Probe:
    device = session.device
    command = [*environment(device), *probe_argv(python, script, *sought.arguments)]
    asked = session.transport.run(command, timeout_s=120)
    probe = read_probe(asked.text)
    if probe is None:
        said = (asked.error_text.strip().splitlines() or ["it said nothing"])[-1]
        there = asked.exit_code not in {126, 127} or device.python != python
        remedy = _how_to_install(device, python, sought) if there else "correct `python` in the device's file"
        raise ToolError(f"{device.name}: {python} cannot run our script: {said}", remedy=remedy)
    return probe


def _how_to_install(device: Device, python: str, sought: Sought) -> str:
    """What brings a runtime to a device; on this machine the user's own Python is not ours to change."""
    if isinstance(device.address, Local):
        ours = sought.extra and python == sys.executable
        return f"{python} -m pip install " + (f"'benchbench[{sought.extra}]'" if ours else sought.package)
    return f"benchbench devices --equip {device.name}"
