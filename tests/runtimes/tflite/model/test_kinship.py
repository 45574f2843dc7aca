"""Which files of a family are one network, which are derived from it, and which have nothing to do with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from benchbench.runtimes.models import family_remarks, variants
from tests.runtimes.tflite.model.small_models import M, O, T, build

SHIPPED = Path(__file__).parents[4] / "benchbench" / "demo" / "fashion_mnist"
SHARED = Path(__file__).parents[5] / "shared" / "models"
Array = NDArray[Any]


def weights(seed: int, shape: tuple[int, ...] = (16, 8)) -> Array:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def int8(values: Array) -> T:
    """Weights as a converter stores them, one scale for each output."""
    scales = np.abs(values).max(axis=1) / 127
    return T(values.shape, "INT8", np.round(values / scales[:, None]).astype(np.int8), tuple(float(s) for s in scales))


def net(first: Array | T, second: Array, *, rows: int = 1, op: str = "TANH") -> bytes:
    """Two layers on [1, rows, 8]: rows may be of any number, as the sides of an image may."""
    stored = first if isinstance(first, T) else T(first.shape, data=first)
    hidden, classes = stored.shape[0], second.shape[0]
    keep = ("FullyConnectedOptions", {"keepNumDims": True})
    tensors = [
        T((1, rows, 8)),
        stored,
        T((1, rows, hidden)),
        T((1, rows, hidden)),
        T(second.shape, data=second),
        T((1, rows, classes)),
        T((1,), "INT32", data=np.array([1], np.int32)),
        T((1, classes)),
    ]
    ops = [
        O("FULLY_CONNECTED", (0, 1, -1), (2,), keep),
        O(op, (2,), (3,)),
        O("FULLY_CONNECTED", (3, 4, -1), (5,), keep),
        O("MEAN", (5, 6), (7,), ("ReducerOptions", {"keepDims": False})),
    ]
    return build(M(tensors, ops))


def related(folder: Path, **files: bytes) -> dict[str, tuple[str, str]]:
    """Network and relation of each file, by its name."""
    for name, content in files.items():
        (folder / f"{name}.tflite").write_bytes(content)
    paths = [folder / f"{name}.tflite" for name in files]
    found = variants("net", paths)
    stems = {variant.name: Path(variant.path).stem for variant in found}
    return {Path(v.path).stem: (stems.get(v.kin.network, ""), v.kin.relation) for v in found}


def test_the_shipped_family_is_one_network_of_which_one_was_trained_again() -> None:
    found = {variant.name: variant.kin for variant in variants("fashion_mnist", sorted(SHIPPED.glob("*.tflite")))}
    assert {kin.network for kin in found.values()} == {""}
    assert {name for name, kin in found.items() if kin.relation != "same"} == {"int8-pertensor-imbalanced-qat"}
    assert found["int8-pertensor-imbalanced-qat"].relation == "retrained"


def test_a_float_and_its_qat_twins_are_told_apart_and_others_are_no_kin() -> None:
    files = sorted(SHARED.glob("v3_0__tflite__edsr*.tflite"))
    if not files:
        pytest.skip("needs ../shared/models")
    found = {v.name: v.kin for v in variants("edsr", [*files, SHARED / "mobilenet_v1_0.25_128_quant.tflite"])}
    relations = sorted((kin.network != "", kin.relation) for kin in found.values())
    assert relations == [(False, "retrained"), (False, "retrained"), (False, "same"), (True, "same")]
    stranger = next(kin for kin in found.values() if kin.network)
    assert "outputs [1001] instead of [1080, 1920, 3]" in stranger.because


def test_an_edge_tpu_file_belongs_to_its_origin_by_its_inputs_and_outputs() -> None:
    files = sorted(SHARED.glob("mobilenet_v1_0.25_128_quant*.tflite"))
    if not files:
        pytest.skip("needs ../shared/models")
    assert {(v.kin.network, v.kin.relation) for v in variants("mobilenet", files)} == {("", "same")}


def test_quantized_weights_are_the_same_network_and_moved_ones_are_trained_again(tmp_path: Path) -> None:
    first, second = weights(1), weights(2, (4, 16))
    moved = first + np.random.default_rng(3).normal(scale=0.03, size=first.shape).astype(np.float32)
    files = {
        "float": net(first, second),
        "int8": net(int8(first), second),
        "tuned": net(int8(moved), second + np.float32(0.02)),
        "anew": net(weights(4), weights(5, (4, 16))),
    }
    assert related(tmp_path, **files) == {
        "float": ("", "same"),
        "int8": ("", "same"),
        "tuned": ("", "retrained"),
        "anew": ("", "retrained"),
    }


def test_channels_that_were_scaled_against_each_other_are_the_same_network(tmp_path: Path) -> None:
    first, second = weights(1), weights(2, (4, 16))
    scales = np.geomspace(0.01, 100, 16).astype(np.float32)
    equalized = net(first * scales[:, None], second / scales, op="RELU")
    assert related(tmp_path, float=net(first, second, op="RELU"), scaled=equalized)["scaled"] == ("", "same")


def test_a_pruned_a_resized_and_a_narrower_file_are_derived(tmp_path: Path) -> None:
    first, second = weights(1), weights(2, (4, 16))
    sparse = np.where(np.abs(first) < 0.8, 0, first * 1.1).astype(np.float32)
    found = related(
        tmp_path,
        float=net(first, second, rows=3),
        pruned=net(sparse, np.where(np.abs(second) < 0.8, 0, second * 1.1).astype(np.float32), rows=3),
        large=net(first, second, rows=5),
        narrow=net(weights(6, (10, 8)), weights(7, (4, 10)), rows=3),
    )
    assert found == {
        "float": ("", "same"),
        "pruned": ("", "pruned"),
        "large": ("", "resized"),
        "narrow": ("", "retrained"),
    }


def test_other_outputs_or_operators_are_another_network_with_a_head_of_its_own(tmp_path: Path) -> None:
    first, second = weights(1), weights(2, (4, 16))
    other = net(weights(8), weights(9, (6, 16)))
    found = related(
        tmp_path,
        a_stranger=other,
        float=net(first, second),
        int8=net(int8(first), second),
        twin=net(int8(weights(8)), weights(9, (6, 16))),
        int8_too=net(int8(first), second + np.float32(0.0001)),
        chain=build(M([T((1, 1, 8)), T((1, 1, 8)), T((1, 8))], [O("TANH", (0,), (1,)), O("RESHAPE", (1,), (2,))])),
    )
    assert found == {
        "a_stranger": ("a_stranger", "same"),
        "float": ("", "same"),
        "int8": ("", "same"),
        "int8_too": ("", "same"),
        "twin": ("a_stranger", "same"),
        "chain": ("chain", "same"),
    }


def test_a_family_is_told_what_in_it_is_not_one_network(tmp_path: Path) -> None:
    first, second = weights(1), weights(2, (4, 16))
    files = {"float": net(first, second), "other": net(weights(8), weights(9, (6, 16)))}
    files["again"] = net(int8(weights(3)), weights(4, (4, 16)))
    for name, content in files.items():
        (tmp_path / f"{name}.tflite").write_bytes(content)
    found = variants("net", [tmp_path / f"{name}.tflite" for name in files])
    remarks = {remark.partition(":")[0]: remark for remark in family_remarks(found)}
    assert "outputs [6] instead of [4]" in remarks["net.other"]
    assert "not compared with the others" in remarks["net.other"]
    again = next(variant for variant in found if variant.path.endswith("again.tflite"))
    assert "retrained" in remarks[again.id]
    assert len(remarks) == 2
