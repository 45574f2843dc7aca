"""Samples through a model on this host, by the script that runs them on devices."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from benchbench.accuracy.outputs import Output, read_outputs
from benchbench.device_script.protocol import OUTPUTS, Request
from benchbench.runtimes.device_script import run_here
from benchbench.values.errors import ToolError


class NotComparable(ToolError):
    """Outputs that are no numbers, or change their shape from sample to sample."""


def outputs_on_this_host(request: Request, timeout_s: float) -> tuple[Output, ...]:
    """The outputs of an evaluation, whose paths are absolute.

    Raises ToolError, with one line, where the model cannot be run; NotComparable where its outputs are nothing to keep.
    """
    with TemporaryDirectory(prefix="benchbench-") as folder:
        answer = run_here(request, Path(folder), timeout_s)
        if answer.error is not None:
            kind = NotComparable if answer.error.type == NotComparable.__name__ else ToolError
            raise kind(answer.error.line)
        return read_outputs(Path(folder, OUTPUTS))
