"""A job on a device, and what it leaves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Sampling:
    """Files of the device that are read again and again while a job runs; `name` tells several samplings apart.

    Seconds that are not whole become whole ones where the device's sleep knows no others.
    """

    name: str
    interval_s: float
    files: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sample:
    """What a file said at one time: `uptime_s` is seconds of the device's uptime, as a job's beginning and end are."""

    uptime_s: float
    file: str
    text: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What a device told of itself at one time, by this host's clock; keys and values as agent.sh has them."""

    at: datetime
    values: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Job:
    """A process to run on the device in a folder of its own, which is its working directory."""

    argv: tuple[str, ...]
    timeout_s: float
    env: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, bytes] = field(default_factory=dict)  # small, sent with the start into the folder
    answers: tuple[str, ...] = ()  # names in the folder to read back at once, where they exist
    outputs: tuple[str, ...] = ()  # names in the folder to pull as files, where they exist
    conditions: bool = False  # whether the device reads its conditions before and after
    samples: tuple[Sampling, ...] = ()


@dataclass(frozen=True, slots=True)
class JobOutput:
    """What a finished job left behind; `late` = the device killed it at its time limit."""

    exit_code: int
    stdout: bytes
    stderr: bytes
    answers: Mapping[str, bytes] = field(default_factory=dict)
    late: bool = False

    @property
    def size(self) -> int:
        """Bytes."""
        return sum(len(part) for part in (self.stdout, self.stderr, *self.answers.values()))
