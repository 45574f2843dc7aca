from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchbench.accuracy.datasets import load, seeded
from benchbench.accuracy.outputs import Output, read_outputs, write_outputs
from benchbench.accuracy.reference import reference_outputs
from benchbench.accuracy.scores import score
from benchbench.accuracy.shards import cut
from benchbench.runtimes.tflite.model.graph import read
from benchbench.runtimes.tflite.runtime import REFERENCES
from benchbench.values.errors import InputError, ToolError
from tests.accuracy.conftest import Described, reference_of
from tests.beds import models

IMAGE = Described(shape=(1, 28, 28, 1))
SHARED = Path(__file__).parents[3] / "shared" / "models"


def test_the_reference_is_the_plain_interpreter_on_its_reference_kernels(family: Path) -> None:
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    model = family / "fashion_mnist_float32.tflite"
    dataset = load(family / "test.npz", [IMAGE]).first(20)
    reference = reference_of(model, dataset)
    interpreter = Interpreter(str(model), experimental_op_resolver_type=OpResolverType.BUILTIN_REF)
    interpreter.allocate_tensors()
    rows = []
    for row in dataset.inputs[0][:20]:
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], row[None].astype(np.float32))
        interpreter.invoke()
        rows.append(interpreter.get_tensor(interpreter.get_output_details()[0]["index"])[0])
    assert (reference.kernels, reference.note) == ("reference", "")
    assert np.array_equal(reference.outputs[0].raw, np.array(rows))


def test_outputs_of_a_quantized_model_come_raw_with_their_quantization(family: Path) -> None:
    from ai_edge_litert.interpreter import Interpreter

    model = family / "fashion_mnist_int8-io.tflite"
    interpreter = Interpreter(str(model))
    own = interpreter.get_input_details()[0]
    scale, zero_point = own["quantization"]
    tensor = Described("image", np.dtype(own["dtype"]).name, (1, 28, 28, 1), scale, zero_point)
    (output,) = reference_of(model, load(family / "test.npz", [tensor]).first(5)).outputs
    assert (output.scale, output.zero_point) == interpreter.get_output_details()[0]["quantization"]
    assert output.raw.dtype.kind in "iu"
    assert output.real.sum(axis=1) == pytest.approx(np.ones(5), abs=0.05)


def test_a_model_that_is_too_slow_for_the_reference_kernels_is_told(family: Path) -> None:
    dataset = load(family / "test.npz", [IMAGE]).first(5)
    with pytest.raises(ToolError, match=r"not done after 0\.01 s"):
        reference_of(family / "fashion_mnist_float32.tflite", dataset, timeout_s=0.01)


def test_the_reference_goes_over_shards_and_is_the_same_as_over_one_file(family: Path, tmp_path: Path) -> None:
    model = family / "fashion_mnist_float32.tflite"
    dataset = load(family / "test.npz", [IMAGE]).first(7)
    shards = cut(dataset, tmp_path / "shards", most_bytes=3 * 28 * 28)
    (whole,), (parts,) = (
        reference_of(model, dataset).outputs,
        reference_outputs(model, shards, REFERENCES, at_most_seconds=120).outputs,
    )
    assert len(list(shards.folder.iterdir())) == 3
    np.testing.assert_array_equal(whole.raw, parts.raw)


def test_a_reference_whose_time_is_over_has_the_first_samples_and_says_how_many(family: Path) -> None:
    dataset = load(family / "test.npz", [IMAGE])
    reference = reference_of(family / "fashion_mnist_float32.tflite", dataset, at_most_seconds=0.05)
    done = len(reference.outputs[0].raw)
    assert 0 < done < dataset.n
    assert reference.note == f"compared for the first {done:,} of 2,000 samples: the reference had 0.05 s"
    scores = score(dataset, reference_of(family / "fashion_mnist_float32.tflite", dataset).outputs, reference.outputs)
    assert (scores["n"], scores["compared"], scores["agreement"]) == (2000, done, 1.0)


def test_a_reference_with_a_batch_of_its_own_takes_samples_batch_by_batch(tmp_path: Path) -> None:
    model = tmp_path / "net.tflite"
    model.write_bytes(models.chain_model(shape=(4, 3)))
    dataset = seeded([Described("x", shape=(4, 3))], 10, seed=0)
    (output,) = reference_of(model, dataset).outputs
    (alone,) = reference_of(model, dataset.first(6)).outputs
    assert output.raw.shape == (10, 3)
    np.testing.assert_array_equal(output.raw[:6], alone.raw)


def test_a_file_that_is_no_model_ends_in_one_line(tmp_path: Path) -> None:
    model = tmp_path / "broken.tflite"
    model.write_bytes(b"TFL3 no flatbuffer" * 10)
    with pytest.raises(ToolError, match=r"broken\.tflite: the reference cannot run it"):
        reference_of(model, seeded([IMAGE], 2, seed=0))


def test_a_model_with_an_op_that_only_the_edge_tpu_has_ends_in_one_line() -> None:
    model = SHARED / "mobilenet_v1_0.25_128_quant_edgetpu.tflite"
    if not model.is_file():
        pytest.skip("needs ../shared/models")
    tensor = Described("input", "uint8", (1, 128, 128, 3), 1 / 128, 128)
    with pytest.raises(ToolError, match="edgetpu-custom-op"):
        reference_of(model, seeded([tensor], 1, seed=0))


def test_outputs_survive_their_file(tmp_path: Path) -> None:
    outputs = (
        Output("a", np.arange(6, dtype=np.int8).reshape(2, 3), 0.5, -3),
        Output("b", np.ones((2, 1), np.float32)),
    )
    write_outputs(tmp_path / "outputs.npz", outputs)
    back = read_outputs(tmp_path / "outputs.npz")
    assert [(o.name, o.scale, o.zero_point) for o in back] == [("a", 0.5, -3), ("b", 0.0, 0)]
    assert np.array_equal(back[0].raw, outputs[0].raw)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut", b"\x93NUMPY"])
def test_a_file_that_holds_no_outputs_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "outputs.npz"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"outputs\.npz: no outputs of a model"):
        read_outputs(path)


def test_a_model_with_its_weights_zeroed_is_flagged_as_broken(family: Path, tmp_path: Path) -> None:
    model, broken = family / "fashion_mnist_float32.tflite", tmp_path / "zeroed.tflite"
    raw = model.read_bytes()
    for tensor in read(model, raw).graphs[0].tensors:
        weights = tensor.data.tobytes()
        if len(weights) > 1000:
            raw = raw.replace(weights, bytes(len(weights)))
    broken.write_bytes(raw)
    dataset = load(family / "test.npz", [IMAGE]).first(20)
    reference = reference_of(model, dataset).outputs
    assert score(dataset, reference, reference)["broken"] == 0
    scores = score(dataset, reference_of(broken, dataset).outputs, reference)
    assert scores["broken"] == 1
    assert "the same output for every input" in str(scores["flags"])


def test_a_model_with_a_wrong_output_scale_is_flagged_as_broken(family: Path) -> None:
    dataset = load(family / "test.npz", [IMAGE]).first(20)
    reference = reference_of(family / "fashion_mnist_float32.tflite", dataset).outputs
    (output,) = reference_of(family / "fashion_mnist_int8-io.tflite", dataset).outputs
    assert score(dataset, [output], reference)["broken"] == 0
    scores = score(dataset, [replace(output, scale=output.scale * 2)], reference)
    assert scores["broken"] == 1
    assert "a wrong scale" in str(scores["flags"])
