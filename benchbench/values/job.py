"""A job on a device, and what it leaves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Job:
    """A process to run on the device in a folder of its own, which is its working directory."""

    argv: tuple[str, ...]
    timeout_s: float
    env: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, bytes] = field(default_factory=dict)  # small, written into the folder before the start
    answers: tuple[str, ...] = ()  # names in the folder to read back at once, where they exist
    outputs: tuple[str, ...] = ()  # names in the folder to pull as files, where they exist


@dataclass(frozen=True, slots=True)
class JobOutput:
    """What a finished job left behind; `late` = the device killed it at its time limit."""

    exit_code: int
    stdout: bytes
    stderr: bytes
    answers: Mapping[str, bytes] = field(default_factory=dict)
    late: bool = False
