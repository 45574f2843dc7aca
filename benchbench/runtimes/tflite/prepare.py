"""What a device measures .tflite files with: benchmark_model or our script, staged and asked what it can do."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TypedDict

from benchbench.device.session import Session
from benchbench.runtimes import device_script
from benchbench.runtimes.base import Toolchain
from benchbench.runtimes.cache import cache_folder
from benchbench.runtimes.device_script import Probe, probe_argv, read_probe
from benchbench.runtimes.interpreters import Interpreter, environment, interpreters
from benchbench.runtimes.tflite.benchmark_model import BenchmarkModelRunner, read_usage, usage_argv
from benchbench.runtimes.tflite.script.runner import PythonRunner
from benchbench.runtimes.tflite.tools import find, published
from benchbench.runtimes.tool import Tool
from benchbench.values.account import expanded
from benchbench.values.device import Capabilities, Device, Local, ToolChoice, Traits
from benchbench.values.errors import BenchbenchError, DeviceError, ToolError


class _Wanted(TypedDict):
    os: str
    arch: str
    generation: Capabilities
    version: str


def prepare(session: Session, traits: Traits, choice: ToolChoice) -> tuple[Traits, Toolchain]:
    """The device's toolchain: its file says which, else native where a binary is at hand, else Python.

    With the traits, and what they become by it. Raises ToolError where neither can be had, and what is transient.
    """
    device = session.device
    problems: list[BenchbenchError] = []
    for kind in (device.runner,) if device.runner else ("benchmark_model", "python"):
        try:
            if kind == "benchmark_model":
                return traits, native(session, traits, device.tool or choice)
            return with_python(session, traits)
        except (ToolError, DeviceError) as error:
            if error.transient:
                raise
            problems.append(error)
    raise _nothing(device, problems)


def _nothing(device: Device, problems: Sequence[BenchbenchError]) -> BenchbenchError:
    """What the device's file insists on cannot be had, or neither way is open."""
    if device.runner or device.binary:
        return problems[0]
    return ToolError(f"nothing to measure with: {'; '.join(str(problem) for problem in problems)}")


def native(session: Session, traits: Traits, choice: ToolChoice) -> Toolchain:
    """benchmark_model, given or cached (a run downloads nothing), staged and asked for its flags once."""
    given = expanded(session.device.binary, f"{session.device.name}: binary") if session.device.binary else None
    wanted: _Wanted = {
        "os": traits.os,
        "arch": traits.arch,
        "generation": choice.generation,
        "version": choice.version,
    }
    try:
        tool: Tool = find(**wanted, given=given, cache=cache_folder(), allow_download=False)
    except ToolError as error:
        if given is None and published(**wanted):
            raise ToolError(error.message, remedy=f"benchbench tools --get {session.device.name}") from error
        raise
    path = session.store.stage_tool(tool.path, executable=True)
    asked = session.transport.run([*environment(session.device), *usage_argv(path)], timeout_s=60)
    if asked.exit_code == 126:
        raise ToolError(
            f"{session.device.name}: {path} may not be executed there",
            remedy="the work folder is mounted noexec: set `workdir` to another place, such as /data/local/tmp",
        )
    generation = read_usage(asked.stdout, asked.stderr, asked.exit_code)
    return Toolchain(BenchmarkModelRunner(generation), path, tool.sha256, f"{generation.name} {tool.version}")


def with_python(session: Session, traits: Traits) -> tuple[Traits, Toolchain]:
    """Our script over the device's interpreter; the traits with what that interpreter can do."""
    probe, script = _find_python(session, traits)
    seen = traits.model_copy(
        update={
            "python": probe.executable,
            "python_version": probe.python,
            "runtime": probe.runtime,
            "accelerators": tuple(dict.fromkeys([*traits.accelerators, *probe.accelerators])),
        }
    )
    digest = Path(script).stem
    return seen, Toolchain(PythonRunner(), script, digest, str(probe.runtime), probe.executable)


def _find_python(session: Session, traits: Traits) -> tuple[Probe, str]:
    """The first interpreter with a runtime, and where our script is there; raises ToolError when there is none."""
    device = session.device
    script = session.store.stage_packed(device_script.NAME, device_script.archive())
    problems: list[ToolError] = []
    for python in interpreters(device, traits):
        try:
            probe = _probe(session, python, script)
            if probe.runtime is not None:
                return probe, script
            remedy = _how_to_install(device, python)
            problems.append(ToolError(f"{device.name}: {probe.executable} has no TFLite runtime", remedy=remedy))
        except ToolError as error:
            problems.append(error)
    none = ToolError(f"{device.name}: has no python3", remedy="install python3 there, or name one as `python`")
    raise next(iter(problems), none)


def look_at_python(session: Session, python: str) -> Interpreter:
    """What an interpreter of the device can import; raises ToolError when it cannot run our script."""
    probe = _probe(session, python, session.store.stage_packed(device_script.NAME, device_script.archive()))
    return Interpreter(probe.executable, probe.runtime, probe.evidence.get("runtime", "no reason given"))


def _probe(session: Session, python: str, script: str) -> Probe:
    device = session.device
    asked = session.transport.run([*environment(device), *probe_argv(python, script)], timeout_s=120)
    probe = read_probe(asked.text)
    if probe is None:
        said = (asked.error_text.strip().splitlines() or ["it said nothing"])[-1]
        there = asked.exit_code not in {126, 127} or device.python != python
        remedy = _how_to_install(device, python) if there else "correct `python` in the device's file"
        raise ToolError(f"{device.name}: {python} cannot run our script: {said}", remedy=remedy)
    return probe


def _how_to_install(device: Device, python: str) -> str:
    """What brings a runtime to a device; on this machine the user's own Python is not ours to change."""
    if isinstance(device.address, Local):
        return f"{python} -m pip install ai-edge-litert"
    return f"benchbench devices --equip {device.name}"
