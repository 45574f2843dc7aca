"""The host's side of the device script."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from benchbench.device_script.protocol import Answer, Request
from benchbench.device_script.tflite.delegates import InterpreterDelegate
from benchbench.runtimes.device_script import archive, probe_argv, read_probe, run_here
from benchbench.values.errors import ToolError
from tests.beds import models

PROGRAM = """
import hashlib
from benchbench.runtimes.device_script import archive
print(hashlib.sha256(archive()).hexdigest())
"""


def test_the_archive_is_the_same_bytes_wherever_and_whenever_it_is_made(tmp_path: Path) -> None:
    """In another time zone, locale and umask, with files that are as new as can be."""
    digests = set()
    for zone, umask in (("UTC", 0o22), ("Pacific/Kiritimati", 0o77)):
        environment = os.environ | {"TZ": zone, "LC_ALL": "C", "PYTHONHASHSEED": str(umask)}
        made = subprocess.run(
            [sys.executable, "-c", PROGRAM], env=environment, umask=umask, cwd=tmp_path, capture_output=True, check=True
        )
        digests.add(made.stdout)
    assert len(digests) == 1


def test_the_archive_holds_the_sources_and_nothing_that_tells_of_this_host() -> None:
    with zipfile.ZipFile(io.BytesIO(archive())) as pyz:
        entries = pyz.infolist()
    names = [entry.filename for entry in entries]
    assert names[0] == "__main__.py"
    assert names[1:] == sorted(names[1:])
    assert {"device_script/protocol.py", "device_script/tflite/__init__.py"} <= set(names)
    assert all(name.endswith(".py") for name in names)
    assert {(entry.date_time[0], entry.external_attr >> 16, entry.compress_type) for entry in entries} == {
        (1980, 0o644, zipfile.ZIP_STORED)
    }


def test_a_probe_line_is_found_among_other_output() -> None:
    line = {"python": "3.9.2", "executable": "/p", "runtime": None, "accelerators": ["gpu"], "evidence": {"gpu": "x"}}
    probe = read_probe("a warning\n" + json.dumps(line) + "\n")
    assert probe is not None
    assert (probe.python, probe.runtime, probe.accelerators) == ("3.9.2", None, ("gpu",))
    assert probe_argv("/p", "/s.pyz") == ("/p", "/s.pyz", "--probe")


@pytest.mark.parametrize("text", ["", "No module named numpy", "{}", "[1]", "null", '{"python": 3}'])
def test_no_probe_line_is_none(text: str) -> None:
    assert read_probe(text) is None


def faulty(folder: Path, place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A runtime that crashes at a place in its interpreter."""
    program = f"""
import os, signal
from ai_edge_litert.interpreter import Interpreter

Interpreter.{place} = lambda *given, **named: os.kill(os.getpid(), signal.SIGSEGV)
"""
    (folder / "sitecustomize.py").write_text(program)
    monkeypatch.setenv("PYTHONPATH", str(folder))


def launch_here(folder: Path) -> Answer:
    model = folder / "model.tflite"
    model.write_bytes(models.add_model())
    left = folder / "left"
    left.mkdir()
    return run_here(Request(str(model), "xnnpack", InterpreterDelegate(xnnpack=True), runs=3), left, timeout_s=300)


def test_a_launch_on_this_host_answers(tmp_path: Path) -> None:
    answer = launch_here(tmp_path)
    assert (answer.status, len(answer.steady_ns)) == ("ok", 3)


def test_a_crash_on_this_host_names_signal_and_stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    faulty(tmp_path, "allocate_tensors", monkeypatch)
    with pytest.raises(ToolError, match=r"SIGSEGV.*stage: allocate"):
        launch_here(tmp_path)


def test_a_crash_after_the_answer_costs_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    faulty(tmp_path, "_get_ops_details", monkeypatch)
    assert launch_here(tmp_path).status == "ok"
