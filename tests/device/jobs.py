"""Jobs to run on a device."""

from __future__ import annotations

from pathlib import Path

from benchbench.values.job import Job


def shell(text: str, timeout_s: float = 30, **more: object) -> Job:
    return Job(argv=("sh", "-c", text), timeout_s=timeout_s, **more)  # type: ignore[arg-type]  # Job's own fields


def runs(pid: int) -> bool:
    """Whether a process is there, and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
