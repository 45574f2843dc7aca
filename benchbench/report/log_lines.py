"""The telling lines of a log, for a page that is sent alone: those that say what ran, and what went wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from benchbench.device_script.protocol import ANSWER, REQUEST

MOST_LINES, MOST_CHARACTERS = 8, 240
_MOST_BYTES = 256 << 10  # of a log, from its beginning and again from its end: a tool may have printed without end
_WRONG = ("error", "fatal", "traceback", "abort", "segmentation", "signal ", "failed", "cannot", "not found")
_OF_ANSWER = ("threads", "cpus", "api")


def telling_lines(folder: Path, log: str, words: Sequence[str], *, wrong: bool = False) -> tuple[str, ...]:
    """The lines of a log below a run folder with one of these words, each once.

    `wrong`: those that tell of a failure, or the last ones where none does. Of the device script's answer, one long
    line, what it says of threads and cores. Empty where the log is gone, or leads out of the folder.
    """
    lines = list(_lines(_text(folder, log)))
    told = [line for line in lines if any(word in line for word in words)]
    if wrong:
        told = [line for line in lines if any(word in line.lower() for word in _WRONG)] or lines[-3:]
    return tuple(line[:MOST_CHARACTERS] for line in list(dict.fromkeys(told))[:MOST_LINES])


def _lines(text: str) -> Iterator[str]:
    """What tools said, without the command, what they were given, and the headings between their streams."""
    part = ""
    for line in map(str.strip, text.splitlines()):
        if line.startswith("== ") and line.endswith(" =="):
            part = line.strip("= ")
        elif part == ANSWER:
            yield from _of_answer(line)
        elif line and part != REQUEST and not line.startswith("$ "):
            yield line


def _of_answer(line: str) -> Iterator[str]:
    with suppress(ValueError):
        said = json.loads(line)
        told = {name: said[name] for name in _OF_ANSWER if said.get(name)} if isinstance(said, dict) else {}
        yield f"{ANSWER}: {json.dumps(told)}"


def _text(folder: Path, log: str) -> str:
    path = folder / log
    if not path.resolve().is_relative_to(folder.resolve()):
        return ""
    try:
        with path.open("rb") as file:
            text = file.read(_MOST_BYTES)
            rest = path.stat().st_size - len(text)
            if rest > 0:
                file.seek(-min(rest, _MOST_BYTES), 2)
                text += b"\n" + file.read()
    except OSError:
        return ""
    return text.decode("utf-8", "replace")
