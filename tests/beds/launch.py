"""Run a runner's job on this machine, as a session does on a device: in a folder of its own, with a time limit."""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from benchbench.runtimes import Delegate, device_script
from benchbench.runtimes.tflite.script_runner import TfliteScriptRunner
from benchbench.runtimes.tool import LaunchSpec
from benchbench.values.case import Variant
from benchbench.values.job import Job, JobOutput
from benchbench.values.measurement_settings import MeasurementSettings
from benchbench.values.outcome import LaunchResult

QUICK = MeasurementSettings(runs=5, min_seconds=0, warmup_runs=2, warmup_min_seconds=0, timeout_seconds=120)


@cache
def script_file() -> Path:
    """The script as it travels, in a file of this host for as long as the tests run."""
    folder = tempfile.mkdtemp(prefix="benchbench-test-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    path = Path(folder, device_script.NAME)
    path.write_bytes(device_script.archive())
    return path


@dataclass(frozen=True, slots=True)
class Launched:
    raw: JobOutput
    reading: LaunchResult
    folder: Path


def work_for(model: Path, delegate: Delegate, **changes: Any) -> LaunchSpec:
    """A trial of the file at `model` on this interpreter."""
    size_mb = model.stat().st_size / 1e6 if model.exists() else 0.0
    variant = Variant(
        family="test", name=model.stem, scheme="float32", path=str(model), sha256="0" * 64, size_mb=size_mb, nodes=1
    )
    given: dict[str, Any] = {"threads": 1, "measure": QUICK, "tool": str(script_file()), "python": sys.executable}
    return LaunchSpec(variant=variant, model=str(model), delegate=delegate, **given | changes)


def run_job(job: Job, folder: Path, env: Mapping[str, str] | None = None) -> JobOutput:
    """Start the process, wait for it, read what it left; late = killed at its limit."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in job.files.items():
        (folder / name).write_text(f"{content}\n")
    process = subprocess.Popen(
        job.argv,
        cwd=folder,
        env={**os.environ, **job.env, **(env or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
    )
    late = False
    try:
        stdout, stderr = process.communicate(timeout=job.timeout_s)
    except subprocess.TimeoutExpired:
        late = True
        process.kill()
        stdout, stderr = process.communicate()
    answers = {name: (folder / name).read_bytes() for name in job.answers if (folder / name).exists()}
    return JobOutput(exit_code=process.returncode, stdout=stdout, stderr=stderr, answers=answers, late=late)


def launch(work: LaunchSpec, folder: Path, env: Mapping[str, str] | None = None) -> Launched:
    """One trial, whole: the job built, run and read."""
    runner = TfliteScriptRunner()
    raw = run_job(runner.job(work), folder, env)
    return Launched(raw, runner.read(work, raw), folder)
