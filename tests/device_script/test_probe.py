from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import benchbench
from benchbench.runtimes.device_script import Probe, read_probe
from tests.beds.launch import script_file


def probe(*program: str, **environment: str) -> Probe:
    run = subprocess.run(
        [sys.executable, *program, "--probe"], capture_output=True, check=True, text=True, env=environment or None
    )
    (line,) = run.stdout.splitlines()
    said = read_probe(line)
    assert said is not None
    return said


def test_the_probe_prints_one_line_with_evidence_for_every_yes_and_no() -> None:
    said = probe(str(script_file()))
    assert (said.runtime or "").startswith("ai-edge-litert ")
    assert said.python.startswith(f"{sys.version_info.major}.{sys.version_info.minor}")
    assert set(said.evidence) == {"gpu", "npu", "edgetpu"}


def test_an_interpreter_without_a_runtime_is_no_crash_of_the_probe(tmp_path: Path) -> None:
    for package in ("ai_edge_litert", "tflite_runtime", "tensorflow"):
        (tmp_path / f"{package}.py").write_text("raise SystemError('built for another numpy')\n")
    said = probe(str(script_file()), PYTHONPATH=str(tmp_path), PATH="")
    assert said.runtime is None
    assert "built for another numpy" in said.evidence["runtime"]


def test_the_package_runs_straight_from_a_checkout() -> None:
    checkout = str(Path(str(benchbench.__file__)).parents[1])
    assert probe("-m", "benchbench.device_script", PYTHONPATH=checkout) == probe(str(script_file()))
