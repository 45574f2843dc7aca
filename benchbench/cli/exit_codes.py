"""The exit codes: what each means, and which error ends with which. Here, and nowhere else."""

from __future__ import annotations

import signal
import textwrap

import click

from benchbench.values.errors import DeviceError, HostError, InputError, Interrupted, NothingToDo, ToolError

DONE = 0
REGRESSED = FAILED = 1
INPUT = 2
NOTHING = 3
DEVICE = 4
TOOL = 5
HOST = 6
_HELP_COLUMNS = 76  # click indents by two
PIPE_CLOSED = 128 + signal.SIGPIPE
OUR_FAULT = 70  # EX_SOFTWARE of sysexits.h: must not read as a regression

MEANINGS = {
    "0": "done",
    "1": "compare: something got slower, fails or is gone; run: trials failed, or a budget is not kept",
    "2": "input: an argument, a key or a file is wrong",
    "3": "nothing to do; compare: the runs have no case in common, or nothing could be judged",
    "4": "device: unreachable, in use, or it cannot do what was asked",
    "5": "tool: a measuring tool, library or converter is missing or cannot be used",
    "6": "this host: its disk or its memory",
    "70": "a fault of benchbench itself, with a traceback",
    "130, 143, 129, 141": "ended by Ctrl-C, SIGTERM, a hang-up, a closed pipe (128 + the signal's number)",
}
_CODES: tuple[tuple[type[BaseException], int], ...] = (
    (InputError, INPUT),
    (NothingToDo, NOTHING),
    (DeviceError, DEVICE),
    (ToolError, TOOL),
    (HostError, HOST),
    (click.ClickException, INPUT),
    (KeyboardInterrupt, 128 + signal.SIGINT),
    (OSError, HOST),  # an error with a path that somebody named was made an InputError where it was met
    (MemoryError, HOST),
)


def exit_code(error: BaseException) -> int:
    """The exit code that an error ends the program with."""
    if isinstance(error, Interrupted):
        return 128 + error.number
    return next((code for kind, code in _CODES if isinstance(error, kind)), OUR_FAULT)


def explained() -> str:
    """The table as text for --help."""
    width = max(map(len, MEANINGS)) + 4
    lines = ["\b", "Exit codes:"]
    for code, words in MEANINGS.items():
        first, *rest = textwrap.wrap(words, _HELP_COLUMNS - width)
        lines += [f"  {code:<{width - 2}}{first}", *(" " * width + more for more in rest)]
    return "\n".join(lines)
