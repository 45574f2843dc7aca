"""The load of our own: how much of a core this program took on its host while a job ran."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from benchbench.instruments.base import Seen, Watch
from benchbench.values.job import Job, JobResult


@dataclass(frozen=True, slots=True)
class Controller:
    """CPU time of all threads of the controller from a job's start to its end, as a share of one core."""

    @contextmanager
    def around(self, job: Job) -> Iterator[Watch]:
        began_s, used_s = time.monotonic(), time.process_time()
        shares: list[float] = []

        def seen(_: JobResult) -> Seen:
            return Seen({"controller_cpu": shares[0]})

        yield Watch(job, seen)
        shares.append((time.process_time() - used_s) / max(time.monotonic() - began_s, 1e-9))
