"""What each variant is fed with, and what is doubted of a dataset before anything is measured."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
import pytest
from PIL import Image

from benchbench.accuracy.feeding import Fed, Wanted, feed
from benchbench.accuracy.scoring import compared_with
from benchbench.config.matrix_file import RANDOM
from benchbench.runtimes.models import inspect, variants
from benchbench.values.case import Variant
from benchbench.values.errors import InputError
from tests.beds import models
from tests.runtimes.tflite.model.small_models import M, O, T, build

SHIPPED = Path(__file__).parents[2] / "benchbench" / "demo" / "fashion_mnist"


def metadata(mean: Sequence[float], std: Sequence[float]) -> bytes:
    """TFLite Metadata that says how pixels become the values of the only input."""
    b = flatbuffers.Builder(256)

    def floats(values: Sequence[float]) -> Any:
        b.StartVector(4, len(values), 4)
        for value in reversed(values):
            b.PrependFloat32(value)
        return b.EndVector()

    def table(slots: int, **offsets: Any) -> Any:
        b.StartObject(slots)
        for slot, offset in offsets.items():
            b.PrependUOffsetTRelativeSlot(int(slot[1:]), offset, 0)
        return b.EndObject()

    def tables(offset: Any) -> Any:
        b.StartVector(4, 1, 4)
        b.PrependUOffsetTRelative(offset)
        return b.EndVector()

    means, stds = floats(mean), floats(std)
    options = table(2, _0=means, _1=stds)
    b.StartObject(2)  # ProcessUnit: the kind of its options, and these
    b.PrependUint8Slot(0, 1, 0)
    b.PrependUOffsetTRelativeSlot(1, options, 0)
    units = tables(b.EndObject())
    inputs = tables(table(7, _4=units))
    b.Finish(table(8, _3=tables(table(6, _2=inputs))), file_identifier=b"M001")
    return bytes(b.Output())


def image_model(path: Path, said: bytes | None = None, size: int = 8) -> Variant:
    """A float32 model of an image [1, size, size, 3] with ten scores."""
    if said is None:
        path.write_bytes(models.conv_model(size, 4, 1))
    else:
        tensors = [T((1, size, size, 3)), T((1, size, size, 3))]
        path.write_bytes(build(M(tensors, [O("TANH", (0,), (1,))], metadata={"TFLITE_METADATA": said})))
    return variants("net", [path])[0]


def fed(data: Path, *models: Variant) -> Fed:
    return feed(Wanted("net", str(data), None, 0), models)


def doubted(data: Path, *models: Variant) -> str:
    return " | ".join(fed(data, *models).remarks)


def stored(folder: Path, values: Any, how: str = "", **more: Any) -> Path:
    path = folder / "data.npz"
    np.savez(path, allow_pickle=False, x=values, **more)
    if how:
        path.with_suffix(".toml").write_text(how)
    return path


PIXELS = np.random.default_rng(0).integers(0, 256, (6, 8, 8, 3)).astype(np.uint8)


def test_normalization_is_read_from_the_metadata_of_a_model(tmp_path: Path) -> None:
    variant = image_model(tmp_path / "net.tflite", metadata((127.5,), (127.5,)))
    assert inspect(variant.path).input_ranges == ((-1.0, 1.0),)
    for said in (metadata((127.5,), (127.5,))[:40], metadata((math.nan,), (127.5,)), metadata((0.0,), (math.inf,))):
        spoilt = image_model(tmp_path / "spoilt.tflite", said)
        assert inspect(spoilt.path).input_ranges == (None,)


@pytest.mark.parametrize(
    ("values", "how", "words"),
    [
        (PIXELS, "", "run from 0 to 255"),
        (PIXELS, "mean = [127.5]\nstd = [127.5]", ""),
        (PIXELS / np.float32(255) / 30, "", "made for -1 to 1"),
        ((PIXELS / np.float32(127.5) - 1).astype(np.float32), "", ""),
    ],
)
def test_values_that_a_model_was_not_trained_on_are_doubted(tmp_path: Path, values: Any, how: str, words: str) -> None:
    variant = image_model(tmp_path / "net.tflite", metadata((127.5,), (127.5,)))
    said = doubted(stored(tmp_path, values, how), variant)
    assert words in said
    assert bool(said) == bool(words)
    assert not words or "data.toml" in said


def test_a_quantized_sibling_says_what_the_float_file_was_made_for(tmp_path: Path) -> None:
    family = variants("net", [SHIPPED / f"fashion_mnist_{name}.tflite" for name in ("float32", "int8-io")])
    (made_for,) = inspect(family[1].path).input_ranges
    assert made_for is not None
    pixels = np.random.default_rng(0).integers(0, 256, (6, 28, 28, 1))
    in_range = made_for[1] > 100  # whether the model takes 0…255
    wrong = pixels / np.float32(255) if in_range else pixels.astype(np.float32)
    right = pixels.astype(np.float32) if in_range else pixels / np.float32(255)
    assert "was made for" in doubted(stored(tmp_path, wrong.astype(np.float32)), *family)
    assert doubted(stored(tmp_path, right.astype(np.float32)), *family) == ""


def test_the_shipped_data_is_not_doubted() -> None:
    assert doubted(SHIPPED / "test.npz", *variants("net", sorted(SHIPPED.glob("*.tflite")))) == ""


def test_images_that_had_to_be_resized_and_labels_of_one_class_are_doubted(tmp_path: Path) -> None:
    variant, folder = image_model(tmp_path / "net.tflite"), tmp_path / "photos"
    folder.mkdir()
    for number in range(3):
        Image.fromarray(np.zeros((10, 20, 3), np.uint8)).save(folder / f"{number}.png")
    assert "20 × 10" in doubted(folder, variant)
    (folder / "dataset.toml").write_text("crop = true\n")
    assert doubted(folder, variant) == ""
    assert "class 3" in doubted(stored(tmp_path, PIXELS, y=np.full(6, 3)), variant)


def test_random_samples_have_each_variants_own_size(tmp_path: Path) -> None:
    sizes = {"small": 8, "large": 16}
    paths = [tmp_path / f"{name}.tflite" for name in sizes]
    for path, size in zip(paths, sizes.values(), strict=True):
        path.write_bytes(models.conv_model(size, 4, 1))
    small, large = variants("net", paths)
    datasets = feed(Wanted("net", RANDOM, 5, 0), [small, large]).datasets
    assert [datasets[v.id].inputs[0].shape for v in (small, large)] == [(8, 8, 3), (16, 16, 3)]
    assert (small.kin.relation, large.kin.relation) == ("same", "resized")
    for variant in (small, large):
        alike = [v for v in (small, large) if datasets[v.id] is datasets[variant.id]]
        assert compared_with(variant, alike) == variant


@pytest.mark.parametrize("twin", ["int8-io", "int8"])  # quantized inside, or by its first operator
def test_random_samples_fill_the_range_of_a_quantized_file_of_the_family(twin: str) -> None:
    """Else an int8 file that takes 0…255 would be fed with one and the same number, and be called broken for it."""
    family = variants("net", [SHIPPED / f"fashion_mnist_{name}.tflite" for name in ("float32", twin)])
    made_for = next(known for known in (inspect(v.path).input_ranges[0] for v in family) if known)
    values = feed(Wanted("net", RANDOM, 8, 0), family).datasets[family[0].id].inputs[0][:]
    assert (values.min(), values.max()) == pytest.approx(made_for, abs=0.01 * (made_for[1] - made_for[0]))
    (alone,) = feed(Wanted("net", RANDOM, 8, 0), family[:1]).datasets.values()
    assert abs(alone.inputs[0][:]).max() <= 0.5


def test_a_variant_of_another_size_than_the_dataset_is_left_out_and_told(tmp_path: Path) -> None:
    paths = [tmp_path / "a.tflite", tmp_path / "b.tflite"]
    for path, size in zip(paths, (8, 16), strict=True):
        path.write_bytes(models.conv_model(size, 4, 1))
    found = fed(stored(tmp_path, PIXELS), *variants("net", paths))
    assert set(found.datasets) == {"net.a"}
    assert "b.tflite" in found.unfed["net.b"]


def test_labels_need_class_scores(tmp_path: Path) -> None:
    variant = image_model(tmp_path / "net.tflite", metadata((0.0,), (1.0,)))  # its output is a picture
    with pytest.raises(InputError, match="no output of net"):
        fed(stored(tmp_path, PIXELS, y=np.arange(6) % 2), variant)


def test_each_is_compared_with_the_finest_file_of_its_own_weights() -> None:
    family = variants("net", sorted(SHIPPED.glob("*.tflite")))
    float32 = next(v for v in family if v.scheme == "float32")
    expected = {v.id: v if v.kin.relation == "retrained" else float32 for v in family}
    assert {v.id: compared_with(v, family) for v in family} == expected
