"""What only a real process shows: time limits, cores, what was asked for against what was got."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from benchbench.runtimes.tflite.backends.cpu import Cpu
from benchbench.runtimes.tflite.backends.xnnpack import Xnnpack
from benchbench.values.measurement_settings import MeasurementSettings
from tests.beds import models
from tests.beds.launch import launch, work_for


@pytest.fixture
def conv(tmp_path: Path) -> Path:
    path = tmp_path / "conv.tflite"
    path.write_bytes(models.conv_model(size=64, channels=32))
    return path


def test_a_launch_that_outlives_its_limit_is_killed_and_names_the_stage(tmp_path: Path, conv: Path) -> None:
    endless = MeasurementSettings(
        runs=10_000_000, min_seconds=0, warmup_runs=1, warmup_min_seconds=0, timeout_seconds=12
    )
    launched = launch(work_for(conv, Cpu(), measure=endless), tmp_path / "job")
    assert launched.raw.late
    assert launched.reading.status == "failed"
    assert launched.reading.error == "killed at its time limit of 12 s (stage: steady state)"


def test_a_mask_pins_the_process_and_the_cores_are_reported(tmp_path: Path, conv: Path) -> None:
    if shutil.which("taskset") is None or not hasattr(os, "sched_getaffinity"):
        pytest.skip("no taskset: apt-get install util-linux")
    core = max(os.sched_getaffinity(0))
    reading = launch(work_for(conv, Xnnpack(), affinity_mask=f"{1 << core:x}"), tmp_path / "job").reading
    assert reading.status == "ok", reading.error
    assert reading.measurement.cpus == (core,)


def test_memory_kinds_grow_in_the_order_of_the_phases(tmp_path: Path, conv: Path) -> None:
    memory = launch(work_for(conv, Xnnpack()), tmp_path / "job").reading.measurement.memory
    assert memory.rss_start_mb is not None
    assert memory.rss_loaded_mb is not None
    assert memory.rss_peak_mb is not None
    assert 10 < memory.rss_start_mb < memory.rss_loaded_mb < memory.rss_peak_mb < 500
