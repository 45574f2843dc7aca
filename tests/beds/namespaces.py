"""What a device has for itself: a file system of its own (a mount namespace), its lock, and its processes."""

from __future__ import annotations

import ctypes
import functools
import os
import shlex
import shutil
import signal
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

MARK = "BENCH_DEVICE"  # in the environment of everything that runs on a test device
_CLONE_NEWNS, _MS_REC, _MS_PRIVATE = 0x20000, 0x4000, 1 << 18


@functools.cache
def can_mount() -> bool:
    """True for root with the capability to mount, which a plain container does not have."""
    if not (unshare := shutil.which("unshare")):
        return False
    probe = [unshare, "-m", "sh", "-c", "mount -t tmpfs probe /mnt"]
    return subprocess.run(probe, capture_output=True, check=False).returncode == 0


# What a Python begins with for which the folders of caches are read-only, as on a broken disk: mounts of its own.
CACHES_READ_ONLY = """
import ctypes, glob
libc = ctypes.CDLL(None)
NEW_MOUNTS, READ_ONLY, REMOUNT, BIND, RECURSIVE, PRIVATE = 0x20000, 1, 32, 4096, 16384, 1 << 18
libc.unshare(NEW_MOUNTS)
libc.mount(None, b"/", None, RECURSIVE | PRIVATE, None)
for folder in map(str.encode, glob.glob("../*cache*")):
    libc.mount(folder, folder, None, BIND, None)
    libc.mount(None, folder, None, REMOUNT | BIND | READ_ONLY, None)
"""


def lock_folder() -> Path:
    """Where agent.sh keeps the lock of a machine like this one; made where it is missing."""
    # The places of agent.sh.
    places = (Path("/run/lock"), Path("/tmp"), Path("/dev/shm"))
    place = next(place for place in places if place.is_dir() and place.stat().st_mode & 0o002)
    folder = place / "benchbench.lock"
    mask = os.umask(0)
    try:
        folder.mkdir(exist_ok=True)
    finally:
        os.umask(mask)
    return folder


def mount_own_lock() -> str:
    """The shell command that gives a mount namespace another machine's lock: none yet, in the usual place."""
    folder = lock_folder()
    if folder.parent == Path("/run/lock"):
        return "mount -t tmpfs -o mode=1777 lock /run/lock"
    return f"mount -t tmpfs -o mode=777 lock {shlex.quote(str(folder))}"  # its place has more in it than locks


def be_another_machine() -> None:
    """Let this process have a lock of its own for this machine, since other tests use it as a device meanwhile."""
    libc = ctypes.CDLL(None, use_errno=True)
    folder = os.fsencode(lock_folder())
    if (
        libc.unshare(_CLONE_NEWNS) != 0
        or libc.mount(b"none", b"/", None, ctypes.c_ulong(_MS_REC | _MS_PRIVATE), None) != 0
        or libc.mount(b"lock", folder, b"tmpfs", ctypes.c_ulong(0), b"mode=777") != 0
    ):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


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
