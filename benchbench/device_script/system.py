"""This process and its machine: memory, CPUs, files that appear whole."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO


@contextmanager
def appearing_whole(path: str) -> Iterator[BinaryIO]:
    """A file to write, which appears whole or not at all: by hand here, since `atomic` stays on the host."""
    with open(path + ".part", "wb") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())
    os.replace(path + ".part", path)


def write_whole(path: str, text: str) -> None:
    with appearing_whole(path) as file:
        file.write(text.encode("utf-8"))


def resident_mb() -> float | None:
    """What of the process is in memory now."""
    return _kilobytes("/proc/self/status", "VmRSS")


def peak_mb() -> float | None:
    """The most that was in memory since `reset_peak`, or since the start of the process."""
    return _kilobytes("/proc/self/status", "VmHWM") or _peak_by_rusage()


def proportional_mb() -> float | None:
    """What is in memory, shared pages counted in shares."""
    return _kilobytes("/proc/self/smaps_rollup", "Pss")


def reset_peak() -> bool:
    """Let the peak count from here; False where the kernel does not allow it."""
    try:
        with open("/proc/self/clear_refs", "w", encoding="utf-8") as file:
            file.write("5")
    except OSError:
        return False
    return True


def allowed_cpus() -> tuple[int, ...]:
    """The CPUs that this process may run on."""
    return tuple(sorted(os.sched_getaffinity(0))) if hasattr(os, "sched_getaffinity") else ()


def _kilobytes(path: str, name: str) -> float | None:
    """A "Name:   123 kB" line of a proc file in 2**20 bytes; None where there is none."""
    try:
        with open(path, encoding="utf-8") as file:
            for line in file:
                if line.startswith(name + ":"):
                    return int(line.split()[1]) / 1024.0
    except (OSError, ValueError):
        pass
    return None


def _peak_by_rusage() -> float | None:
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return float(peak / (2.0**20 if sys.platform == "darwin" else 2.0**10))
