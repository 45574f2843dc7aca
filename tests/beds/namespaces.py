"""What a device has for itself: a file system of its own (a mount namespace), and its processes."""

from __future__ import annotations

import functools
import os
import shutil
import signal
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

MARK = "BENCH_DEVICE"  # in the environment of everything that runs on a test device


@functools.cache
def can_mount() -> bool:
    """True for root with the capability to mount, which a plain container does not have."""
    if not (unshare := shutil.which("unshare")):
        return False
    probe = [unshare, "-m", "sh", "-c", "mount -t tmpfs probe /mnt"]
    return subprocess.run(probe, capture_output=True, check=False).returncode == 0


def fstab(places: Mapping[Path, Path], root: str = "") -> str:
    """Lines for `mount -a -T` that put each value in the place of its key below `root`."""
    pairs = ((str(here), f"{root}{there}") for there, here in places.items())
    return "".join(f"{_escaped(here)} {_escaped(there)} none rbind 0 0\n" for here, there in pairs)


def _escaped(path: str) -> str:
    return path.replace("\\", "\\134").replace(" ", "\\040")


def processes_of(device: Path) -> list[int]:
    """Everything that runs on a device, by the mark in its environment."""
    mark = f"{MARK}={device}".encode()
    found = []
    for file in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):
            if mark in file.read_bytes().split(b"\0"):
                found.append(int(file.parent.name))
    return found


def power_off(device: Path) -> None:
    """End everything that runs on a device, also what is being started meanwhile."""
    while running := processes_of(device):
        for pid in running:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
