"""Who may measure on a device: one controller at a time. The protocol stands in agent.sh; here are its values."""

from __future__ import annotations

import contextlib
import hashlib
import os
import platform
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import quote, unquote

from benchbench.transports import Transport
from benchbench.values.account import user_name
from benchbench.values.errors import DeviceBusy, DeviceError, LinkLost
from benchbench.values.key_values import number, pairs

# A holder's beat is renewed at every verb and while a job runs; cool-downs and pushes may take minutes.
STALE_S = 900
WORD = 80  # the most characters of one word of a claim


def _start_time(pid: int) -> str:
    """The kernel's start time of a process, which tells it from a later one with the same number."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return "?"


def _pid_space() -> str:
    """Where a process number means something: this machine, however many share its name, or this container in it."""
    known = [platform.node()]
    with contextlib.suppress(OSError):
        known.append(Path("/etc/machine-id").read_text(encoding="utf-8"))
    with contextlib.suppress(OSError):
        known.append(Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii"))
    with contextlib.suppress(OSError):
        known.append(str(Path("/proc/self/ns/pid").readlink()))
    return hashlib.sha256("\n".join(known).encode()).hexdigest()[:8]


@dataclass(frozen=True, slots=True)
class Holder:
    """A controller, as others see it: who, what for, in which process (`pids` tells whose process numbers)."""

    who: str
    purpose: str
    pid: str
    start: str
    pids: str

    @property
    def text(self) -> str:
        """One line of words without blanks in them."""
        words = {"by": self.who, "for": self.purpose, "pid": self.pid, "start": self.start, "pids": self.pids}
        return " ".join(f"{key}={quote(value[:WORD], safe='@')}" for key, value in words.items())

    @classmethod
    def read(cls, text: str) -> Holder:
        """From what stands in a lock, which anybody may have written: nothing but printable characters."""
        words = {key: _printable(unquote(value))[:WORD] for key, _, value in (w.partition("=") for w in text.split())}
        return cls(*(words.get(key, "?") for key in ("by", "for", "pid", "start", "pids")))

    @classmethod
    def here(cls, purpose: str) -> Holder:
        """This process."""
        pid = os.getpid()
        return cls(
            f"{user_name() or f'uid{os.getuid()}'}@{platform.node()}", purpose, str(pid), _start_time(pid), _pid_space()
        )

    @property
    def has_ended(self) -> bool:
        """True when it was a process of this very machine that is no more."""
        if self.pids != _pid_space() or not re.fullmatch(r"[0-9]{1,9}", self.pid):
            return False
        try:
            os.kill(int(self.pid), 0)
        except ProcessLookupError:
            return True
        except PermissionError:
            return False
        return self.start not in {"?", _start_time(int(self.pid))}

    def __str__(self) -> str:
        return f"{self.who} pid {self.pid}"


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else "?" for character in text)


@dataclass(frozen=True, slots=True)
class Hold:
    """One controller's hold on a device, in one boot of it; its `name` goes with every verb."""

    number: str
    token: str
    boot: str

    @property
    def name(self) -> str:
        return f"{self.number}.{self.token}"

    def jobs(self, workdir: str) -> str:
        """The folder of the jobs of this hold and of no other."""
        return f"{workdir}/jobs/{self.boot}.{self.number}"


@dataclass(frozen=True, slots=True)
class Claim:
    """What one controller wants to hold a device with; the same for as long as its session lasts.

    `stale_s` is after how long without a sign of life another's hold may be broken.
    """

    token: str
    holder: Holder
    stale_s: int = STALE_S

    @classmethod
    def new(cls, purpose: str, stale_s: int = STALE_S) -> Claim:
        return cls(secrets.token_hex(8), Holder.here(purpose), stale_s)

    def take(self, transport: Transport, script: str, device: str) -> tuple[Hold, list[str]]:
        """Take the device, or find it still taken; notes for a person. Raises DeviceBusy that names the holder."""
        said = self._ask(transport, script)
        if said.get("state") == "held" and Holder.read(said.get("holder", "")).has_ended:
            said = self._ask(transport, script, "ended", said.get("number", ""))
        match said.get("state"):
            case "taken":
                hold = Hold(said.get("number", ""), self.token, said.get("boot", ""))
                return hold, self._notes(said, device)
            case "held":
                raise DeviceBusy(in_use(device, said), remedy="`run --wait` waits for it, or leave this device out")
            case "impossible":
                raise _no_place(device, said.get("place"))
            case _:
                raise LinkLost(f"{device}: the device's answer was cut short")

    def _ask(self, transport: Transport, script: str, *more: str) -> dict[str, str]:
        claim = f"{self.token} {self.holder.text}"
        done = transport.run(["sh", script, "lock", str(self.stale_s), claim, *more], timeout_s=60)
        ended = [line.removeprefix("ended=") for line in done.text.splitlines() if line.startswith("ended=")]
        return pairs(done.text) | {"ended": "\n".join(ended)}

    def _notes(self, said: Mapping[str, str], device: str) -> list[str]:
        jobs = filter(None, said["ended"].split("\n"))
        notes = [f"{device}: ended {_printable(job)}, which an earlier run had left" for job in jobs]
        token, _, holder = said.get("holder", "").partition(" ")
        why = {
            "restarted": "the device was restarted since",
            "ended": "its holder has ended",
            "silent": f"no sign of its holder for {_duration(self.stale_s)}",
        }.get(said.get("why", ""))
        if why and token not in {"", "free", self.token}:
            notes.insert(0, f"{device}: a stale lock of {Holder.read(holder)} was broken: {why}")
        return notes


def in_use(device: str, said: Mapping[str, str]) -> str:
    """By whom a device is used, for which run, and since when by this host's clock."""
    holder = Holder.read(said.get("holder", ""))
    since, now = number(said.get("since")), number(said.get("now"))
    if since is None or now is None or not 0 <= now - since < 10 * 365 * 86400:
        return f"{device} is in use by {holder} ({holder.purpose})"
    age = timedelta(seconds=now - since)
    began = datetime.now().astimezone() - age
    day = "" if age < timedelta(hours=12) else began.strftime("%Y-%m-%d ")
    how_long = f"since {day}{began:%H:%M}, for {_duration(age.total_seconds())}"
    return f"{device} is in use by {holder} ({holder.purpose}, {how_long})"


def _duration(seconds: float) -> str:
    minutes = round(seconds) // 60
    if minutes < 1:
        return f"{round(seconds)} s"
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60:02d} min"


def _no_place(device: str, folder: str | None) -> DeviceError:
    if folder:
        remedy = f"remove it, or as its owner: chmod 777 {folder}; or is the disk full?"
        return DeviceError(
            f"{device}: its lock cannot be kept in {folder}: every account must be able to write there", remedy=remedy
        )
    remedy = "on the device, as root: mkdir -m 1777 /run/lock"
    return DeviceError(f"{device}: has no folder for its lock that every account may write", remedy=remedy)
