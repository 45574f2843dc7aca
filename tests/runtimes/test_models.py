"""A set of files becomes variants with names that are unique and safe."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from benchbench.runtimes.models import variants
from benchbench.values.errors import InputError

SHIPPED = Path(__file__).parents[2] / "benchbench/demo/fashion_mnist"


def test_the_shipped_family_is_named_by_its_files() -> None:
    family = variants("fashion_mnist", sorted(SHIPPED.glob("*.tflite")))
    names = {variant.name: variant.scheme for variant in family}
    assert names["float32"] == "float32"
    assert names["int8"] == names["int8-io"] == names["int8-pertensor-imbalanced"] == "int8"
    assert len(names) == len(family)
    assert family[0].id == "fashion_mnist.dynamic-int4"


def test_a_variants_name_does_not_depend_on_its_neighbours() -> None:
    files = sorted(SHIPPED.glob("*.tflite"))
    together = [variant.name for variant in variants("fashion_mnist", files)]
    alone = [variant.name for file in files for variant in variants("fashion_mnist", [file])]
    in_another_family = [variant.name for file in files for variant in variants("mnist", [file])]
    assert together == alone
    assert in_another_family == [variant.name for variant in variants("mnist", files)]


@pytest.mark.parametrize(
    ("family", "file", "name"),
    [
        ("net", "net_int8-io", "int8-io"),
        ("net", "Net-int8_io", "int8_io"),
        ("net", "int8_io.net", "int8_io"),
        ("net", "network_v2", "network_v2"),  # another word, though it begins alike
        ("net", "inet", "inet"),
        ("edsr", "v3_0__net_f32b5_int8_2", "v3_0__net_f32b5_int8_2"),
        ("mobilenet_v2", "mobilenet_v2_1.0_224_quant", "1.0_224_quant"),
        ("net", "net", "int8"),  # nothing is left: the scheme, which the file alone says too
        ("model", "final (2) ünal", "final-2-nal"),
        ("net", "网", "int8"),
    ],
)
def test_a_name_is_the_stem_without_the_family(tmp_path: Path, family: str, file: str, name: str) -> None:
    shutil.copy(SHIPPED / "fashion_mnist_int8-io.tflite", tmp_path / f"{file}.tflite")
    (variant,) = variants(family, tmp_path.glob("*.tflite"))
    assert (variant.name, variant.scheme, variant.nodes) == (name, "int8", 14)


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
    files = sorted(tmp_path.glob("*/net.tflite"))
    with pytest.raises(InputError, match=r"one/net\.tflite and .*two/net\.tflite have the same name.*variants = {"):
        variants("model", files)
    assert [variant.name for variant in variants("model", files, ["first", "second"])] == ["first", "second"]
