"""The large example: what it reads, fetches and refuses; with BENCHBENCH_TEST_IMAGENET=1 the whole of it."""

from __future__ import annotations

import importlib.util
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from benchbench.accuracy.datasets import load
from benchbench.config.matrix import load_matrix
from benchbench.demo import __file__ as demo_file
from benchbench.demo import imagenet
from benchbench.demo.efficientnet_lite import CLASSES, classifier
from benchbench.device_script.tensors import to_input
from benchbench.runtimes.models import inspect
from benchbench.values.errors import InputError, ToolError
from benchbench.values.model import TensorInfo

SHIPPED = Path(demo_file).parent / "fashion_mnist"


def quiet(_: str) -> None:
    """Progress that nobody reads."""


def draw(path: Path, colour: tuple[int, int, int] = (0, 127, 255), size: tuple[int, int] = (64, 48)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, colour).save(path)
    return path


def test_a_photo_is_the_middle_seven_eighths_of_its_square(tmp_path: Path) -> None:
    wide = np.zeros((256, 512, 3), np.uint8)
    wide[:, 128:384] = np.arange(256, dtype=np.uint8)[None, :, None]  # the middle square: its columns are numbered
    Image.fromarray(wide).save(tmp_path / "wide.png")
    photo = imagenet.photo(tmp_path / "wide.png")
    assert photo.shape == (224, 224, 3)
    np.testing.assert_array_equal(photo[0, :, 0], np.arange(16, 240))


@pytest.fixture
def family_there(tmp_path: Path) -> Path:
    """A folder in which the family was made before: two small files stand for it."""
    folder = tmp_path / "demo"
    (folder / imagenet.FAMILY).mkdir(parents=True)
    for scheme in ("float32", "int8"):
        source = SHIPPED / f"fashion_mnist_{scheme}.tflite"
        shutil.copyfile(source, folder / imagenet.FAMILY / f"{imagenet.FAMILY}_{scheme}.tflite")
    (folder / imagenet.FAMILY / "family.json").write_text("{}")
    return folder


def image_input() -> TensorInfo:
    """The shipped model's input, at the size of ImageNet's."""
    found = inspect(SHIPPED / "fashion_mnist_float32.tflite").inputs[0]
    return found.model_copy(update={"shape": (1, 224, 224, 3), "signature": (1, 224, 224, 3)})


def test_the_users_photos_become_a_dataset_and_a_matrix_that_loads(family_there: Path, tmp_path: Path) -> None:
    for label in (3, 999):
        draw(tmp_path / "mine" / str(label) / "photo.png")
    path = imagenet.prepare(family_there, quiet, tmp_path / "mine")
    matrix = load_matrix(path)
    assert [variant.id for variant in matrix.variants] == ["efficientnet_lite0.float32", "efficientnet_lite0.int8"]
    dataset = load(Path(matrix.datasets[imagenet.FAMILY]), [image_input()], classes=CLASSES)
    assert dataset.labels is not None
    assert dataset.labels.tolist() == [3, 999]
    fed = to_input(dataset.inputs[0][:1], image_input(), dataset.preprocessing)
    np.testing.assert_array_equal(fed[0, 0, 0], np.array([-127 / 128, 0, 1], np.float32))


def test_a_family_in_both_formats_is_measured_with_both_runtimes(family_there: Path, tmp_path: Path) -> None:
    onnx_file = SHIPPED / "fashion_mnist_float32.onnx"
    shutil.copyfile(onnx_file, family_there / imagenet.FAMILY / f"{imagenet.FAMILY}_float32.onnx")
    draw(tmp_path / "mine" / "0" / "photo.png")
    matrix = load_matrix(imagenet.prepare(family_there, quiet, tmp_path / "mine"))
    assert [delegate.label for delegate in matrix.delegates] == ["cpu", "xnnpack", "ort-cpu"]
    assert {variant.format for variant in matrix.variants} == {"tflite", "onnx"}


def test_a_matrix_that_the_user_changed_is_kept(family_there: Path, tmp_path: Path) -> None:
    draw(tmp_path / "mine" / "0" / "photo.png")
    matrix = imagenet.prepare(family_there, quiet, tmp_path / "mine")
    matrix.write_text(matrix.read_text().replace("rounds = 3", "rounds = 7"))
    assert load_matrix(imagenet.prepare(family_there, quiet, tmp_path / "mine")).measure.rounds == 7


