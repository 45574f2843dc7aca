"""Matrices that benchbench writes for models that were only named."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path

import pytest

from benchbench.config.drafts import Asked, families, matrix_of_models, matrix_text
from benchbench.values.errors import InputError
from tests.workbench import FAMILY


def grouped(*files: str) -> dict[str, dict[str, str]]:
    """family -> variant -> file, where every file is an int8 model."""
    drafts = families({Path(file): "int8" for file in files})
    return {draft.name: {name: str(path) for name, path in draft.variants.items()} for draft in drafts}


@pytest.mark.parametrize(
    ("file", "family", "variant"),
    [
        ("net_int8.tflite", "net", "int8"),
        ("net.tflite", "net", "int8"),  # the scheme of the file
        ("mobilenet_v1_1.0_224_quant.tflite", "mobilenet_v1_1-0_224", "quant"),
        ("yolov8n_full_integer_quant.tflite", "yolov8n", "full_integer_quant"),
        ("net-int16x8.tflite", "net", "int16x8"),
        ("net_int8_edgetpu.tflite", "net", "int8_edgetpu"),
        ("fashion_mnist_int8-pertensor.tflite", "fashion_mnist", "int8-pertensor"),
        ("resnet/fp16.tflite", "resnet", "fp16"),
        ("quantum_net.tflite", "quantum_net", "int8"),
        ("floats.tflite", "floats", "int8"),
        ("net_int8.onnx", "net", "int8.onnx"),
        ("net.onnx", "net", "int8.onnx"),
    ],
)
def test_a_file_name_tells_family_and_variant(file: str, family: str, variant: str) -> None:
    assert grouped(file) == {family: {variant: file}}


def test_variants_of_one_model_are_one_family() -> None:
    assert grouped("a_int8.tflite", "b.tflite", "a_fp16.tflite") == {
        "a": {"int8": "a_int8.tflite", "fp16": "a_fp16.tflite"},
        "b": {"int8": "b.tflite"},
    }


def test_files_of_one_name_are_told_apart_by_their_folders() -> None:
    assert grouped("old/net.tflite", "new/net.tflite") == {
        "net": {"old-int8": "old/net.tflite", "new-int8": "new/net.tflite"}
    }


def test_one_network_in_two_formats_is_told_apart_by_them() -> None:
    assert grouped("net_int8.tflite", "net_int8.onnx") == {
        "net": {"int8": "net_int8.tflite", "int8.onnx": "net_int8.onnx"}
    }


def test_files_that_no_folder_tells_apart_are_numbered() -> None:
    assert grouped("x/net.tflite", "x/net+.tflite") == {
        "net": {"x-int8-1": "x/net.tflite", "x-int8-2": "x/net+.tflite"}
    }


def test_the_text_says_only_what_was_asked(tmp_path: Path) -> None:
    drafts = families({tmp_path / "net_int8.tflite": "int8"})
    assert tomllib.loads(matrix_text(drafts, Asked(delegates=("xnnpack",)), "heading")) == {
        "name": "net",
        "threads": [1],
        "delegates": ["xnnpack"],
        "model": [{"family": "net", "variants": {"int8": str(tmp_path / "net_int8.tflite")}}],
    }


def test_the_text_holds_everything_that_was_asked(tmp_path: Path) -> None:
    drafts = families({tmp_path / 'a "b".tflite': "float32"})
    asked = Asked(["pi*"], ["cpu", "gpu"], [1, 4], {"rounds": 7}, tmp_path / "data.npz")
    read = tomllib.loads(matrix_text(drafts, asked, "heading"))
    assert (read["devices"], read["delegates"], read["threads"]) == (["pi*"], ["cpu", "gpu"], [1, 4])
    assert read["measure"] == {"rounds": 7}
    assert read["model"][0]["dataset"] == str(tmp_path / "data.npz")
    assert read["model"][0]["variants"] == {"float32": str(tmp_path / 'a "b".tflite')}


def test_models_are_a_matrix_whose_text_gives_the_same_matrix(tmp_path: Path) -> None:
    files = [FAMILY / f"fashion_mnist_{scheme}.tflite" for scheme in ("float32", "int8")]
    matrix = matrix_of_models([*files, str(files[0])], Asked(threads=[1, 2]))
    assert [(variant.id, variant.scheme) for variant in matrix.variants] == [
        ("fashion_mnist.float32", "float32"),
        ("fashion_mnist.int8", "int8"),
    ]
    assert matrix.text is not None
    assert tomllib.loads(matrix.text)["threads"] == [1, 2]


def test_a_path_is_no_glob(tmp_path: Path) -> None:
    odd = tmp_path / "net[1]*.tflite"
    odd.write_bytes((FAMILY / "fashion_mnist_int8.tflite").read_bytes())
    matrix = matrix_of_models([odd], Asked())
    assert [(variant.id, variant.path) for variant in matrix.variants] == [("net-1.int8", str(odd))]


def test_a_name_that_no_matrix_can_hold_is_told(tmp_path: Path) -> None:
    odd = tmp_path / os.fsdecode(b"net\xff.tflite")
    odd.write_bytes((FAMILY / "fashion_mnist_int8.tflite").read_bytes())
    with pytest.raises(InputError, match="is not UTF-8"):
        matrix_of_models([odd], Asked())


def test_a_delegate_that_is_none_is_told_by_where_it_was_written() -> None:
    with pytest.raises(InputError, match='command line: delegates 1: no such kind: "gpuu"'):
        matrix_of_models([FAMILY / "fashion_mnist_int8.tflite"], Asked(delegates=["gpuu"]))
