"""Jobs to run on a device."""

from __future__ import annotations

from benchbench.values.job import Job


def shell(text: str, timeout_s: float = 30, **more: object) -> Job:
    return Job(argv=("sh", "-c", text), timeout_s=timeout_s, **more)  # type: ignore[arg-type]  # Job's own fields
