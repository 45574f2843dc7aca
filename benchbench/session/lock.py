"""Who may measure on a device: one controller at a time, kept by a folder on the device."""

from __future__ import annotations

import contextlib
import hashlib
import os
import platform
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from benchbench.account import user_name
from benchbench.conditions import number, pairs
from benchbench.errors import DeviceBusy, DeviceError
from benchbench.session.hand import NO_ROOM
from benchbench.transports import Transport

# A holder's beat is renewed at every job and every poll of a running one; cool-downs and pushes may take minutes.
STALE_S = 900


def _start_time(pid: int) -> str:
    """The kernel's start time of a process, which tells it from a later one with the same number."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return "?"


def _room() -> str:
    """Where a process number means something: this machine, however many share its name, or this container in it."""
    known = [platform.node()]
    with contextlib.suppress(OSError):
        known.append(Path("/etc/machine-id").read_text(encoding="utf-8"))
    with contextlib.suppress(OSError):
        known.append(str(Path("/proc/self/ns/pid").readlink()))
    return hashlib.sha256("\n".join(known).encode()).hexdigest()[:8]


def owner_line() -> str:
    """This controller, as others see it: user@host, pid, start time, its room and a word that is new each time."""
    pid, word = os.getpid(), f"{_room()}-{secrets.token_hex(4)}"
    return f"{user_name() or f'uid{os.getuid()}'}@{platform.node()} pid {pid} started {_start_time(pid)} {word}"


def _holder_is_gone(owner: str) -> bool:
    """True when the holder was a process of this very machine that has ended."""
    words = owner.split()
    if len(words) < 6 or words[5].partition("-")[0] != _room() or not re.fullmatch(r"[0-9]{1,9}", words[2]):
        return False
    pid = int(words[2])
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return words[4] not in {"?", _start_time(pid)}


def _stale(reply: Mapping[str, str]) -> str | None:
    """Why a lock that is held may be broken; None = it may not."""
    if "same_boot" not in reply:
        return "the device was restarted since"
    if _holder_is_gone(reply.get("owner", "")):
        return "its holder has ended"
    beat, now = number(reply.get("beat")), number(reply.get("now"))
    if beat is None or now is None or now - beat > STALE_S:
        return f"no sign of its holder for {STALE_S // 60} minutes"
    return None


@dataclass(frozen=True, slots=True)
class Lock:
    """The device's lock folder."""

    transport: Transport
    script: str
    folder: str
    owner: str

    def _ask(self, *more: str) -> dict[str, str]:
        return pairs(self.transport.run(["sh", self.script, "lock", self.folder, self.owner, *more], timeout_s=30).text)

    def take(self, device: str) -> str | None:
        """Take the device; a note when a stale lock was broken. Raises DeviceBusy with its holder."""
        reply = self._ask()
        note = None
        if reply.get("state") == "held" and (why := _stale(reply)):
            note = f"{device}: a stale lock of {reply.get('owner', 'nobody')} was broken: {why}"
            reply = self._ask("break", reply.get("owner", ""))
        if reply.get("state") == "held":
            raise DeviceBusy(
                f"{device} is in use by {reply.get('owner', 'another controller')}",
                remedy="wait for it, or leave this device out",
            )
        if reply.get("state") != "taken":
            raise DeviceError(f"{device}: cannot make {self.folder}", remedy=NO_ROOM)
        return note

    def release(self) -> None:
        self.transport.run(["sh", self.script, "unlock", self.folder, self.owner], timeout_s=15)
