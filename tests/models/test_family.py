"""A set of files becomes variants with names that are unique and safe."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from benchbench.errors import InputError
from benchbench.models.family import variants

SHIPPED = Path(__file__).parents[2] / "benchbench/demo/fashion_mnist"


def test_the_shipped_family_is_named_by_scheme_where_that_is_unique_and_by_file_elsewhere() -> None:
    family = variants("fashion_mnist", sorted(SHIPPED.glob("*.tflite")))
    names = {variant.name: variant.scheme for variant in family}
    assert names["float32"] == "float32"
    assert names["int8"] == names["int8-io"] == names["int8-pertensor-imbalanced"] == "int8"
    assert len(names) == len(family)
    assert family[0].id == "fashion_mnist.dynamic-int4"


def test_what_all_file_names_begin_with_tells_nothing_apart_and_is_left_out(tmp_path: Path) -> None:
    for name in ("int8", "int8-io", "float32"):
        shutil.copy(SHIPPED / f"fashion_mnist_{name}.tflite", tmp_path / f"v3_0__net_f32b5_{name}_2.tflite")
    family = variants("edsr", sorted(tmp_path.glob("*.tflite")))
    assert [variant.name for variant in family] == ["float32", "int8-io_2", "int8_2"]


def test_a_lone_file_is_named_by_its_scheme_whatever_it_is_called(tmp_path: Path) -> None:
    shutil.copy(SHIPPED / "fashion_mnist_int8-io.tflite", tmp_path / "final (2) ünal.tflite")
    (variant,) = variants("model", tmp_path.glob("*.tflite"))
    assert (variant.name, variant.nodes, variant.compiled) == ("int8", 14, False)


def test_hostile_file_names_leave_only_harmless_characters(tmp_path: Path) -> None:
    shutil.copy(SHIPPED / "fashion_mnist_int8-io.tflite", tmp_path / "..; rm -rf $HOME.tflite")
    shutil.copy(SHIPPED / "fashion_mnist_int8.tflite", tmp_path / "b.tflite")
    names = [variant.name for variant in variants("model", sorted(tmp_path.glob("*.tflite")))]
    assert sorted(names) == ["b", "rm--rf-HOME"]


def test_the_same_bytes_twice_are_refused_with_both_names(tmp_path: Path) -> None:
    for name in ("a", "b"):
        shutil.copy(SHIPPED / "fashion_mnist_int8.tflite", tmp_path / f"{name}.tflite")
    with pytest.raises(InputError, match=r"a\.tflite and .*b\.tflite have the same bytes"):
        variants("model", sorted(tmp_path.glob("*.tflite")))


def test_two_files_that_would_have_one_name_are_refused(tmp_path: Path) -> None:
    for folder, source in (("one", "int8"), ("two", "int8-io")):
        (tmp_path / folder).mkdir()
        shutil.copy(SHIPPED / f"fashion_mnist_{source}.tflite", tmp_path / folder / "net.tflite")
    with pytest.raises(InputError, match="the same name"):
        variants("model", sorted(tmp_path.glob("*/net.tflite")))
