"""The seam between a runtime and everything above it: what a runtime answers. One folder each, named in the union.

What has a default here is refused, or left unsaid, by a runtime that says nothing of it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from benchbench.device_script.protocol import DelegateRequest
from benchbench.runtimes.interpreters import Interpreter
from benchbench.runtimes.tool import Fetched, Runner, Tool
from benchbench.values.backend import Backend
from benchbench.values.case import Variant
from benchbench.values.device import Device, RunnerKind, ToolChoice, Traits
from benchbench.values.errors import ToolError
from benchbench.values.model import ModelInfo
from benchbench.values.outcome import LaunchResult

if TYPE_CHECKING:
    from benchbench.device.session import Session
    from benchbench.runtimes.contents import Contents  # numpy: slow to import
    from benchbench.runtimes.quantizing.quantizer import Quantizer  # numpy: slow to import


@dataclass(frozen=True, slots=True)
class Toolchain:
    """A runner ready for use on one device; `tool` is the path there, `tool_sha256` what it is."""

    runner: Runner
    tool: str
    tool_sha256: str
    tool_version: str
    python: str | None = None


@dataclass(frozen=True, slots=True)
class RecordedLaunch:
    """One launch in an output that somebody else captured; `graph` is the model's path there, None = not said."""

    result: LaunchResult
    graph: str | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """A device as a plan sees it: with its traits and its runners by format once it was probed, and why it has none."""

    device: Device
    traits: Traits | None = None
    runners: Mapping[str, RunnerKind] = field(default_factory=dict)
    problem: str | None = None  # why nothing can run there
    problems: Mapping[str, str] = field(default_factory=dict)  # by format: why it has no runner for that

    def problem_with(self, model_format: str) -> str | None:
        """Why no model of a format can run there."""
        return self.problem or self.problems.get(model_format)


class Runtime(ABC):
    """What executes a format of model files: reading them, its backends, its tools."""

    title: ClassVar[str]  # what people call it
    format: ClassVar[str]  # of the variants that it runs
    suffixes: ClassVar[tuple[str, ...]]  # of their files: ".tflite"
    name_ending: ClassVar[str] = ""  # of the names that variants get from their files, beside those of other formats
    backends: ClassVar[Mapping[str, type[Backend]]]  # by kind; no other runtime has one of the same
    usual_backend: ClassVar[str]  # its kind: what models are measured on where nobody asks for any
    # What brings it to a Python, best first; () last = a device may do without; none = nothing does.
    packages: ClassVar[tuple[tuple[str, ...], ...]] = ()
    host_packages: ClassVar[tuple[str, ...]] = ()  # of this host's Python, whose versions a run records
    schemes: ClassVar[tuple[str, ...]] = ()  # what its quantizer makes; () = it has none
    telling: ClassVar[tuple[str, ...]] = ()  # what stands in the lines of a log that say what ran, and how
    log_tool: ClassVar[str | None] = None  # whose output `read_log` reads
    fed_by_launch: ClassVar[frozenset[RunnerKind]] = frozenset()  # those that take a few samples a launch (`Feed`)
    tiny_model: ClassVar[Path | None] = None  # what backends are tried with; None = they are not
    canary_model: ClassVar[Path | None] = None  # what shows whether a device is as fast as it was; None = nothing does

    @abstractmethod
    def inspect(self, path: Path) -> ModelInfo:
        """What is in a file. Raises InputError where it cannot be read, or is no model of this format."""

    @abstractmethod
    def presumed_runner(self, device: Device) -> RunnerKind:
        """The kind of runner that the device's file asks for, or that devices reached in this way mostly have."""

    def runner_on(self, target: Target) -> RunnerKind:
        """The kind of runner of a device; before a probe, the presumed one."""
        return target.runners.get(self.format) or self.presumed_runner(target.device)

    @abstractmethod
    def prepare(self, session: Session, traits: Traits, choice: ToolChoice) -> tuple[Traits, Toolchain]:
        """Stage a tool and ask it what it can do; with the device's traits, and what they become by it.

        Raises ToolError or DeviceError where the device has nothing to measure with, and what is transient.
        """

    def look_at_python(self, session: Session, python: str) -> Interpreter:
        """What of this runtime a Python of the device can import. Raises ToolError where it cannot be asked."""
        raise ToolError(f"{session.device.name}: Python does not run .{self.format} models")

    def tools(self) -> tuple[Tool, ...]:
        """The binaries of its tools in this host's cache. Raises ToolError when one is not what was recorded."""
        return ()

    def fetch_tool(self, traits: Traits, choice: ToolChoice, progress: Fetched | None) -> Tool | None:
        """The published binary for such a device, brought into the cache. None = none is published for any.

        Raises ToolError when it cannot be had.
        """
        return None

    def read_log(self, text: str | bytes) -> Sequence[RecordedLaunch]:
        """The launches in an output that somebody else captured, in order; none where it is of no tool of ours."""
        return ()

    def read_profile(self, text: str | bytes) -> RecordedLaunch | None:
        """The launch of which a file of its profiler tells, where that writes JSON; None = it is no such file."""
        return None

    def quantizer(self) -> Quantizer:
        """What makes the `schemes` of a model."""
        raise NotImplementedError(f"no schemes are made of .{self.format} models")

    def ordinary_kernels(self) -> DelegateRequest:
        """The runtime as most people have it on this host's CPU: what made files are tried with."""
        raise NotImplementedError(f".{self.format} models are not tried on this host")

    def contents(self, info: ModelInfo, name: str) -> Contents | None:
        """What of a file tells which network it is; `name` is that of its variant. None = nothing does."""
        return None

    def mismatch(self, variant: Variant, backend: Backend) -> str | None:
        """Why this very model cannot run on a backend of this runtime, on any device; None = it may."""
        return None

    def remarks(self, variant: Variant, backends: Sequence[Backend], targets: Sequence[Target]) -> tuple[str, ...]:
        """What a person should know of a model before it runs there, a sentence each."""
        return ()

    def references(self, variant: Variant) -> Mapping[str, DelegateRequest]:
        """The runtime's own kernels on this host, whose outputs others are compared with: by name, plainest first.

        Empty where it has none, or they cannot run such a model.
        """
        return {}

    def has_references(self, variant: Variant) -> bool:
        """Whether there are any, also of a model whose file is not there."""
        return bool(self.references(variant))
