"""Which .onnx files of a family are one network, among themselves and beside .tflite files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import ModelProto, numpy_helper
from onnxruntime.quantization import quantize_dynamic

from benchbench.runtimes.models import family_remarks, variants
from benchbench.values.case import Kin
from tests.beds import models, onnx_models
from tests.runtimes.tflite.model.small_models import M, O, T, build
from tests.workbench import FAMILY

Array = NDArray[Any]
FLOAT = onnx_models.FLOAT


def related(folder: Path, **files: bytes | ModelProto) -> dict[str, Kin]:
    """How each file belongs to its family, by its name; models of protobuf are .onnx files."""
    paths = []
    for name, content in files.items():
        suffix = ".tflite" if isinstance(content, bytes) else ".onnx"
        paths.append(folder / f"{name}{suffix}")
        paths[-1].write_bytes(content if isinstance(content, bytes) else content.SerializeToString())
    found = {Path(variant.path).stem: variant for variant in variants("net", paths)}
    return {name: variant.kin for name, variant in found.items()}


def relations(found: dict[str, Kin]) -> dict[str, tuple[str, str]]:
    return {name: (kin.network, kin.relation) for name, kin in found.items()}


def changed(model: ModelProto, **arrays: Array) -> ModelProto:
    """The same with other values of some constants."""
    copy = ModelProto()
    copy.CopyFrom(model)
    for tensor in copy.graph.initializer:
        if tensor.name in arrays:
            tensor.CopyFrom(numpy_helper.from_array(arrays[tensor.name].astype(np.float32), tensor.name))
    return copy


def constants(model: ModelProto) -> dict[str, Array]:
    return {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}


def test_the_shipped_family_is_one_network_in_both_formats() -> None:
    paths = [*sorted(FAMILY.glob("*.tflite")), *sorted(FAMILY.glob("*.onnx"))]
    found = {variant.name: variant.kin for variant in variants("fashion_mnist", paths)}
    assert {kin.network for kin in found.values()} == {""}
    assert {name for name, kin in found.items() if kin.relation != "same"} == {"int8-pertensor-imbalanced-qat"}
    alone = variants("fashion_mnist", sorted(FAMILY.glob("*.onnx")))
    assert {(variant.kin.network, variant.kin.relation) for variant in alone} == {("", "same")}


def test_onnx_files_that_were_trained_again_pruned_or_are_others_are_told(tmp_path: Path) -> None:
    whole = onnx_models.stacked(size=8)
    held = constants(whole)
    random = np.random.RandomState(5)
    moved = {name: array + random.normal(0, 0.05, array.shape) for name, array in held.items()}
    sparse = {
        name: np.where(np.abs(array) < np.quantile(np.abs(array), 0.6), 0, array * 1.2) for name, array in held.items()
    }
    scaled = dict(held)
    scaled["filter0"], scaled["filter1"] = held["filter0"] * 4, held["filter1"] / 4
    found = related(
        tmp_path,
        float=whole,
        tuned=changed(whole, **moved),
        pruned=changed(whole, **sparse),
        scaled=changed(whole, **scaled),
        other=onnx_models.stacked(size=8, classes=7),
    )
    assert relations(found) == {
        "float": ("", "same"),
        "tuned": ("", "retrained"),
        "pruned": ("", "pruned"),
        "scaled": ("", "same"),
        "other": ("other.onnx", "same"),
    }
    assert "outputs [7] instead of [10]" in found["other"].because


def test_files_of_two_formats_are_held_against_each_other_by_their_weights(tmp_path: Path) -> None:
    tflite = models.conv_model(size=16, channels=8)
    twin = onnx_models.twin_of(tflite)
    again = {
        name: np.random.RandomState(9).permutation(array.ravel()).reshape(array.shape)
        for name, array in constants(twin).items()
    }
    (tmp_path / "same").mkdir()
    assert set(relations(related(tmp_path / "same", float=tflite, twin=twin)).values()) == {("", "same")}
    found = related(tmp_path, float=tflite, again=changed(twin, **again))
    assert relations(found)["again"] == ("", "retrained")
    assert "float" in found["again"].because
    (tmp_path / "large").mkdir()
    large = related(tmp_path / "large", small=tflite, large=onnx_models.twin_of(models.conv_model(size=32, channels=8)))
    assert relations(large)["large"] == ("", "resized")
    (tmp_path / "other").mkdir()
    stranger = related(
        tmp_path / "other", float=tflite, deep=onnx_models.twin_of(models.conv_model(size=16, channels=24))
    )
    assert relations(stranger)["deep"] == ("deep.onnx", "same")
    fitting = variants("net", [tmp_path / "other" / "float.tflite", tmp_path / "other" / "deep.onnx"])
    assert "other weights" in family_remarks(fitting)[0]


@pytest.mark.parametrize("order", ["channels last", "channels first"])
def test_what_follows_a_flattened_image_is_found_in_both_orders(tmp_path: Path, order: str) -> None:
    random = np.random.RandomState(3)
    filters = random.normal(size=(4, 3, 3, 2)).astype(np.float32)
    dense = random.normal(size=(5, 4 * 4 * 4)).astype(np.float32)
    keep = ("FullyConnectedOptions", {"keepNumDims": False})
    same = ("Conv2DOptions", {"padding": 0, "strideH": 1, "strideW": 1, "dilationHFactor": 1, "dilationWFactor": 1})
    tensors = [T((1, 4, 4, 2)), T(filters.shape, data=filters), T((1, 4, 4, 4))]
    tensors += [T((1, 64)), T(dense.shape, data=dense), T((1, 5))]
    ops = [O("CONV_2D", (0, 1, -1), (2,), same), O("RESHAPE", (2,), (3,)), O("FULLY_CONNECTED", (3, 4, -1), (5,), keep)]
    last = order == "channels last"
    turned = dense if last else dense.reshape(5, 4, 4, 4).transpose(0, 3, 1, 2).reshape(5, 64)
    nodes = [
        onnx_models.node("Conv", ["image", "filter"], "map", pads=[1, 1, 1, 1]),
        onnx_models.node("Flatten", ["map"], "flat"),
        onnx_models.node("Gemm", ["flat", "dense"], "y", transB=1),
    ]
    held = {"filter": np.moveaxis(filters, -1, 1).copy(), "dense": turned}
    twin = onnx_models.model(nodes, [("image", FLOAT, [1, 2, 4, 4])], [("y", FLOAT, [1, 5])], held)
    found = related(tmp_path, float=build(M(tensors, ops)), twin=twin)
    assert relations(found)["twin"] == ("", "same")


def test_weights_that_are_scaled_while_running_are_those_of_the_float_file(tmp_path: Path) -> None:
    whole = onnx_models.stacked(size=8, channels=8, layers=2, classes=64)
    moved = {
        name: array * (1 + np.random.RandomState(5).normal(0, 0.4, array.shape))
        for name, array in constants(whole).items()
    }
    files = {"float": whole, "tuned": changed(whole, **moved)}
    for name in ("float", "tuned"):
        (tmp_path / f"{name}.onnx").write_bytes(files[name].SerializeToString())
        quantize_dynamic(tmp_path / f"{name}.onnx", tmp_path / f"{name}-int8.onnx")
        files[f"{name}-int8"] = onnx.load(tmp_path / f"{name}-int8.onnx")
    ops = {node.op_type for node in files["float-int8"].graph.node}
    assert {"ConvInteger", "MatMulInteger"} <= ops
    assert relations(related(tmp_path, **files)) == {
        "float": ("", "same"),
        "float-int8": ("", "same"),
        "tuned": ("", "retrained"),
        "tuned-int8": ("", "retrained"),
    }
