"""The command line: one launch, or the probe."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Any

from .engines import ENGINES, request_from_json
from .errors import NeedsCpu
from .protocol import NATIVE_LOG, to_json

if TYPE_CHECKING:
    from collections.abc import Sequence

USAGE = "usage: device_script.pyz request.json answer.json | --probe [RUNTIME [ARGUMENT …]]\n"
WITH_CPU = "--with-cpu"


def main(program: Sequence[str], arguments: Sequence[str]) -> int:
    """The exit code; `program` is the command that starts this again, afresh."""
    if list(arguments[:1]) == ["--probe"]:
        said = _probed(arguments[1:])
        sys.stdout.write(json.dumps(said, sort_keys=True) + "\n" if said else "")
        sys.stderr.write("" if said else USAGE)
        return 0 if said else 2
    files, options = list(arguments[:2]), list(arguments[2:])
    if len(files) != 2 or options not in ([], [WITH_CPU]):
        sys.stderr.write(USAGE)
        return 2
    try:
        return _launch(files[0], files[1], with_cpu=bool(options))
    except NeedsCpu:
        # Afresh, so that the failed attempt is neither in the memory nor in the initialisation of the second.
        os.execv(program[0], [*program, *files, WITH_CPU])  # noqa: S606


def _probed(arguments: Sequence[str]) -> dict[str, Any] | None:
    """What this interpreter has of the runtime that is named, of the first where none is; None = no such runtime."""
    name = arguments[0] if arguments else ENGINES[0].runtime
    return next((engines.probe(arguments[1:]) for engines in ENGINES if engines.runtime == name), None)


def _launch(request: str, answer: str, with_cpu: bool) -> int:
    """Always leaves an answer; raises NeedsCpu, with stderr as it was."""
    from .launch import Launch
    from .native_log import redirect_stderr
    from .system import write_whole

    launch = Launch(answer, with_cpu)
    restore = redirect_stderr(NATIVE_LOG)
    try:
        with open(request, encoding="utf-8") as file:
            asked = request_from_json(file.read())
        launch.run(asked)
    except NeedsCpu:
        raise
    except Exception as error:
        launch.explain(error)
    finally:
        restore()
    write_whole(answer, to_json(launch.answer))
    return 0 if launch.answer.status == "ok" else 1
