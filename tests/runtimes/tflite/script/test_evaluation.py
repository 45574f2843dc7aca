"""Samples through the timed path, and their raw outputs back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from benchbench.accuracy.outputs import read_outputs
from benchbench.device_script.protocol import OUTPUTS, Evaluation, Preprocess
from benchbench.runtimes.tflite.backends.cpu import Cpu
from benchbench.runtimes.tflite.backends.xnnpack import Xnnpack
from tests.beds import models
from tests.beds.launch import launch, work_for


def images(count: int, size: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.random.RandomState(3).randint(0, 256, (count, size, size, 3)).astype(np.uint8)


def test_outputs_are_those_of_the_plain_interpreter_to_the_bit(tmp_path: Path) -> None:
    (tmp_path / "conv.tflite").write_bytes(models.conv_model())
    x = images(12, 32)
    np.savez(tmp_path / "data.npz", x=x, y=np.arange(12))
    evaluation = Evaluation(samples=str(tmp_path / "data.npz"), preprocess=Preprocess(scale=1 / 255, mean=(0.5,)))
    launched = launch(work_for(tmp_path / "conv.tflite", Xnnpack(), evaluation=evaluation), tmp_path / "job")
    assert launched.reading.status == "ok", launched.reading.error
    assert launched.reading.measurement.runs == 11  # all but the first
    (output,) = read_outputs(launched.folder / OUTPUTS)
    assert (output.name, output.raw.shape) == ("probabilities", (12, 10))

    plain = Interpreter(model_path=str(tmp_path / "conv.tflite"), num_threads=1)
    plain.allocate_tensors()
    for sample, mine in zip(x, output.real, strict=True):
        real = (sample.astype(np.float32) * np.float32(1 / 255) - np.float32(0.5))[None]
        plain.set_tensor(plain.get_input_details()[0]["index"], real)
        plain.invoke()
        np.testing.assert_array_equal(plain.get_tensor(plain.get_output_details()[0]["index"])[0], mine)


def test_integer_inputs_are_quantized_by_their_own_scale_and_outputs_keep_theirs(tmp_path: Path) -> None:
    (tmp_path / "int8.tflite").write_bytes(models.quantized_model())
    x = images(5, 16)
    np.savez(tmp_path / "real.npz", x=x.astype(np.float32) / 255)
    np.savez(tmp_path / "raw.npz", x=(x.astype(np.int16) - 128).astype(np.int8))
    results = []
    for name in ("real", "raw"):
        evaluation = Evaluation(samples=str(tmp_path / f"{name}.npz"))
        launched = launch(work_for(tmp_path / "int8.tflite", Cpu(), evaluation=evaluation), tmp_path / name)
        assert launched.reading.status == "ok", launched.reading.error
        results.append(read_outputs(launched.folder / OUTPUTS)[0])
    real, raw = results
    assert real.raw.dtype == np.int8
    np.testing.assert_array_equal(real.raw, raw.raw)
    assert real.scale == pytest.approx(0.05)
    assert real.zero_point == -128
    np.testing.assert_allclose(real.real, (real.raw.astype(np.float64) + 128) * real.scale)


def test_a_part_of_the_samples_can_be_asked_for(tmp_path: Path) -> None:
    (tmp_path / "conv.tflite").write_bytes(models.conv_model())
    np.savez(tmp_path / "data.npz", x=images(10, 32))
    outputs = []
    for start, count in ((0, None), (4, 3)):
        evaluation = Evaluation(samples=str(tmp_path / "data.npz"), start=start, count=count, preprocess=Preprocess())
        work = work_for(tmp_path / "conv.tflite", Cpu(), evaluation=evaluation)
        launched = launch(work, tmp_path / f"job{start}")
        outputs.append(read_outputs(launched.folder / OUTPUTS)[0].raw)
    np.testing.assert_array_equal(outputs[0][4:7], outputs[1])


def test_no_samples_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "conv.tflite").write_bytes(models.conv_model())
    np.savez(tmp_path / "data.npz", x=images(3, 32))
    evaluation = Evaluation(samples=str(tmp_path / "data.npz"), start=3)
    reading = launch(work_for(tmp_path / "conv.tflite", Cpu(), evaluation=evaluation), tmp_path / "job").reading
    assert reading.status == "failed"
    assert "holds no samples from number 3 on" in (reading.error or "")
    assert not (tmp_path / "job" / OUTPUTS).exists()


def test_samples_of_another_shape_name_the_input(tmp_path: Path) -> None:
    (tmp_path / "conv.tflite").write_bytes(models.conv_model())
    np.savez(tmp_path / "data.npz", x=images(3, 16))
    evaluation = Evaluation(samples=str(tmp_path / "data.npz"))
    reading = launch(work_for(tmp_path / "conv.tflite", Cpu(), evaluation=evaluation), tmp_path / "job").reading
    assert reading.status == "failed"
    assert "input 'image' wants [1, 32, 32, 3]" in (reading.error or "")


def test_an_archive_with_pickles_in_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "conv.tflite").write_bytes(models.conv_model())
    np.savez(tmp_path / "data.npz", x=np.array([{"not": "an array"}], dtype=object))
    evaluation = Evaluation(samples=str(tmp_path / "data.npz"))
    reading = launch(work_for(tmp_path / "conv.tflite", Cpu(), evaluation=evaluation), tmp_path / "job").reading
    assert reading.status == "failed"
    assert "allow_pickle=False" in (reading.error or "")
