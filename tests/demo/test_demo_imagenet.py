"""The large example: what it reads, fetches and refuses; with BENCHBENCH_TEST_IMAGENET=1 the whole of it."""

from __future__ import annotations

import hashlib
import importlib.util
import io
import os
import pickle
import shutil
import struct
import sys
import types
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from benchbench.accuracy.datasets import load
from benchbench.config.matrix import load_matrix
from benchbench.demo import __file__ as demo_file
from benchbench.demo import imagenet
from benchbench.demo.checkpoint import MAGIC, PROTOCOL, read_checkpoint
from benchbench.demo.efficientnet_lite import CLASSES, classifier
from benchbench.demo.packages import Package, wheel
from benchbench.device_script.tensors import to_input
from benchbench.runtimes.models import inspect
from benchbench.values.errors import InputError, ToolError
from benchbench.values.model import TensorInfo

SHIPPED = Path(demo_file).parent / "fashion_mnist"


def quiet(_: str) -> None:
    """Progress that nobody reads."""


class Storage:
    """What torch writes as a persistent id."""

    def __init__(self, key: str, values: NDArray[Any], kind: type) -> None:
        self.key, self.values, self.kind = key, values, kind


class Shown:
    """A tensor as torch pickles it: a call of _rebuild_tensor_v2."""

    def __init__(self, storage: Storage, offset: int, shape: tuple[int, ...], strides: tuple[int, ...]) -> None:
        self.arguments: tuple[Any, ...] = (storage, offset, shape, strides, False, {})

    def __reduce__(self) -> tuple[Any, ...]:
        return sys.modules["torch._utils"]._rebuild_tensor_v2, self.arguments


class Evil:
    """Runs a command when it is unpickled as usual."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.mark),)


class Pickler(pickle.Pickler):
    """Storages become persistent ids, as in torch's old format."""

    def persistent_id(self, obj: object) -> Any:
        if isinstance(obj, Storage):
            return "storage", obj.kind, obj.key, "cpu", len(obj.values), None
        return None


@pytest.fixture
def float_storage(monkeypatch: pytest.MonkeyPatch) -> type:
    """A stand-in for the two names of torch that a checkpoint carries; torch itself is not needed to write one."""
    torch, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")

    def _rebuild_tensor_v2() -> None:
        raise AssertionError("only its name is written")

    _rebuild_tensor_v2.__module__, _rebuild_tensor_v2.__qualname__ = "torch._utils", "_rebuild_tensor_v2"
    kind = type("FloatStorage", (), {"__module__": "torch"})
    torch.FloatStorage, utils._rebuild_tensor_v2 = kind, _rebuild_tensor_v2  # type: ignore[attr-defined]  # made here
    monkeypatch.setitem(sys.modules, "torch", torch)
    monkeypatch.setitem(sys.modules, "torch._utils", utils)
    return kind


def checkpoint(state: object, *storages: Storage, magic: int = MAGIC) -> bytes:
    file = io.BytesIO()
    for part in (magic, PROTOCOL, {"little_endian": True}, state, [storage.key for storage in storages]):
        Pickler(file, protocol=2).dump(part)
    for storage in storages:
        file.write(struct.pack("<q", len(storage.values)) + storage.values.tobytes())
    return file.getvalue()


def test_the_tensors_of_a_checkpoint_are_read_in_any_order_of_their_axes(float_storage: type) -> None:
    storage = Storage("0", np.arange(8, dtype="<f4"), float_storage)
    state = OrderedDict(rows=Shown(storage, 2, (2, 3), (3, 1)), columns=Shown(storage, 2, (3, 2), (1, 3)))
    read = read_checkpoint(checkpoint(state, storage), "net.pth")
    np.testing.assert_array_equal(read["rows"], [[2, 3, 4], [5, 6, 7]])
    np.testing.assert_array_equal(read["columns"], read["rows"].T)


@pytest.mark.parametrize(
    ("offset", "shape", "strides"),
    [(0, (3, 3), (3, 1)), (3, (2, 3), (3, 1)), (-1, (2,), (1,)), (4, (2,), (-1,)), (0, (1000, 1000), (0, 0))],
)
def test_a_tensor_that_shows_more_than_its_storage_is_refused(
    float_storage: type, offset: int, shape: tuple[int, ...], strides: tuple[int, ...]
) -> None:
    storage = Storage("0", np.arange(8, dtype="<f4"), float_storage)
    with pytest.raises(InputError, match=r"net\.pth.*more than its storage holds"):
        read_checkpoint(checkpoint({"x": Shown(storage, offset, shape, strides)}, storage), "net.pth")


