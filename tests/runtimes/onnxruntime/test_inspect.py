"""What is read from .onnx files, on models whose scheme and size are known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import ModelProto, TensorProto
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_dynamic, quantize_static

from benchbench.runtimes.models import inspect, variants
from benchbench.values.errors import InputError
from tests.beds import onnx_models as models
from tests.conftest import InProcess
from tests.runtimes.onnxruntime.conftest import saved

INT8, UINT8 = QuantType.QInt8, QuantType.QUInt8


class Images(CalibrationDataReader):  # type: ignore[misc]
    """Ten random images."""

    def __init__(self, name: str, shape: tuple[int, ...]) -> None:
        self.left = [{name: models.numbers(*shape, seed=seed)} for seed in range(10)]

    def get_next(self) -> dict[str, NDArray[np.float32]] | None:
        return self.left.pop() if self.left else None


@pytest.fixture
def net(tmp_path: Path) -> Path:
    return saved(models.conv(size=16), tmp_path / "net.onnx")


def test_a_plain_model_is_described_by_its_own_bytes(net: Path) -> None:
    info = inspect(net)
    (image,), (scores,) = info.inputs, info.outputs
    assert (info.format, info.scheme, info.granularity, info.nodes) == ("onnx", "float32", None, 5)
    assert (image.name, image.dtype, image.shape, image.signature) == (
        "image",
        "float32",
        (1, 3, 16, 16),
        (1, 3, 16, 16),
    )
    assert (scores.name, scores.shape) == ("scores", (1, 4))
    assert info.subgraphs[0].ops == {"Conv": 1, "Relu": 1, "GlobalAveragePool": 1, "Flatten": 1, "Softmax": 1}
    assert (info.parameters, info.weight_bytes) == (4 * 3 * 9, {"float32": 4 * 3 * 9 * 4})
    assert (info.macs, info.macs_note) == (4 * 16 * 16 * 3 * 9, None)
    assert info.description == "ONNX opset 17, ai.onnx.ml 3, IR version 8"
    assert info.about == {"name": "net", "author": "tests"}
    assert info.size_bytes == net.stat().st_size


def test_symbolic_dimensions_are_open_and_count_as_one(tmp_path: Path) -> None:
    info = inspect(saved(models.conv("N"), tmp_path / "net.onnx"))
    assert (info.inputs[0].shape, info.inputs[0].signature, info.inputs[0].open) == ((1, 3, 8, 8), (-1, 3, 8, 8), False)
    assert info.macs == 4 * 8 * 8 * 3 * 9
    free = inspect(saved(models.that_fails_at_run(), tmp_path / "free.onnx"))
    assert free.inputs[0].open
    anywhere = models.conv("N")
    anywhere.graph.input[0].type.tensor_type.shape.dim[3].dim_param = "width"
    told = inspect(saved(anywhere, tmp_path / "wide.onnx"))
    assert (told.macs, told.macs_note) == (None, "Conv has a dynamic shape")
    assert (info.inputs[0].symbols, told.inputs[0].symbols) == (("N", "", "", ""), ("N", "", "", "width"))


def test_opset_metadata_and_names_of_dimensions_are_shown(tmp_path: Path, in_process: InProcess) -> None:
    anywhere = models.conv("N")
    onnx.helper.set_model_props(anywhere, {"stride": "32", "classes": "cat, " * 100})
    done = in_process("models", str(saved(anywhere, tmp_path / "net.onnx")))
    assert "ONNX opset 17" in done.stdout
    assert "stride: 32" in done.stdout
    assert "[N, 3, 8, 8]" in done.stdout
    assert max(map(len, done.stdout.splitlines())) < 200


@pytest.mark.parametrize(
    ("activation", "weight", "per_channel", "form", "scheme", "granularity"),
    [
        (INT8, INT8, False, QuantFormat.QDQ, "int8", "per-tensor"),
        (INT8, INT8, True, QuantFormat.QDQ, "int8", "per-channel"),
        (UINT8, INT8, False, QuantFormat.QDQ, "u8s8", "per-tensor"),
        (UINT8, UINT8, False, QuantFormat.QOperator, "uint8", "per-tensor"),
    ],
)
def test_static_quantization_is_told_from_the_types_on_both_sides_of_a_weight(
    net: Path,
    tmp_path: Path,
    activation: QuantType,
    weight: QuantType,
    per_channel: bool,
    form: QuantFormat,
    scheme: str,
    granularity: str,
) -> None:
    made = tmp_path / "made.onnx"
    options: dict[str, Any] = {"activation_type": activation, "weight_type": weight, "per_channel": per_channel}
    quantize_static(net, made, Images("image", (1, 3, 16, 16)), quant_format=form, **options)
    info = inspect(made)
    assert (info.scheme, info.granularity) == (scheme, granularity)
    assert info.parameters == 4 * 3 * 9
    assert info.macs == 4 * 16 * 16 * 3 * 9


def test_dynamic_quantization_and_half_precision_have_their_usual_names(tmp_path: Path) -> None:
    path, made = saved(models.matmul(), tmp_path / "mm.onnx"), tmp_path / "made.onnx"
    quantize_dynamic(path, made, weight_type=INT8)
    assert (inspect(made).scheme, inspect(made).macs) == ("dynamic-int8", 64 * 64)
    half = models.matmul()
    for tensor in half.graph.initializer:
        tensor.CopyFrom(onnx.numpy_helper.from_array(models.numbers(64, 64).astype(np.float16), tensor.name))
    for value in [*half.graph.input, *half.graph.output]:
        value.type.tensor_type.elem_type = TensorProto.FLOAT16
    assert inspect(saved(half, made)).scheme == "float16"


def test_weights_that_are_only_stored_small_are_weight_only(tmp_path: Path) -> None:
    nodes = [
        models.node("DequantizeLinear", ["w", "scale"], "weight", axis=1),
        models.node("MatMul", ["x", "weight"], "y"),
    ]
    stored: dict[str, NDArray[Any]] = {"w": np.ones((64, 8), np.int8), "scale": np.ones(8, np.float32)}
    info = inspect(saved(models.model(nodes, [("x", 1, [1, 64])], [("y", 1, [1, 8])], stored), tmp_path / "w.onnx"))
    assert (info.scheme, info.granularity, info.weight_bytes) == ("weight-only-int8", "per-channel", {"int8": 512})


def test_weights_beside_the_model_belong_to_it(tmp_path: Path) -> None:
    path = tmp_path / "net.onnx"
    onnx.save(models.matmul(), path, save_as_external_data=True, location="net.bin", size_threshold=0)
    info = inspect(path)
    assert [file.name for file in info.data] == ["net.bin"]
    assert info.size_bytes == path.stat().st_size + (tmp_path / "net.bin").stat().st_size
    assert (info.scheme, info.parameters, info.zero_weights) == ("float32", 64 * 64, 0.0)
    (tmp_path / "net.bin").write_bytes(b"short")
    path.touch()
    with pytest.raises(InputError, match=r"its data net\.bin ends too early: 5 of 16,384 bytes"):
        inspect(path)
    (tmp_path / "net.bin").unlink()
    path.write_bytes(path.read_bytes())
    with pytest.raises(InputError, match=r"its data net\.bin cannot be read: No such file"):
        inspect(path)


def _leading_out(name: str) -> bytes:
    model = models.matmul()
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value=name)
    return bytes(model.SerializeToString())


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "no graph or no opset"),
        (b"not a model at all", "is no ONNX model"),
        (models.conv().SerializeToString()[:-40], "is no ONNX model"),
        (_leading_out("../secret.bin"), "not below its folder"),
        (_leading_out("/etc/passwd"), "not below its folder"),
    ],
)
def test_what_is_no_model_is_refused_in_one_line(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "net.onnx"
    path.write_bytes(content)
    with pytest.raises(InputError, match=said):
        inspect(path)


def test_one_network_in_two_formats_has_two_names(tmp_path: Path) -> None:
    from tests.beds import models as tflite_models

    flat = tflite_models.conv_model(size=16, channels=4)
    (tmp_path / "net_float32.tflite").write_bytes(flat)
    saved(models.twin_of(flat), tmp_path / "net_float32.onnx")
    found = variants("net", [tmp_path / "net_float32.tflite", tmp_path / "net_float32.onnx"])
    assert [(variant.id, variant.format) for variant in found] == [
        ("net.float32", "tflite"),
        ("net.float32.onnx", "onnx"),
    ]
    assert inspect(found[0].path).macs == inspect(found[1].path).macs
    assert inspect(found[0].path).parameters == inspect(found[1].path).parameters


def test_parts_inside_nodes_are_subgraphs_and_other_domains_are_custom(tmp_path: Path) -> None:
    body = models.model([models.node("Relu", ["x"], "inner")], [], [("inner", 1, [1])]).graph
    nodes = [
        models.node("If", ["yes"], "z", then_branch=body, else_branch=body),
        models.node("Fast", ["z"], "y", domain="acme"),
    ]
    info = inspect(saved(_of(nodes), tmp_path / "net.onnx"))
    assert [graph.ops for graph in info.subgraphs] == [{"If": 1, "Fast": 1}, {"Relu": 1}, {"Relu": 1}]
    assert info.custom_ops == ("acme.Fast",)


def _of(nodes: list[Any]) -> ModelProto:
    return models.model(nodes, [("x", 1, [1]), ("yes", TensorProto.BOOL, [])], [("y", 1, [1])])


def test_indices_into_a_table_are_known_by_its_length(tmp_path: Path) -> None:
    nodes = [models.node("Cast", ["ids"], "wide", to=models.INT64), models.node("Gather", ["table", "wide"], "y")]
    model = models.model(
        nodes, [("ids", TensorProto.INT32, [1, 4])], [("y", 1, [1, 4, 2])], {"table": models.numbers(7, 2)}
    )
    assert inspect(saved(model, tmp_path / "net.onnx")).tables == (7,)
