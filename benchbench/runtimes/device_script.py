"""The host's side of the device script: packing it for its journey, and reading what it answers."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pydantic import TypeAdapter

from benchbench import device_script
from benchbench.device_script.protocol import Answer

NAME = "device_script.pyz"
_MAIN = """\
import sys

from device_script.main import main

sys.exit(main([sys.executable, sys.argv[0]], sys.argv[1:]))
"""
_ANSWER = TypeAdapter(Answer)


@cache
def archive() -> bytes:
    """The package as one .pyz, the same bytes from the same sources on every host: stored, sorted and without dates."""
    sources = {f"device_script/{path.name}": path.read_bytes() for path in sorted(_folder().glob("*.py"))}
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as pyz:
        for name, source in {"__main__.py": _MAIN.encode(), **sources}.items():
            entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            entry.create_system, entry.external_attr = 3, 0o644 << 16
            pyz.writestr(entry, source)
    return packed.getvalue()


def read_answer(text: bytes) -> Answer:
    """Raises pydantic's ValidationError for what this version of the script does not write."""
    return _ANSWER.validate_json(text)


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


def probe_argv(python: str, script: str) -> tuple[str, ...]:
    """The command that prints one line about an interpreter on a device."""
    return (python, script, "--probe")


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