def test_nothing_that_a_hostile_checkpoint_says_is_executed(tmp_path: Path) -> None:
    mark = tmp_path / "executed"
    with pytest.raises(InputError, match=r"net\.pth.*it names (posix|nt)\.mkdir"):
        read_checkpoint(checkpoint({"x": Evil(mark)}), "net.pth")
    with pytest.raises(InputError, match="it names"):
        read_checkpoint(pickle.dumps(Evil(mark), protocol=2), "net.pth")
    assert not mark.exists()


def test_what_is_no_checkpoint_or_a_part_of_one_is_one_clear_line(float_storage: type) -> None:
    storage = Storage("0", np.arange(8, dtype="<f4"), float_storage)
    whole = checkpoint({"x": Shown(storage, 0, (8,), (1,))}, storage)
    for data in (b"", b"PK\x03\x04", whole[:-5], whole[:40], checkpoint({}, magic=1)):
        with pytest.raises(InputError, match=r"net\.pth: no PyTorch checkpoint") as caught:
            read_checkpoint(data, "net.pth")
        assert "\n" not in str(caught.value)


Offer = Callable[[], Package]


@pytest.fixture
def offered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Offer:
    """A package index that is a folder, and an empty cache; returns how to publish a small package there."""
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    monkeypatch.setenv("BENCHBENCH_CACHE", str(tmp_path / "cache"))
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    for name, value in {"CONFIG_FILE": os.devnull, "NO_INDEX": "1", "FIND_LINKS": str(shelf)}.items():
        monkeypatch.setenv(f"PIP_{name}", value)

    def publish() -> Package:
        path = shelf / "some_photos-1.0-py3-none-any.whl"
        info = "some_photos-1.0.dist-info"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: some-photos\nVersion: 1.0\n")
            archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            archive.writestr(f"{info}/RECORD", "")
        return Package("some-photos==1.0", path.name, hashlib.sha256(path.read_bytes()).hexdigest(), 0.1)

    return publish


def test_a_package_is_downloaded_once_and_then_read_from_the_cache(offered: Offer, tmp_path: Path) -> None:
    package, said = offered(), list[str]()
    path = wheel(package, said.append)
    assert path == tmp_path / "cache" / "packages" / package.file
    assert hashlib.sha256(path.read_bytes()).hexdigest() == package.sha256
    shutil.rmtree(tmp_path / "shelf")
    assert wheel(package, said.append) == path
    assert said == ["downloading some-photos==1.0 (0 MB)"]
    assert [file.name for file in path.parent.iterdir()] == [package.file]


def test_offline_the_error_says_which_file_to_put_where(offered: Offer, tmp_path: Path) -> None:
    package = offered()
    (tmp_path / "shelf" / package.file).unlink()
    with pytest.raises(ToolError) as caught:
        wheel(package, quiet)
    said = str(caught.value)
    assert "some-photos==1.0 cannot be downloaded" in said
    assert f"put {package.file} into {tmp_path / 'cache' / 'packages'}" in said
    assert said.endswith("--implementation cp some-photos==1.0` fetches it)")  # with the platform: not another wheel
    assert "\n" not in said


def test_a_package_that_is_not_as_published_does_not_enter_the_cache(offered: Offer, tmp_path: Path) -> None:
    package = offered()._replace(sha256="0" * 64)
    with pytest.raises(ToolError, match=r"is not some-photos==1\.0 as published: its sha256 is [0-9a-f]{64}"):
        wheel(package, quiet)
    assert not list((tmp_path / "cache" / "packages").iterdir())


def test_a_package_that_was_changed_in_the_cache_is_refused(offered: Offer) -> None:
    package = offered()
    wheel(package, quiet).write_bytes(b"changed")
    with pytest.raises(ToolError, match="remove it, and it is downloaded again"):
        wheel(package, quiet)


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
    """Probabilities [n, 1000] of the dataset in `folder`, by the plain interpreter."""
    from ai_edge_litert.interpreter import Interpreter

    info = inspect(model)
    dataset = load(folder / "photos.npz", info.inputs)
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
        *("float32", "float16", "dynamic-int8", "int8", "int8-io", "int8-pertensor", "int16x8", "dynamic-int4")
    }
    labels = np.load(tmp_path / "photos.npz")["y"]
    scores = {variant.name: predictions(Path(variant.path), tmp_path) for variant in matrix.variants}
    right = {name: int((rows.argmax(1) == labels).sum()) for name, rows in scores.items()}
    assert right["float32"] == right["float16"] == 18
    assert min(right[name] for name in ("dynamic-int8", "int8", "int8-io", "int16x8")) >= 16
    assert right["dynamic-int4"] < 12
    error = {name: float(np.square(rows - scores["float32"]).sum()) for name, rows in scores.items()}
    assert error["float16"] < error["int8"] < error["int8-pertensor"] < error["dynamic-int4"]