def test_of_many_photos_some_are_taken_evenly_and_how_many_is_said(
    family_there: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imagenet, "MOST_PHOTOS", 4)
    for label in range(10):
        draw(tmp_path / "mine" / str(label) / "photo.png")
    said: list[str] = []
    imagenet.prepare(family_there, said.append, tmp_path / "mine")
    assert np.load(family_there / "photos.npz")["y"].tolist() == [0, 3, 6, 9]
    assert said == [f"reading 4 of the 10 photos in {tmp_path / 'mine'}"]


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ([], "no image in it"),
        (["photo.png"], "have no labels"),
        (["cat/photo.png", "dog/photo.png"], "2 named classes cannot be told among ImageNet's"),
        (["7/photo.png", "1000/photo.png"], "label 1000 is none of ImageNet's 0…999"),
    ],
)
def test_photos_without_imagenets_labels_are_refused(
    family_there: Path, tmp_path: Path, names: list[str], message: str
) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    for name in names:
        draw(mine / name)
    with pytest.raises(InputError, match=message):
        imagenet.prepare(family_there, quiet, mine)
    assert not (family_there / "matrix.toml").exists()


def test_a_folder_of_that_name_which_is_not_ours_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / imagenet.FAMILY).mkdir()
    with pytest.raises(InputError, match=r"holds no family\.json"):
        imagenet.prepare(tmp_path, quiet)


@pytest.mark.skipif(importlib.util.find_spec("tensorflow") is not None, reason="tensorflow is installed")
def test_without_tensorflow_the_error_names_the_extra_before_anything_is_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BENCHBENCH_CACHE", str(tmp_path / "cache"))
    with pytest.raises(ToolError, match=r"pip install 'benchbench\[tensorflow,quantize\]'"):
        imagenet.prepare(tmp_path / "demo", quiet)
    assert not list(tmp_path.iterdir())


def test_a_checkpoint_of_another_network_is_named(tmp_path: Path) -> None:
    pytest.importorskip("tensorflow", reason="the extra 'tensorflow' is not installed")
    with pytest.raises(ValueError, match=r"the checkpoint has no _conv_stem\.weight"):
        classifier({"_fc.bias": np.zeros(1000, np.float32)})


def predictions(model: Path, folder: Path) -> NDArray[np.float32]:
    """Probabilities [n, 1000] of the dataset in `folder`, by the plain interpreter or ONNX Runtime."""
    from ai_edge_litert.interpreter import Interpreter

    info = inspect(model)
    dataset = load(folder / "photos.npz", info.inputs)
    if model.suffix == ".onnx":
        session = pytest.importorskip("onnxruntime").InferenceSession(str(model))
        feeds = [
            to_input(dataset.inputs[0][k : k + 1], info.inputs[0], dataset.preprocessing) for k in range(dataset.n)
        ]
        return np.array([session.run(None, {info.inputs[0].name: fed})[0][0] for fed in feeds])
    interpreter = Interpreter(str(model), num_threads=2)
    interpreter.allocate_tensors()
    rows = []
    for k in range(dataset.n):
        row = dataset.inputs[0][k : k + 1]
        interpreter.set_tensor(
            interpreter.get_input_details()[0]["index"], to_input(row, info.inputs[0], dataset.preprocessing)
        )
        interpreter.invoke()
        rows.append(interpreter.get_tensor(interpreter.get_output_details()[0]["index"])[0].astype(np.float32))
    return np.array(rows)


@pytest.mark.skipif("BENCHBENCH_TEST_IMAGENET" not in os.environ, reason="BENCHBENCH_TEST_IMAGENET=1: minutes, 33 MB")
@pytest.mark.filterwarnings("ignore")
@pytest.mark.timeout(1800)
def test_the_whole_family_is_made_and_its_schemes_do_what_they_are_known_for(tmp_path: Path) -> None:
    pytest.importorskip("tensorflow", reason="the extra 'tensorflow' is not installed")
    matrix = load_matrix(imagenet.prepare(tmp_path, quiet))
    assert {variant.name for variant in matrix.variants} == {
        *("float32", "float16", "dynamic-int8", "int8", "int8-io", "int8-pertensor", "int16x8", "dynamic-int4"),
        *("float32.onnx", "dynamic-int8.onnx", "int8.onnx", "u8s8.onnx"),
    }
    labels = np.load(tmp_path / "photos.npz")["y"]
    scores = {variant.name: predictions(Path(variant.path), tmp_path) for variant in matrix.variants}
    right = {name: int((rows.argmax(1) == labels).sum()) for name, rows in scores.items()}
    assert right["float32"] == right["float16"] == right["float32.onnx"] == 18
    assert min(right[name] for name in ("dynamic-int8", "int8", "int8-io", "int16x8", "u8s8.onnx")) >= 16
    assert right["dynamic-int4"] < 12
    error = {name: float(np.square(rows - scores["float32"]).sum()) for name, rows in scores.items()}
    assert error["float16"] < error["int8"] < error["int8-pertensor"] < error["dynamic-int4"]
