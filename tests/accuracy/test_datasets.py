from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from benchbench.accuracy.datasets import load, seeded
from benchbench.values.errors import InputError
from benchbench.values.preprocessing import Preprocessing
from tests.accuracy.conftest import Described

GREY = Described()
COLOUR = Described(shape=(1, 4, 6, 3), dtype="uint8")


def npz(folder: Path, **arrays: Any) -> Path:
    path = folder / "data.npz"
    np.savez(path, **arrays)
    return path


def pixels(n: int, seed: int = 0) -> Any:
    return np.random.default_rng(seed).integers(0, 256, (n, 4, 4, 1), dtype=np.uint8)


def test_an_npz_gives_its_samples_labels_and_digest(tmp_path: Path) -> None:
    path = npz(tmp_path, x=pixels(7), y=np.arange(7, dtype=np.uint8))
    dataset = load(path, [GREY], classes=10)
    assert (dataset.name, dataset.n, dataset.preprocessing) == ("data", 7, None)
    assert dataset.labels is not None
    assert dataset.labels.tolist() == list(range(7))
    assert len(dataset.sha256) == 64


def test_several_inputs_are_matched_by_name_whatever_their_order(tmp_path: Path) -> None:
    path = npz(tmp_path, b=np.ones((3, 2), np.float32), a=np.zeros((3, 5), np.float32))
    dataset = load(path, [Described("a", shape=(1, 5)), Described("b", shape=(1, 2))])
    assert [samples.shape for samples in dataset.inputs] == [(5,), (2,)]


def test_several_inputs_without_their_names_are_taken_in_order(tmp_path: Path) -> None:
    path = npz(tmp_path, x0=np.ones((3, 2), np.float32), x1=np.zeros((3, 5), np.float32))
    dataset = load(path, [Described("p", shape=(1, 2)), Described("q", shape=(1, 5))])
    assert [samples.shape for samples in dataset.inputs] == [(2,), (5,)]


def test_the_first_samples_keep_their_labels(tmp_path: Path) -> None:
    dataset = load(npz(tmp_path, x=pixels(7), y=np.arange(7)), [GREY]).first(3)
    assert dataset.n == 3
    assert dataset.labels is not None
    assert dataset.labels.tolist() == [0, 1, 2]


def test_saved_samples_are_what_the_script_on_a_device_reads(tmp_path: Path) -> None:
    dataset = load(npz(tmp_path, x=pixels(7)), [GREY])
    dataset.save(tmp_path / "part.npz", 2, 5)
    with np.load(tmp_path / "part.npz") as archive:
        assert archive.files == ["x0"]
        assert np.array_equal(archive["x0"], pixels(7)[2:5])


def image(path: Path, colour: tuple[int, int, int], size: tuple[int, int] = (6, 4)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, colour).save(path)


def test_a_folder_a_class_is_labelled_in_the_order_of_the_alphabet(tmp_path: Path) -> None:
    image(tmp_path / "dog" / "1.png", (255, 0, 0))
    image(tmp_path / "cat" / "1.png", (0, 255, 0))
    image(tmp_path / "cat" / "2.png", (0, 0, 255))
    dataset = load(tmp_path, [COLOUR], classes=2)
    assert dataset.labels is not None
    assert dataset.labels.tolist() == [0, 0, 1]
    batch = dataset.inputs[0][:3]
    assert batch[:, 0, 0].tolist() == [[0, 255, 0], [0, 0, 255], [255, 0, 0]]


def test_folders_called_by_numbers_are_those_classes(tmp_path: Path) -> None:
    image(tmp_path / "281" / "a.png", (1, 1, 1))
    image(tmp_path / "7" / "b.png", (1, 1, 1))
    dataset = load(tmp_path, [COLOUR], classes=1000)
    assert dataset.labels is not None
    assert dataset.labels.tolist() == [281, 7]


def test_a_labels_file_labels_images_whose_names_hold_spaces(tmp_path: Path) -> None:
    image(tmp_path / "a cat.png", (1, 1, 1))
    image(tmp_path / "b.png", (2, 2, 2))
    (tmp_path / "labels.txt").write_text("b.png,4\n\na cat.png 2\n")
    dataset = load(tmp_path, [COLOUR], classes=5)
    assert dataset.labels is not None
    assert dataset.labels.tolist() == [4, 2]


@pytest.mark.parametrize("line", ["../secret.png 1", "/etc/passwd 1", "absent.png 1"])
def test_a_labels_file_cannot_name_what_is_not_in_its_folder(tmp_path: Path, line: str) -> None:
    image(tmp_path / "secret.png", (1, 1, 1))
    folder = tmp_path / "data"
    image(folder / "a.png", (1, 1, 1))
    (folder / "labels.txt").write_text(line + "\n")
    with pytest.raises(InputError, match=r"labels\.txt:1: no such image"):
        load(folder, [COLOUR])


def test_a_line_of_a_labels_file_that_is_none_is_named(tmp_path: Path) -> None:
    image(tmp_path / "a.png", (1, 1, 1))
    (tmp_path / "labels.txt").write_text("a.png 1\na.png cat\n")
    with pytest.raises(InputError, match=r"labels\.txt:2: 'a\.png cat'"):
        load(tmp_path, [COLOUR])


