"""What cannot be quantized, or not with such data, is refused in one line and leaves nothing behind."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchbench.pipeline import quantize
from benchbench.runtimes.quantizing.calibration import Feeding, Pixels, load
from benchbench.runtimes.tflite.model.inspect import inspect
from benchbench.values.errors import InputError
from tests.runtimes.tflite.model.small_models import T, dense, zeros
from tests.runtimes.tflite.quantize.shipped import FLOAT32, SAMPLES, SHIPPED, saved

pytest.importorskip("litert_quantizer", reason="the extra 'quantize' is not installed")


def refused(tmp_path: Path, match: str, **changed: object) -> None:
    """Asserts that the call is refused in one line, with nothing left behind."""
    arguments = {"source": FLOAT32, "schemes": ["int8"], "representative": SAMPLES} | changed
    out = tmp_path / "out" / "family"
    with pytest.raises(InputError, match=match) as caught:
        quantize(out=out, **arguments)  # type: ignore[arg-type]  # the table above mixes types
    assert "\n" not in str(caught.value)
    assert not out.exists()
    assert not out.parent.exists() or not list(out.parent.iterdir())


def test_a_quantized_source_is_refused(tmp_path: Path) -> None:
    refused(tmp_path, r"already quantized \(int8\)", source=SHIPPED / "fashion_mnist_int8.tflite")
    refused(tmp_path, r"already quantized \(float16\)", source=SHIPPED / "fashion_mnist_float16.tflite")


def test_samples_of_another_shape_are_refused_with_the_shape_wanted(tmp_path: Path) -> None:
    data = saved(tmp_path / "wide.npz", x=zeros(3, 32, 32, 3))
    refused(tmp_path, r"shape \[32, 32, 3\] do not fit.*it wants \[n, 28, 28, 1\]", representative=data)


def test_nan_in_the_samples_is_refused_with_its_place(tmp_path: Path) -> None:
    x = zeros(5, 28, 28, 1)
    x[3, 0, 0, 0] = np.nan
    refused(tmp_path, "sample 3 holds NaN", representative=saved(tmp_path / "nan.npz", x=x))


def test_empty_data_is_refused(tmp_path: Path) -> None:
    refused(tmp_path, "is empty", representative=saved(tmp_path / "empty.npz", x=zeros(0, 28, 28, 1)))
    (tmp_path / "nothing").mkdir()
    refused(tmp_path, "is empty: no .npy and no image", representative=tmp_path / "nothing")


def test_data_without_an_array_for_the_input_is_refused(tmp_path: Path) -> None:
    data = saved(tmp_path / "odd.npz", a=zeros(1), b=zeros(1))
    refused(tmp_path, r"no array for the input image.*name its arrays after the inputs: image", representative=data)


def test_pickled_data_is_not_executed(tmp_path: Path) -> None:
    data = saved(tmp_path / "pickled.npz", x=np.array([{"a": 1}], dtype=object))
    refused(tmp_path, "is no .npz with arrays", representative=data)


def test_damaged_data_is_refused(tmp_path: Path) -> None:
    whole = saved(tmp_path / "whole.npz", x=np.ones((5, 28, 28, 1), np.float32)).read_bytes()
    for name, content, match in [
        ("text", b"junk", "is no .npz, or only a part of one"),
        ("part", whole[: len(whole) // 2], "is no .npz, or only a part of one"),
        ("flipped", whole[:5000] + b"?" + whole[5001:], "is no .npz with arrays: Bad CRC-32"),
    ]:
        (tmp_path / f"{name}.npz").write_bytes(content)
        refused(tmp_path, match, representative=tmp_path / f"{name}.npz")
    (tmp_path / "arrays").mkdir()
    (tmp_path / "arrays/0.npy").write_bytes(whole)
    refused(tmp_path, r"0\.npy is no \.npy file", representative=tmp_path / "arrays")


@pytest.mark.parametrize(("mean", "std"), [(0, 0), (0, -1), (float("nan"), 1)])
def test_pixels_that_cannot_be_normalised_are_refused(mean: float, std: float) -> None:
    with pytest.raises(InputError, match="pixels cannot become"):
        Pixels(mean, std)


def test_what_does_not_exist_or_is_no_model_is_refused(tmp_path: Path) -> None:
    refused(tmp_path, "does not exist", representative=tmp_path / "gone.npz")
    refused(tmp_path, "is no model file and no SavedModel folder", source=tmp_path)
    for suffix, why in (
        (".pb", r"\.pb cannot be quantized \(give a \.tflite"),
        (".onnx", r"is no ONNX model"),
    ):
        source = tmp_path / f"net{suffix}"
        source.touch()
        refused(tmp_path, why, source=source)


def test_unknown_schemes_and_sizes_of_a_tflite_are_refused(tmp_path: Path) -> None:
    refused(tmp_path, r"no scheme is called int3 \(the schemes are float32", schemes=["int3"])
    refused(tmp_path, "at least one", schemes=[])
    refused(tmp_path, "its input size is built in", input_sizes=[32])


def test_a_name_cannot_lead_out_of_the_folder(tmp_path: Path) -> None:
    for name in ("../net", "a/b", "", ".net", "/net"):
        refused(tmp_path, "cannot name a family", name=name)


def test_a_folder_that_holds_something_is_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "precious").touch()
    with pytest.raises(InputError, match=r"exists \(name a new folder"):
        quantize(FLOAT32, ["float16"], tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["precious"]


def test_folders_of_arrays_and_images_and_a_function_feed_the_same_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from PIL import Image

    images = np.load(SAMPLES)["x"][:20]
    arrays, pictures = tmp_path / "arrays", tmp_path / "pictures"
    arrays.mkdir()
    pictures.mkdir()
    for k, image in enumerate(images):
        np.save(arrays / f"{k:02}.npy", image)
        Image.fromarray(image[..., 0]).save(pictures / f"{k:02}.png")
    (tmp_path / "feeding_test.py").write_text(
        f"import numpy as np\ndef samples():\n    yield from np.load({str(SAMPLES)!r})['x'][:20]\n", encoding="utf-8"
    )
    monkeypatch.chdir(tmp_path)
    npz = saved(tmp_path / "few.npz", image=images)
    sources: list[Path | str | Feeding] = [arrays, pictures, npz, "feeding_test:samples", lambda: images]
    inputs = inspect(FLOAT32).arguments
    loaded = [load(source, inputs) for source in sources]
    assert {calibration.samples for calibration in loaded} == {20}
    assert len({calibration.sha256 for calibration in loaded}) == 1


def test_a_function_that_fails_is_quoted(tmp_path: Path) -> None:
    refused(tmp_path, "no_such_module:samples failed: ModuleNotFoundError", representative="no_such_module:samples")


def test_nothing_is_left_when_the_disk_refuses(tmp_path: Path) -> None:
    source = tmp_path / "dense.tflite"
    source.write_bytes(dense(T((4, 8), data=zeros(4, 8))))
    blocked = tmp_path / "file"
    blocked.touch()
    with pytest.raises(InputError, match="file"):
        quantize(source, ["float32"], blocked / "out")
    assert blocked.is_file()
