"""What an instrument is: a context around a job, in which something is read before, during or after it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol

from benchbench.values.job import Job, JobResult


@dataclass(frozen=True, slots=True)
class Seen:
    """What an instrument saw: quantities by their names in values/quantities.py, and other fields of the outcome."""

    quantities: Mapping[str, float] = field(default_factory=dict)
    fields: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Watch:
    """What a job is under an instrument: `job` is run in its place, perhaps with requests to the device.

    `seen` tells what the instrument saw, once the job is done and the context left.
    """

    job: Job
    seen: Callable[[JobResult], Seen]


class Instrument(Protocol):
    """One file each. What it wants read on the device it asks for in the job, which costs no round trip of its own."""

    def around(self, job: Job) -> AbstractContextManager[Watch]:
        """The context in which the job runs."""
