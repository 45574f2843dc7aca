"""The host's side of the device script: packing it for devices, running it here, reading what it answers."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pydantic import TypeAdapter

from benchbench import device_script
from benchbench.device_script.protocol import ANSWER, NATIVE_LOG, REQUEST, STAGE, Answer, Request, to_json
from benchbench.values.errors import ToolError
from benchbench.values.process_end import how_it_ended

NAME = "device_script.pyz"
_MAIN = "archive_main.py"


@cache
def archive() -> bytes:
    """The package as one .pyz, the same bytes from the same sources on every host: stored, sorted and without dates."""
    sources = {name: (_folder() / name).read_bytes() for name in _names()}
    entries = {"__main__.py": sources.pop(_MAIN), **{f"device_script/{name}": text for name, text in sources.items()}}
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as pyz:
        for name, source in entries.items():
            entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            entry.create_system, entry.external_attr = 3, 0o644 << 16
            pyz.writestr(entry, source)
    return packed.getvalue()


def read_answer(text: bytes) -> Answer:
    """Raises pydantic's ValidationError for what this version of the script does not write."""
    return _answers().validate_json(text)


@cache
def _answers() -> TypeAdapter[Answer]:
    return TypeAdapter(Answer)


def _names() -> list[str]:
    return sorted(path.relative_to(_folder()).as_posix() for path in _folder().rglob("*.py"))


def _folder() -> Path:
    return Path(str(device_script.__file__)).parent


@dataclass(frozen=True, slots=True)
class Probe:
    """What an interpreter on a device is; `runtime` None = no runtime can be imported there."""

    python: str
    executable: str
    runtime: str | None
    accelerators: tuple[str, ...]
    evidence: dict[str, str]


def probe_argv(python: str, script: str, *asked: str) -> tuple[str, ...]:
    """The command that prints one line about an interpreter on a device; `asked`: a runtime, and what of it."""
    return (python, script, "--probe", *asked)


def read_probe(text: str) -> Probe | None:
    """Read that line; None when the interpreter could not run the script (no numpy, too old)."""
    for line in reversed(text.splitlines()):
        try:
            said = json.loads(line)
            return Probe(
                python=str(said["python"]),
                executable=str(said["executable"]),
                runtime=None if said["runtime"] is None else str(said["runtime"]),
                accelerators=tuple(str(name) for name in said["accelerators"]),
                evidence={str(name): str(why) for name, why in said["evidence"].items()},
            )
        except (ValueError, KeyError, TypeError, AttributeError):
            continue
    return None


def run_here(request: Request, folder: Path, timeout_s: float) -> Answer:
    """A launch on this host, in a process of its own because models may abort; `folder` holds what it leaves.

    Paths in the request are absolute, or of that folder. Raises ToolError where no answer came.
    """
    (folder / REQUEST).write_text(to_json(request), encoding="utf-8")
    command = [sys.executable, "-P", "-m", device_script.__name__, REQUEST, ANSWER]
    try:
        ended = subprocess.run(command, cwd=folder, capture_output=True, check=False, timeout=timeout_s)
    except subprocess.TimeoutExpired as error:
        if not (folder / ANSWER).exists():
            raise ToolError(f"not done after {timeout_s:g} s") from error
    else:
        if not (folder / ANSWER).exists():
            raise ToolError(no_answer(ended.returncode, _left_in(folder), ended.stderr, ended.stdout))
    return read_answer((folder / ANSWER).read_bytes())


def no_answer(exit_code: int, left: Mapping[str, bytes], *said: bytes) -> str:
    """Why a launch left no answer, in one line: how it ended, at which stage, and its most telling words."""
    lines = (_telling_line(text) for text in (left.get(NATIVE_LOG, b""), *said))
    tail = next((line for line in lines if line), "")
    return f"{how_it_ended(exit_code)} (stage: {last_stage(left)})" + (f": {tail}" if tail else "")


def last_stage(left: Mapping[str, bytes]) -> str:
    """What a launch was doing when it ended."""
    return left.get(STAGE, b"").decode("utf-8", "replace").strip() or "start"


def _left_in(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in (STAGE, NATIVE_LOG) if (folder / name).exists()}


def _telling_line(text: bytes) -> str:
    lines = [line.strip() for line in text.decode("utf-8", "replace").splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith(("ERROR", "F0", "Fatal", "Check failed")) or "rror:" in line]
    return (errors or lines or [""])[-1][:300]
