"""What a command costs that is run as its users run it: the installed program, whose modules are compiled once."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

COMMAND = Path(sys.executable).with_name("benchbench")


@dataclass(frozen=True)
class Cost:
    """Seconds of a command, and of its processes' CPU time in user and in kernel mode; what it said on stdout."""

    wall_s: float
    user_s: float
    system_s: float
    said: bytes

    def __str__(self) -> str:
        return f"{self.wall_s:5.1f} s, {self.user_s:.1f} + {self.system_s:.1f} s of CPU"


def cost_of(command: Sequence[str | Path]) -> Cost:
    """Of a command that ends well. The first one compiles modules, if nobody has used the program before."""
    compiled = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    done = subprocess.run([*map(str, command)], check=True, env=compiled, capture_output=True)
    wall_s, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    return Cost(wall_s, after.ru_utime - before.ru_utime, after.ru_stime - before.ru_stime, done.stdout)