def test_images_are_resized_to_the_models_input_and_greyed_where_it_has_one_channel(tmp_path: Path) -> None:
    image(tmp_path / "a.png", (255, 255, 255), size=(30, 20))
    dataset = load(tmp_path, [Described(shape=(1, 8, 8, 1), dtype="uint8")])
    assert dataset.labels is None
    assert dataset.inputs[0][:1].shape == (1, 8, 8, 1)


def test_a_crop_takes_the_middle(tmp_path: Path) -> None:
    picture = np.zeros((4, 12, 3), np.uint8)
    picture[:, 4:8] = 200
    Image.fromarray(picture).save(tmp_path / "a.png")
    (tmp_path / "dataset.toml").write_text("crop = true\n")
    batch = load(tmp_path, [Described(shape=(1, 4, 4, 3), dtype="uint8")]).inputs[0][:1]
    assert (batch == 200).all()


def test_a_file_that_is_no_image_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"no image")
    with pytest.raises(InputError, match=r"a\.png: no image"):
        load(tmp_path, [COLOUR])


def test_a_folder_of_npy_files_has_one_sample_a_file(tmp_path: Path) -> None:
    for index in range(3):
        np.save(tmp_path / f"{index}.npy", np.full((4, 4, 1), index, np.float32))
    batch = load(tmp_path, [GREY]).inputs[0][:8]
    assert batch[:, 0, 0, 0].tolist() == [0, 1, 2]


def test_preprocessing_is_read_from_the_file_beside_the_data(tmp_path: Path) -> None:
    path = npz(tmp_path, x=pixels(2), y=np.array([0, 1]))
    path.with_suffix(".toml").write_text("scale = 0.0078125\nmean = [1.0]\nlabel_offset = 1\n")
    dataset = load(path, [GREY], classes=3)
    assert dataset.preprocessing == Preprocessing(scale=0.0078125, mean=(1.0,), label_offset=1)
    assert dataset.labels is not None
    assert dataset.labels.tolist() == [1, 2]


def test_seeded_inputs_are_the_same_every_time_and_within_a_quantized_inputs_range() -> None:
    quantized = Described(dtype="uint8", scale=1.0, zero_point=0)
    one, other = seeded([quantized, GREY], 5, seed=3), seeded([quantized, GREY], 5, seed=3)
    assert all(np.array_equal(a[:], b[:]) for a, b in zip(one.inputs, other.inputs, strict=True))
    assert one.inputs[0][:].max() > 200
    assert abs(one.inputs[1][:]).max() <= 0.5
    assert one.sha256 != seeded([quantized, GREY], 5, seed=4).sha256


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"x": pixels(0)}, "the dataset is empty"),
        ({"y": np.zeros(3, int)}, "holds no samples"),
        ({"x": np.zeros((3, 5, 5, 1))}, r"wants float32 \[1, 4, 4, 1\], the samples are \[n, 5, 5, 1\]"),
        ({"x": pixels(3), "y": np.array([0, 1, 10])}, r"labels run from 0 to 10, the model's classes are 0…9"),
        ({"x": pixels(3), "y": np.array([0, -1, 1])}, "labels run from -1 to 1"),
        ({"x": pixels(3), "y": np.array([0, 1])}, r"one a sample \(3\)"),
        ({"x": pixels(3), "y": np.array([0.5, 1, 2])}, "labels are whole numbers"),
        ({"x": np.full((3, 4, 4, 1), [[[[1.0]]], [[[np.nan]]], [[[1.0]]]])}, "sample 1 holds NaN"),
        ({"x": np.full((3, 4, 4, 1), "a")}, "not numbers"),
        ({"a": pixels(3), "b": pixels(3)}, "holds 2 inputs, the model takes 1"),
        ({"x": np.array([{"an": "object"}])}, "cannot be read as an .npz of plain arrays"),
        ({"x": pixels(3), "boxes": np.zeros((2, 4))}, "boxes to be found"),
        (
            {"x": pixels(3), "boxes": np.zeros((1, 4)), "box_image": np.array([3]), "box_class": np.array([0])},
            "box_image numbers the samples",
        ),
    ],
)
def test_data_that_does_not_fit_is_told_in_one_line(tmp_path: Path, arrays: dict[str, Any], message: str) -> None:
    path = npz(tmp_path, **arrays)
    with pytest.raises(InputError, match=message) as caught:
        load(path, [GREY], classes=10)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_damaged_npz_is_told_in_one_line(tmp_path: Path) -> None:
    path = npz(tmp_path, x=pixels(50))
    whole = path.read_bytes()
    for cut in (b"", whole[:100], whole[: len(whole) // 2], whole[:200] + bytes(50) + whole[250:]):
        path.write_bytes(cut)
        with pytest.raises(InputError, match=r"data\.npz"):
            load(path, [GREY])


def test_a_place_without_data_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"neither an \.npz nor a folder"):
        load(tmp_path / "absent.npz", [GREY])
    with pytest.raises(InputError, match="the dataset is empty"):
        load(tmp_path, [GREY])


def test_a_typo_in_the_preprocessing_names_file_and_key(tmp_path: Path) -> None:
    path = npz(tmp_path, x=pixels(2))
    path.with_suffix(".toml").write_text("maen = [1.0]\n")
    with pytest.raises(InputError, match=r"data\.toml: maen: no such key"):
        load(path, [GREY])


def test_random_inputs_keep_to_the_range_that_the_matrix_gives() -> None:
    fed = seeded([GREY], 3, 0, [(0, 255)]).inputs[0][0:3]
    assert fed.min() >= 0
    assert 200 < fed.max() <= 255
