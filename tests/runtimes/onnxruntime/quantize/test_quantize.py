"""A float .onnx becomes a family with onnxruntime's real quantizers, judged and written down as any other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchbench.demo.onnx_fashion_mnist import EQUAL, equal_weights, predictions
from benchbench.pipeline import quantize
from benchbench.runtimes.models import inspect
from benchbench.runtimes.onnxruntime.quantize.schemes import SCHEMES
from benchbench.runtimes.quantizing.manifest import Family, Made
from benchbench.values.errors import InputError, ToolError

onnx: Any = pytest.importorskip("onnx", reason="the extra 'onnx' is not installed")
pytest.importorskip("onnxruntime", reason="the extra 'onnx' is not installed")

SHIPPED = Path(__file__).parents[4] / "benchbench/demo/fashion_mnist"
FLOAT32 = SHIPPED / "fashion_mnist_float32.onnx"
SAMPLES = SHIPPED / "calibration.npz"
STATIC = ("int8", "u8s8")


@pytest.fixture(scope="module")
def family(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Family]:
    out = tmp_path_factory.mktemp("quantize") / "family"
    return out, quantize(FLOAT32, None, out, representative=SAMPLES)


def made_of(family: Family) -> dict[str, Made]:
    return {made.scheme: made for made in family.made}


def test_every_scheme_is_made_and_is_what_it_is_called(family: tuple[Path, Family]) -> None:
    out, made = family[0], made_of(family[1])
    assert [*made, *(skipped.scheme for skipped in family[1].skipped)] == list(SCHEMES)
    for scheme, entry in made.items():
        info = inspect(out / entry.file)
        assert (info.scheme, info.sha256, entry.found) == (scheme, entry.sha256, scheme)
        assert {tensor.dtype for tensor in (*info.inputs, *info.outputs)} == {"float32"}
    assert {made[scheme].granularity for scheme in STATIC} == {"per-channel"}
    assert {path.name for path in out.iterdir()} == {"family.json", *(entry.file for entry in made.values())}


def test_int4_is_a_skip_where_no_operator_can_have_it(family: tuple[Path, Family]) -> None:
    assert [(s.scheme, "MatMul" in s.reason) for s in family[1].skipped] == [("weight-only-int4", True)]


def test_each_file_is_held_against_float32_and_answers_as_well(family: tuple[Path, Family]) -> None:
    out, made = family[0], made_of(family[1])
    found = {scheme: entry.fidelity for scheme, entry in made.items() if entry.fidelity is not None}
    assert set(found) == set(made) - {"float32"}
    assert {(f.samples, f.data, f.flags) for f in found.values()} == {(16, "calibration.npz", ())}
    assert found["float16"].sqnr_db > found["int8"].sqnr_db > 10
    with np.load(SHIPPED / "test.npz") as data:
        images, labels = data["x"][:400], data["y"][:400]
    right = {scheme: (predictions(out / made[scheme].file, images) == labels).mean() for scheme in made}
    assert {scheme: share for scheme, share in right.items() if share < right["float32"] - 0.02} == {}


def test_the_same_inputs_give_the_same_bytes(family: tuple[Path, Family], tmp_path: Path) -> None:
    again = made_of(quantize(FLOAT32, ["dynamic-int8", "int8"], tmp_path / "again", representative=SAMPLES))
    assert again == {scheme: made_of(family[1])[scheme] for scheme in again}


def test_one_scale_a_tensor_where_it_is_asked_for(tmp_path: Path) -> None:
    (made,) = quantize(FLOAT32, ["int8"], tmp_path / "out", representative=SAMPLES, per_channel=False).made
    assert (made.file, made.granularity) == ("fashion_mnist_int8-pertensor.onnx", "per-tensor")


def test_an_old_operator_set_is_raised_where_scales_per_channel_need_it(tmp_path: Path) -> None:
    """Below 13 the quantizer reports success, and onnxruntime refuses the file."""
    source = convolution(tmp_path / "old.onnx", opset=11)
    (made,) = quantize(source, ["int8"], tmp_path / "out", representative=images(tmp_path)).made
    assert (made.granularity, "opset 11 raised to 13" in made.recipe) == ("per-channel", True)
    assert made.fidelity is not None
    assert opset_of(tmp_path / "out" / made.file) == 13


def test_images_with_channels_last_calibrate_a_model_with_channels_first(tmp_path: Path) -> None:
    """The .npz that feeds both formats, and a folder of pictures: as it would be with the samples turned by hand."""
    from PIL import Image

    source = convolution(tmp_path / "net.onnx", opset=17)
    stored = np.random.default_rng(1).integers(0, 256, (8, 16, 16, 3), np.uint8)
    np.savez(tmp_path / "last.npz", x=stored)
    np.savez(tmp_path / "first.npz", x=stored.transpose(0, 3, 1, 2))
    (tmp_path / "pictures").mkdir()
    for k, picture in enumerate(stored):
        Image.fromarray(picture).save(tmp_path / "pictures" / f"{k}.png")
    made = {
        data: quantize(source, ["int8"], tmp_path / f"out {data}", representative=tmp_path / data).made[0].sha256
        for data in ("first.npz", "last.npz", "pictures")
    }
    assert len(set(made.values())) == 1


def test_int4_weights_of_matrix_products(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    weights = rng.normal(size=(128, 64)).astype(np.float32)
    node = onnx.helper.make_node("MatMul", ["x", "w"], ["y"])
    source = written(tmp_path / "dense.onnx", [node], {"w": weights}, (1, 128), (1, 64), opset=17)
    (made,) = quantize(source, ["weight-only-int4"], tmp_path / "out").made
    assert (made.found, made.granularity) == ("weight-only-int4", "per-block")
    assert made.size_bytes < source.stat().st_size / 4
    assert made.fidelity is not None
    assert made.fidelity.data == "random"


def test_weights_beside_a_model_come_into_its_file(tmp_path: Path) -> None:
    whole = onnx.load(convolution(tmp_path / "whole.onnx", opset=17))
    source = tmp_path / "net.onnx"
    onnx.save(whole, source, save_as_external_data=True, location="net.data", size_threshold=0)
    family = quantize(source, ["float32", "float16"], tmp_path / "out")
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "family.json",
        *(f"net_{s}.onnx" for s in ("float32", "float16")),
    }
    assert [made.scheme for made in family.made] == ["float32", "float16"]


def test_without_representative_data_only_what_needs_them_is_skipped(tmp_path: Path) -> None:
    family = quantize(FLOAT32, ["float16", "int8"], tmp_path / "out")
    assert [made.scheme for made in family.made] == ["float16"]
    assert [(s.scheme, "representative" in s.reason) for s in family.skipped] == [("int8", True)]


def test_a_model_that_cannot_run_at_size_one_asks_for_data_that_fix_its_sizes(tmp_path: Path) -> None:
    source = reflecting(tmp_path / "open.onnx")
    with pytest.raises(ToolError, match="open sizes were taken as 1"):
        quantize(source, ["float16"], tmp_path / "out")
    np.savez(tmp_path / "rows.npz", x=np.ones((4, 8), np.float32))
    family = quantize(source, ["float16"], tmp_path / "out", representative=tmp_path / "rows.npz")
    assert [made.scheme for made in family.made] == ["float16"]


def reflecting(path: Path) -> Path:
    """A row of any length, mirrored at its end, which one of a single number cannot be, times a matrix."""
    pads = np.array([0, 0, 0, 2], np.int64)
    axis = np.array([1], np.int64)
    nodes = [
        onnx.helper.make_node("Pad", ["x", "pads"], ["long"], mode="reflect"),
        onnx.helper.make_node("ReduceSum", ["long", "axis"], ["sum"], keepdims=1),
        onnx.helper.make_node("MatMul", ["sum", "w"], ["y"]),
    ]
    weights = np.random.default_rng(0).normal(size=(1, 64)).astype(np.float32)
    return written(path, nodes, {"pads": pads, "axis": axis, "w": weights}, (1, None), (1, 64), opset=17)


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"model_format": "tflite"}, r"no converter makes \.tflite"),
        ({"model_format": "pth"}, r"the formats are tflite, onnx"),
        ({"schemes": ["int16x8"]}, "no scheme is called int16x8"),
        ({"input_sizes": [96]}, "its input size is built in"),
        ({"source": SHIPPED / "fashion_mnist_int8.onnx"}, "already quantized"),
    ],
)
def test_what_cannot_be_made_is_refused_before_anything_is(tmp_path: Path, changed: dict[str, Any], why: str) -> None:
    asked: dict[str, Any] = {"source": FLOAT32, "schemes": ["float16"], "out": tmp_path / "out"} | changed
    with pytest.raises(InputError, match=why):
        quantize(**asked)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("scheme", EQUAL)
def test_the_shipped_family_has_the_same_weights_in_both_formats(scheme: str) -> None:
    name = f"fashion_mnist_{scheme}"
    equal, all_of_them = equal_weights(SHIPPED / f"{name}.tflite", SHIPPED / f"{name}.onnx")
    assert equal == all_of_them == 12


def test_a_tflite_becomes_an_onnx_with_its_weights(tmp_path: Path) -> None:
    pytest.importorskip("tf2onnx", reason="the extra 'tensorflow' is not installed")
    source = SHIPPED / "fashion_mnist_float32.tflite"
    (made,) = quantize(source, ["float32"], tmp_path / "out", model_format="onnx").made
    info = inspect(tmp_path / "out" / made.file)
    assert ([*info.arguments], [t.name for t in info.outputs]) == (["image"], ["output_0"])
    assert equal_weights(source, Path(info.path)) == (12, 12)
    assert made.sha256 == inspect(FLOAT32).sha256


def convolution(path: Path, opset: int) -> Path:
    weights = np.random.default_rng(0).normal(size=(16, 3, 3, 3)).astype(np.float32)
    node = onnx.helper.make_node("Conv", ["x", "w"], ["y"], pads=[1, 1, 1, 1])
    return written(path, [node], {"w": weights}, (1, 3, 16, 16), (1, 16, 16, 16), opset)


def images(folder: Path) -> Path:
    path = folder / "samples.npz"
    np.savez(path, x=np.random.default_rng(1).random((8, 3, 16, 16), np.float32))
    return path


def written(
    path: Path,
    nodes: list[Any],
    weights: dict[str, Any],
    into: tuple[int | None, ...],
    out: tuple[int, ...],
    opset: int,
) -> Path:
    """A model of float32 with one input `x` and one output `y`."""
    helper, floats = onnx.helper, onnx.TensorProto.FLOAT
    sides = ([helper.make_tensor_value_info("x", floats, into)], [helper.make_tensor_value_info("y", floats, out)])
    constants = [onnx.numpy_helper.from_array(array, name) for name, array in weights.items()]
    graph = helper.make_graph(nodes, "net", *sides, constants)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=7), path)
    return path


def opset_of(path: Path) -> int:
    return int(next(opset.version for opset in onnx.load(path).opset_import if not opset.domain))
