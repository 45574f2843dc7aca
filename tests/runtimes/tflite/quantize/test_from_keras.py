"""Keras files and SavedModels become families with TensorFlow's own converter; skipped where the extra is missing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchbench.pipeline import quantize
from benchbench.runtimes.tflite.model.inspect import inspect
from benchbench.runtimes.tflite.quantize.schemes import SCHEMES

tf = pytest.importorskip("tensorflow", reason="the extra 'tensorflow' is not installed")
pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.timeout(900)]


def convolutional(head: str) -> Any:
    """A small network for images of any size, or with "dense" as its head for its own size only."""
    layers = tf.keras.layers
    size = 16 if head == "dense" else None
    image = layers.Input((size, size, 3), name="photo")
    x = layers.Conv2D(8, 3, padding="same", activation="relu")(image)
    x = layers.Flatten()(x) if head == "dense" else layers.GlobalAveragePooling2D()(x)
    return tf.keras.Model(image, layers.Dense(4, activation="softmax")(x))


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("samples") / "samples.npz"
    np.savez(path, x=np.random.default_rng(0).random((8, 16, 16, 3), dtype="float32"))
    return path


def test_a_keras_file_becomes_every_scheme(tmp_path: Path, samples: Path) -> None:
    source = tmp_path / "net.keras"
    convolutional("dense").save(source)
    family = quantize(source, SCHEMES, tmp_path / "out", representative=samples)
    assert [s.reason for s in family.skipped] == []
    tools = {made.scheme: made.tool.split()[0] for made in family.made}
    assert tools == {
        scheme: "litert-quantizer" if "weight-only" in scheme or "int4" in scheme else "TFLiteConverter"
        for scheme in SCHEMES
    }


def test_per_tensor_int8_of_a_keras_file_is_per_tensor(tmp_path: Path, samples: Path) -> None:
    source = tmp_path / "net.keras"
    convolutional("dense").save(source)
    family = quantize(source, ["int8"], tmp_path / "out", representative=samples, per_channel=False)
    assert [made.granularity for made in family.made] == ["per-tensor"]


def test_depthwise_layers_stay_float_where_a_kernel_misreads_a_single_scale(
    tmp_path: Path,
) -> None:
    """TFLiteConverter would make the broken file, too, and cannot be told not to."""
    layers = tf.keras.layers
    photo = layers.Input((16, 16, 64), batch_size=1)
    deep = layers.Conv2D(64, 1)(layers.DepthwiseConv2D(5, depth_multiplier=2)(photo))
    source = tmp_path / "net.keras"
    tf.keras.Model(photo, layers.GlobalAveragePooling2D()(deep)).save(source)
    (made,) = quantize(source, ["dynamic-int8"], tmp_path / "out", per_channel=False).made
    assert "DEPTHWISE_CONV_2D left float" in made.recipe
    assert made.fidelity is not None
    assert made.fidelity.sqnr_db > 30


@pytest.mark.parametrize("kind", ["keras", "saved_model"])
def test_a_fully_convolutional_source_is_made_for_each_input_size(tmp_path: Path, kind: str) -> None:
    model = convolutional("pooled")
    source = tmp_path / ("net.keras" if kind == "keras" else "net")
    model.save(source) if kind == "keras" else model.export(source, verbose=False)
    family = quantize(source, ["float32", "float16"], tmp_path / "out", input_sizes=[16, 24])
    assert {(m.scheme, m.input_size) for m in family.made} == {
        (scheme, size) for scheme in ("float32", "float16") for size in (16, 24)
    }, family.skipped
    for made in family.made:
        info = inspect(tmp_path / "out" / made.file)
        assert info.inputs[0].shape == (1, made.input_size, made.input_size, 3)
        assert info.parameters is not None
        assert info.parameters >= 8 * 27 + 8 * 4  # the weights are in the file; biases of zero may be left out


def test_a_source_with_its_size_built_in_skips_other_sizes_with_the_reason(tmp_path: Path) -> None:
    source = tmp_path / "net.keras"
    convolutional("dense").save(source)
    family = quantize(source, ["float32"], tmp_path / "out", input_sizes=[16, 24])
    assert [made.input_size for made in family.made] == [16]
    assert [(skipped.input_size, bool(skipped.reason)) for skipped in family.skipped] == [(24, True)]


def test_a_saved_model_keeps_its_function(tmp_path: Path, samples: Path) -> None:
    from ai_edge_litert.interpreter import Interpreter

    model = convolutional("dense")
    model.export(tmp_path / "net", verbose=False)
    family = quantize(tmp_path / "net", ["float32", "int8"], tmp_path / "out", representative=samples)
    assert [made.scheme for made in family.made] == ["float32", "int8"], family.skipped
    x = np.load(samples)["x"][:1]
    interpreter = Interpreter(str(tmp_path / "out" / family.made[0].file))
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], x)
    interpreter.invoke()
    out = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
    np.testing.assert_allclose(out, model(x).numpy(), atol=1e-5)


def test_a_converter_that_crashes_costs_its_own_scheme_only(tmp_path: Path) -> None:
    """Keras 3's LSTM: the converter refuses or even segfaults at int8, the float file is made all the same."""
    layers = tf.keras.layers
    sequence = layers.Input((8, 4), batch_size=1, name="sequence")
    model = tf.keras.Model(sequence, layers.Dense(2)(layers.LSTM(8)(sequence)))
    source = tmp_path / "lstm.keras"
    model.save(source)
    np.savez(tmp_path / "s.npz", x=np.random.default_rng(0).random((8, 8, 4), dtype="float32"))
    schemes = ["float32", "int8", "float16"]
    family = quantize(source, schemes, tmp_path / "out", representative=tmp_path / "s.npz")
    assert {made.scheme for made in family.made} >= {"float32", "float16"}, family.skipped
    assert {m.scheme for m in family.made} | {s.scheme for s in family.skipped} == set(schemes)
