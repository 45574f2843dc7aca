"""What a device measures .tflite files with: benchmark_model or our script, staged and asked what it can do."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchbench.device.session import Session
from benchbench.runtimes.base import Toolchain
from benchbench.runtimes.binary import ask
from benchbench.runtimes.cache import cache_folder
from benchbench.runtimes.script_on_device import Sought, find_python
from benchbench.runtimes.tflite.benchmark_model import BenchmarkModelRunner, read_usage, usage_argv
from benchbench.runtimes.tflite.script_runner import TfliteScriptRunner
from benchbench.runtimes.tflite.tools import Build, find, published
from benchbench.runtimes.tool import Tool
from benchbench.values.account import expanded
from benchbench.values.device import Device, ToolChoice, Traits
from benchbench.values.errors import BenchbenchError, DeviceError, ToolError

PYTHON = Sought("TFLite runtime", "ai-edge-litert")


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
    wanted = Build(traits.os, traits.arch, choice.generation, choice.version)
    try:
        tool: Tool = find(wanted, given=given, cache=cache_folder(), allow_download=False)
    except ToolError as error:
        if given is None and published(wanted):
            raise ToolError(error.message, remedy=f"benchbench tools --get {session.device.name}") from error
        raise
    path = session.store.stage_tool(tool.path, executable=True)
    asked = ask(session, usage_argv(path))
    generation = read_usage(asked.stdout, asked.stderr, asked.exit_code)
    return Toolchain(BenchmarkModelRunner(generation), path, tool.sha256, f"{generation.name} {tool.version}")


def with_python(session: Session, traits: Traits) -> tuple[Traits, Toolchain]:
    """Our script over the device's interpreter; the traits with what that interpreter can do."""
    probe, script = find_python(session, traits, PYTHON)
    seen = traits.model_copy(
        update={
            "python": probe.executable,
            "python_version": probe.python,
            "runtime": probe.runtime,
            "accelerators": tuple(dict.fromkeys([*traits.accelerators, *probe.accelerators])),
        }
    )
    digest = Path(script).stem
    return seen, Toolchain(TfliteScriptRunner(), script, digest, str(probe.runtime), probe.executable)
