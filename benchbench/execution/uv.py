"""uv, with which this host resolves and fetches Python packages for another machine."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from contextlib import suppress

from benchbench.device.session import Session
from benchbench.values.errors import ToolError

PATIENCE_S = 600
UV_REMEDY = "pip install 'benchbench[equip]'"
_GLIBC_MINORS = (17, 28, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40)  # of manylinux_2_N, as uv knows them


def uv_platform(device: str, machine: str, bits: int, libc: tuple[str, str]) -> str:
    """uv's name of a board's platform; raises ToolError where no wheels are made for it."""
    known = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "aarch64", "arm64": "aarch64"}
    arch = known.get(machine.lower())
    if arch is None or bits != 64:
        what = f"{machine} with {bits}-bit programs"
        raise ToolError(
            f"{device}: no runtime is published for Python on {what}",
            remedy=f"install a 64-bit system on it, or: benchbench tools --get {device}",
        )
    name, release = libc
    if name != "glibc":
        return f"{arch}-unknown-linux-musl"
    minor = int(found[1]) if (found := re.match(r"2\.(\d+)", release)) else 17
    fitting = max((known for known in _GLIBC_MINORS if known <= minor), default=17)
    return f"{arch}-manylinux_2_{fitting}"


def uv(session: Session, arguments: list[str], text: str = "") -> subprocess.CompletedProcess[str]:
    """What uv does, ended with the session when that is interrupted."""
    device, deadline = session.device.name, time.monotonic() + PATIENCE_S
    pipe = subprocess.PIPE
    try:
        command = [_uv_program(device), *arguments]
        with subprocess.Popen(command, text=True, stdin=pipe, stdout=pipe, stderr=pipe) as process:
            while not session.cancelled.is_set() and time.monotonic() < deadline:
                given, text = text, ""  # which is kept from the first time on
                with suppress(subprocess.TimeoutExpired):
                    stdout, stderr = process.communicate(given, timeout=0.2)
                    return subprocess.CompletedProcess(process.args, process.returncode, stdout, stderr)
            process.kill()
    except OSError as error:
        raise ToolError(f"{device}: uv cannot fetch packages: {error}", remedy=UV_REMEDY) from error
    raise ToolError(f"{device}: uv was ended: it took longer than {PATIENCE_S} s, or was interrupted")


def _uv_program(device: str) -> str:
    """uv as it is installed beside benchbench, else on the path. Raises ToolError where it is nowhere."""
    try:
        from uv import find_uv_bin
    except ImportError:
        found = shutil.which("uv")
        if found is None:
            raise ToolError(f"{device}: uv, which fetches packages, is not installed", remedy=UV_REMEDY) from None
        return found
    return find_uv_bin()


def telling(text: str) -> str:
    """The reason in what uv says, which draws trees."""
    bare = [re.sub(r"^[\s×╰─▶├│·-]+", "", line).strip() for line in text.splitlines()]
    lines = [line for line in bare if line] or ["no reason given"]
    return next((line for line in lines if line.startswith(("Because", "error"))), lines[-1])[:300]
