"""The script run as it is on a device: packed, in a process of its own, with a request and an answer."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchbench.device_script.protocol import ANSWER, REQUEST, Answer, Request, to_json
from benchbench.device_script.tflite.delegates import InterpreterDelegate
from benchbench.runtimes.device_script import read_answer
from tests.beds.launch import script_file

CPU = InterpreterDelegate(xnnpack=False)
XNNPACK = InterpreterDelegate(xnnpack=True)

Ask = Callable[..., Answer]


def command(*options: str) -> list[str]:
    """The launch of a request in the working directory."""
    return [sys.executable, *options, str(script_file()), REQUEST, ANSWER]


def request_for(model: Path | str, **changes: Any) -> str:
    """A short launch, as JSON."""
    given: dict[str, Any] = {"asked": "xnnpack", "delegate": XNNPACK, "runs": 5, "max_seconds": 20, "warmup_runs": 2}
    return to_json(Request(model=str(model), **given | changes))


@pytest.fixture
def ask(tmp_path: Path) -> Ask:
    """Runs the script on a model's bytes with a changed request; the answer."""

    def run(model_bytes: bytes, **changes: Any) -> Answer:
        model = tmp_path / "model.tflite"
        model.write_bytes(model_bytes)
        (tmp_path / REQUEST).write_text(request_for(changes.pop("model", model), **changes))
        subprocess.run(command("-W", "error"), cwd=tmp_path, capture_output=True, check=False, timeout=120)
        return read_answer((tmp_path / ANSWER).read_bytes())

    return run
