"""Outputs through the script come shard by shard and launch by launch, and none is made twice."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

from benchbench.accuracy.collect.chunks import Chunks
from benchbench.accuracy.collect.launch_sequence import Evaluated, LaunchSequence
from benchbench.accuracy.collect.with_script import evaluate
from benchbench.accuracy.datasets import load
from benchbench.accuracy.shards import Shards, cut
from benchbench.device.session import Session, open_session
from benchbench.runtimes.models import inspect
from benchbench.runtimes.script_runner import PythonRunner
from benchbench.runtimes.tflite.backends.xnnpack import Xnnpack
from benchbench.runtimes.tool import LaunchSpec
from benchbench.values.device import Device, Local
from benchbench.values.measurement_settings import MeasurementSettings
from tests.accuracy.conftest import FAMILY
from tests.beds.launch import script_file, work_for

MODEL = FAMILY / "fashion_mnist_int8.tflite"
IMAGE_BYTES = 28 * 28


class Told:
    """Progress as it comes; raises where a test wants the controller to end."""

    def __init__(self, ends_at: int | None = None) -> None:
        self.heard: list[tuple[int, int]] = []
        self._ends_at = ends_at

    def __call__(self, done: int, of: int) -> None:
        self.heard.append((done, of))
        if done == self._ends_at:
            raise KeyboardInterrupt


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    with open_session(Device(name="host", address=Local(), workdir=str(tmp_path / "work"))) as opened:
        yield opened


def shards_of(folder: Path, samples: int, per_shard: int) -> Shards:
    dataset = load(FAMILY / "test.npz", inspect(MODEL).inputs, classes=10).first(samples)
    return cut(dataset, folder / "shards", most_bytes=per_shard * IMAGE_BYTES)


def evaluated(session: Session, shards: Shards, told: Told, model: Path = MODEL) -> Evaluated:
    measure = MeasurementSettings(timeout_seconds=120)
    work: LaunchSpec = work_for(model, Xnnpack(), measure=measure, tool=str(script_file()), python=sys.executable)
    launches = LaunchSequence(session, PythonRunner(), "net/accuracy", Chunks(shards.folder.parent / "parts"))
    return evaluate(launches, work, shards, told)


def test_outputs_of_all_shards_are_those_of_one_interpreter(session: Session, tmp_path: Path) -> None:
    shards, told = shards_of(tmp_path, samples=25, per_shard=10), Told()
    found = evaluated(session, shards, told)
    assert found.reading.status == "ok", found.reading.error
    assert told.heard == [(10, 25), (20, 25), (25, 25)]
    assert list(found.said) == ["sample 1 and on", "sample 11 and on", "sample 21 and on"]
    np.testing.assert_array_equal(found.outputs[0].raw, plainly(MODEL, 25))
    assert found.reading.measurement.timings.mean is None  # an evaluation is not what is timed


def test_a_launch_ends_when_its_time_is_over_and_the_next_goes_on_there(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "benchbench.accuracy.collect.with_script.LAUNCH_SECONDS", 0.25
    )  # far less than the samples take
    model = FAMILY / "fashion_mnist_int16x8.tflite"
    shards, told = shards_of(tmp_path, samples=2000, per_shard=2000), Told()
    found = evaluated(session, shards, told, model)
    assert found.reading.status == "ok", found.reading.error
    assert len(told.heard) > 1
    assert told.heard[-1] == (2000, 2000)
    assert found.outputs[0].raw.shape == (2000, 10)
    seam = told.heard[0][0] + 5
    np.testing.assert_array_equal(found.outputs[0].raw[:seam], plainly(model, seam))


def test_an_evaluation_that_was_interrupted_goes_on_where_it_was(session: Session, tmp_path: Path) -> None:
    shards = shards_of(tmp_path, samples=25, per_shard=10)
    with pytest.raises(KeyboardInterrupt):
        evaluated(session, shards, Told(ends_at=20))
    told = Told()
    found = evaluated(session, shards, told)
    assert list(found.said) == ["sample 21 and on"]
    assert told.heard == [(10, 25), (20, 25), (25, 25)]
    np.testing.assert_array_equal(found.outputs[0].raw, plainly(MODEL, 25))


@pytest.mark.parametrize("damage", [b"", b"{", b"not even close"])
def test_a_part_that_was_not_kept_whole_is_made_again(session: Session, tmp_path: Path, damage: bytes) -> None:
    shards = shards_of(tmp_path, samples=15, per_shard=10)
    with pytest.raises(KeyboardInterrupt):
        evaluated(session, shards, Told(ends_at=10))
    for path in (tmp_path / "parts").glob("*.npz" if not damage else "*.json"):
        path.write_bytes(damage)
    found = evaluated(session, shards, Told())
    assert list(found.said) == ["sample 1 and on", "sample 11 and on"]
    assert len(found.outputs[0].raw) == 15


def test_a_launch_that_fails_fails_the_evaluation_and_says_why(session: Session, tmp_path: Path) -> None:
    model = tmp_path / "gone.tflite"
    model.write_bytes(b"TFL3 no flatbuffer" * 10)
    found = evaluated(session, shards_of(tmp_path, samples=5, per_shard=10), Told(), model)
    assert found.reading.status == "failed"
    assert found.outputs == ()
    assert str(found.reading.error).startswith("load: ")


def plainly(model: Path, samples: int) -> NDArray[np.float32]:
    """The outputs of a plain interpreter, one sample at a time."""
    with np.load(FAMILY / "test.npz") as archive:
        images = archive["x"][:samples].astype(np.float32)
    interpreter = Interpreter(str(model), num_threads=1)
    interpreter.allocate_tensors()
    rows = []
    for image in images.reshape(samples, 1, 28, 28, 1):
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], image)
        interpreter.invoke()
        rows.append(interpreter.get_tensor(interpreter.get_output_details()[0]["index"])[0])
    return np.array(rows)
