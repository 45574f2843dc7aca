"""Runners: the tools that measure on a device. Two pure verbs: build the job, read what it left."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from benchbench.device_script.protocol import Evaluation
from benchbench.values.backend import Backend
from benchbench.values.case import Variant
from benchbench.values.device import RunnerKind
from benchbench.values.job import Job, JobOutput
from benchbench.values.measurement_settings import MeasurementSettings
from benchbench.values.outcome import LaunchResult

Fetched = Callable[[int, int | None], None]  # hears of bytes so far, and in all


@dataclass(frozen=True, slots=True)
class Tool:
    """A binary on this host: `source` is "given", "cache" (put there by hand) or the URL it came from."""

    name: str  # generation/platform, e.g. litert/android_arm64
    path: Path
    sha256: str
    version: str
    source: str


@dataclass(frozen=True, slots=True)
class Feed:
    """One input of the model, in order, for the native tool: its shape, and where its values come from.

    `file` holds the raw little-endian values, exactly as many bytes as the input has; `low_high` are whole numbers
    between which random ones are drawn (both included). Neither = the tool's own random values.
    """

    shape: tuple[int, ...]
    file: str | None = None
    low_high: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class LaunchSpec:
    """One trial, resolved for its device: every path is a path there."""

    variant: Variant
    model: str
    delegate: Backend
    threads: int
    measure: MeasurementSettings
    tool: str  # the benchmark_model binary, or our script
    python: str | None = None
    affinity_mask: str | None = None  # hex, for taskset
    library: str | None = None  # the delegate's library on the device, where it has one
    cache: str | None = None  # the folder on the device for what the delegate compiles, where it is to be kept
    inputs: str | None = None  # .npz with the samples to feed, one array per input in order
    profile: bool = False
    evaluation: Evaluation | None = None
    feeds: tuple[Feed, ...] = ()  # benchmark_model: every input of the model, or none
    data: Mapping[str, str] = field(default_factory=dict)  # by the names that the model has for them, where they are
    raw_outputs: str | None = None  # benchmark_model: name of a file for the last run's outputs, raw and joined

    @property
    def staged(self) -> tuple[str, ...]:
        """What must be in the device's store for this to run."""
        return (self.tool, self.model, *self.data.values())


class Runner(Protocol):
    """The seam between a measuring tool and the rest. What has a default here is refused by one that says nothing."""

    @property
    def kind(self) -> RunnerKind: ...

    def unsupported_reason(self, delegate: Backend) -> str | None:
        """Why this very tool has no such delegate, whatever the device may have; None = it may."""
        return None

    @property
    def evaluates(self) -> bool:
        """Whether a launch of it runs an `Evaluation`; others are fed a few samples a launch (`Feed`)."""
        return False

    def no_outputs_reason(self) -> str | None:
        """Why this very tool cannot take samples and give outputs back; None = it can."""
        return f"{self.kind} cannot take samples and give outputs back"

    @property
    def outputs_remedy(self) -> str:
        """What to do where it cannot, or not those of a model."""
        return ""

    def job(self, work: LaunchSpec) -> Job: ...

    def read(self, work: LaunchSpec, raw: JobOutput) -> LaunchResult: ...
