"""Whether this process may give a device a file system of its own (a mount namespace)."""

from __future__ import annotations

import functools
import shutil
import subprocess


@functools.cache
def can_mount() -> bool:
    """True for root with the capability to mount, which a plain container does not have."""
    if not (unshare := shutil.which("unshare")):
        return False
    probe = [unshare, "-m", "sh", "-c", "mount -t tmpfs probe /mnt"]
    return subprocess.run(probe, capture_output=True, check=False).returncode == 0
