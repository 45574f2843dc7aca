"""How a process ended, in words: its exit code, or the signal that ended it by its name."""

from __future__ import annotations

import signal
import subprocess

_MOST = 64  # signals of Linux


def how_it_ended(exit_code: int) -> str:
    """Shells and transports say 128 + n for signal n, Python's subprocess says -n."""
    number = -exit_code if exit_code < 0 else exit_code - 128
    if not 0 < number <= _MOST:
        return f"ended with exit code {exit_code}"
    try:
        name = f" ({signal.Signals(number).name})"
    except ValueError:
        name = ""
    if number == signal.SIGKILL:
        return f"was killed with signal {number}{name}, as a system without memory does"
    return f"crashed with signal {number}{name}"


def how_a_child_ended(child: subprocess.CompletedProcess[str]) -> str:
    """How a child ended: its signal, or its exit code with the last thing it said."""
    if child.returncode < 0:
        return f"crashed ({signal.Signals(-child.returncode).name})"
    said = [line.strip() for line in child.stderr.splitlines() if line.strip()]
    return f"failed: {said[-1]}" if said else f"ended with code {child.returncode}"
