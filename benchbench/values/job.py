"""A job on a device, and what it leaves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

SETTINGS_GOT = "settings.got"
SECRET = 8  # characters from which on a value is looked for in what tools say: a shorter one may be any word


@dataclass(frozen=True, slots=True)
class Sampling:
    """Files of the device that are read again and again while a job runs; `name` tells several samplings apart.

    Seconds that are not whole become whole ones where the device's sleep knows no others. Commands are shell text, or
    functions of agent.sh; what one writes is read like a file.
    """

    name: str
    interval_s: float
    files: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()

    @property
    def sources(self) -> tuple[str, ...]:
        """As the agent is told them, in order: files, and commands behind a $."""
        return (*self.files, *(f"${command}" for command in self.commands))


@dataclass(frozen=True, slots=True)
class Sample:
    """What a file said at one time: `uptime_s` is seconds of the device's uptime, as a job's beginning and end are."""

    uptime_s: float
    source: str  # as `Sampling.sources` has it
    text: str


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting of the device for the time of a job: a file of its kernel, or NAMESPACE/KEY of Android's settings.

    The device itself puts back what it was, whatever becomes of the controller.
    """

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class RawConditions:
    """What a device told of itself at one time, by this host's clock; keys and values as agent.sh has them."""

    at: datetime
    values: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Job:
    """A process to run on the device in a folder of its own, which is its working directory."""

    argv: tuple[str, ...]
    timeout_s: float
    env: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)  # each a line of text, sent with the start into the folder
    answers: tuple[str, ...] = ()  # names in the folder to read back at once, where they exist
    outputs: tuple[str, ...] = ()  # names in the folder to pull as files, where they exist
    conditions: bool = False  # whether the device reads its conditions before and after
    samples: tuple[Sampling, ...] = ()
    settings: tuple[Setting, ...] = ()  # what is read back of them is the answer SETTINGS_GOT


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

    def without(self, values: Mapping[str, str]) -> JobOutput:
        """With each value replaced by its name: values of a device file's `env` may be secrets that a tool repeats."""
        secrets = {value.encode(): f"({key})".encode() for key, value in values.items() if len(value) >= SECRET}

        def clean(text: bytes) -> bytes:
            for value, name in secrets.items() if b"\0" not in text else ():
                text = text.replace(value, name)
            return text

        answers = {name: clean(content) for name, content in self.answers.items()}
        return replace(self, stdout=clean(self.stdout), stderr=clean(self.stderr), answers=answers)


@dataclass(frozen=True, slots=True)
class JobResult:
    """A job, done: what it left, what was read around and during it, and the faults that were survived on the way."""

    raw: JobOutput
    tool_s: float | None = None
    began_s: float | None = None  # the device's uptime when its tool began, and then by this host's clock
    began: datetime | None = None
    outputs: tuple[Path, ...] = ()
    retries: tuple[str, ...] = ()
    before: RawConditions | None = None
    after: RawConditions | None = None
    samples: Mapping[str, tuple[Sample, ...]] = field(default_factory=dict)
