"""What a device measures with: which runner, with its tool staged and asked what it can do."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from benchbench.device.session import Session
from benchbench.plan import Target
from benchbench.runtimes import device_script
from benchbench.runtimes.device_script import Probe, probe_argv, read_probe
from benchbench.runtimes.tflite.benchmark_model import BenchmarkModelRunner, read_usage, usage_argv
from benchbench.runtimes.tflite.script.runner import PythonRunner
from benchbench.runtimes.tflite.tools import Tool, cache_folder, find, published
from benchbench.runtimes.tool import Runner
from benchbench.values.account import expanded
from benchbench.values.backend import Backend
from benchbench.values.device import Capabilities, Device, Local, RunnerKind, ToolChoice, Traits
from benchbench.values.errors import BenchbenchError, DeviceError, ToolError


class _Wanted(TypedDict):
    os: str
    arch: str
    generation: Capabilities
    version: str


@dataclass(frozen=True, slots=True)
class Toolchain:
    """A runner ready for use on one device; `tool` is the path there, `tool_sha256` what it is."""

    runner: Runner
    tool: str
    tool_sha256: str
    tool_version: str
    python: str | None = None


@dataclass(frozen=True, slots=True)
class PreparedDevice:
    """A device as it was found: its traits, and its equipment or why it has none."""

    device: Device
    traits: Traits
    toolchain: Toolchain | None
    problem: str | None

    @property
    def target(self) -> Target:
        return Target(self.device, self.traits, self.toolchain.runner.kind if self.toolchain else None, self.problem)

    def unsupported_reason(self, delegate: Backend) -> str | None:
        """Why a delegate cannot run there: for the device's sake, or for what its tool was built with."""
        if self.toolchain is None:
            return self.problem or "nothing to measure with"
        runner = self.toolchain.runner
        return delegate.unsupported_reason(self.traits, runner.kind) or runner.unsupported_reason(delegate)


def prepare_device(session: Session, choice: ToolChoice) -> PreparedDevice:
    """Probe the device and choose its runner: its file says, else native where a binary is at hand, else Python."""
    traits = session.probe()
    device = session.device = session.device.at_home(traits.home)
    wanted: tuple[RunnerKind, ...] = (device.runner,) if device.runner else ("benchmark_model", "python")
    problems = []
    for kind in wanted:
        try:
            if kind == "benchmark_model":
                return PreparedDevice(device, traits, native(session, traits, device.tool or choice), None)
            traits, toolchain = with_python(session, traits)
            return PreparedDevice(device, traits, toolchain, None)
        except (ToolError, DeviceError) as error:
            if error.transient:
                raise
            problems.append(error)
    return PreparedDevice(device, traits, None, _problem(device, problems))


def _problem(device: Device, problems: Sequence[BenchbenchError]) -> str:
    """One line: what the device's file insists on cannot be had, or neither way is open."""
    if device.runner or device.binary:
        return str(problems[0])
    return f"nothing to measure with: {'; '.join(str(problem) for problem in problems)}"


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
    asked = session.transport.run([*_environment(session.device), *usage_argv(path)], timeout_s=60)
    if asked.exit_code == 126:
        raise ToolError(
            f"{session.device.name}: {path} may not be executed there",
            remedy="the work folder is mounted noexec: set `workdir` to another place, such as /data/local/tmp",
        )
    generation = read_usage(asked.stdout, asked.stderr, asked.exit_code)
    return Toolchain(BenchmarkModelRunner(generation), path, tool.sha256, f"{generation.name} {tool.version}")


def _environment(device: Device) -> list[str]:
    """What the device's file sets for the measuring process: libraries may be found through it, or not."""
    return ["env", *[f"{key}={value}" for key, value in device.env.items()]] if device.env else []


def with_python(session: Session, traits: Traits) -> tuple[Traits, Toolchain]:
    """Our script over the device's interpreter; the traits with what that interpreter can do."""
    probe, script = find_python(session, traits)
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


def find_python(session: Session, traits: Traits) -> tuple[Probe, str]:
    """The first interpreter with a runtime, and where our script is there; raises ToolError when there is none."""
    device = session.device
    script = session.store.stage_packed(device_script.NAME, device_script.archive())
    problems: list[ToolError] = []
    for python in interpreters(device, traits):
        try:
            probe = look_at_python(session, python, script)
            if probe.runtime is not None:
                return probe, script
            remedy = _how_to_install(device, python)
            problems.append(ToolError(f"{device.name}: {probe.executable} has no TFLite runtime", remedy=remedy))
        except ToolError as error:
            problems.append(error)
    none = ToolError(f"{device.name}: has no python3", remedy="install python3 there, or name one as `python`")
    raise next(iter(problems), none)


def interpreters(device: Device, traits: Traits) -> tuple[str, ...]:
    """Where a runtime may be, best first: the file's word, ours that `--equip` made, the one on the device's PATH."""
    if device.python is not None:
        found = [device.python, traits.environment]
    elif isinstance(device.address, Local):
        found = [sys.executable, traits.environment]
    else:
        found = [traits.environment, traits.python]
    return tuple(dict.fromkeys(python for python in found if python))


def look_at_python(session: Session, python: str, script: str) -> Probe:
    """What an interpreter of the device is; raises ToolError when it cannot run our script."""
    device = session.device
    asked = session.transport.run([*_environment(device), *probe_argv(python, script)], timeout_s=120)
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
