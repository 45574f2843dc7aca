"""Image files as samples: which files, with which labels, and how one is decoded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchbench.accuracy.tensors import Array
from benchbench.values.errors import InputError

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".webp"})


def listed(folder: Path) -> tuple[tuple[Path, ...], NDArray[np.int64] | None]:
    """The images of a folder in a fixed order, with labels: `labels.txt` (`file label` a line), or a folder a class.

    A class is the number that its folder is called, else the folder's place in the alphabet. Images that lie in the
    folder itself, without `labels.txt`, have no labels. Raises InputError for a line that is none or leaves the folder.
    """
    written = folder / "labels.txt"
    if written.is_file():
        return _from_list(folder, written)
    paths = tuple(sorted(path for path in folder.rglob("*") if _is_image(path)))
    if any(path.parent == folder for path in paths):
        return tuple(path for path in paths if path.parent == folder), None
    numbers = _numbered({path.relative_to(folder).parts[0] for path in paths})
    return paths, np.array([numbers[path.relative_to(folder).parts[0]] for path in paths], np.int64)


def sizes(paths: Sequence[Path]) -> Iterator[tuple[int, int]]:
    """Width and height of each image that is one."""
    from PIL import Image

    for path in paths:
        try:
            with Image.open(path) as file:
                yield file.size
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
            continue  # told by the decoder, when it is read


def class_folders(folder: Path) -> dict[str, int]:
    """The folders that `listed` takes for classes, with their numbers; none where the labels are not from folders."""
    if (folder / "labels.txt").is_file() or any(map(_is_image, folder.iterdir())):
        return {}
    return _numbered({path.name for path in folder.iterdir() if path.is_dir() and any(map(_is_image, path.rglob("*")))})


def _is_image(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES and path.is_file()


def _numbered(names: set[str]) -> dict[str, int]:
    classes = sorted(names)
    return {name: int(name) if all(c.isdecimal() for c in classes) else place for place, name in enumerate(classes)}


def _from_list(folder: Path, written: Path) -> tuple[tuple[Path, ...], NDArray[np.int64]]:
    paths, labels = [], []
    for number, line in enumerate(written.read_text("utf-8").splitlines(), 1):
        if not line.strip():
            continue
        name, _, label = line.strip().replace(",", " ").rpartition(" ")
        path = folder / name.strip()
        if not name or not label.isdecimal():
            raise InputError(f"{written}:{number}: {line!r} is no 'file label'", remedy="write e.g. 'cat_01.jpg 281'")
        if not path.resolve().is_relative_to(folder.resolve()) or not path.is_file():
            raise InputError(f"{written}:{number}: no such image in the folder: {name}")
        paths.append(path)
        labels.append(int(label))
    return tuple(paths), np.array(labels, np.int64)


@dataclass(frozen=True, slots=True)
class Decoder:
    """Decodes a file to uint8 [height, width, channels]; `crop` takes the middle square before resizing."""

    height: int
    width: int
    channels: int
    crop: bool = False
    bicubic: bool = False  # else bilinear

    def __call__(self, path: Path) -> Array:
        from PIL import Image, ImageOps

        try:
            with Image.open(path) as file:
                image = ImageOps.exif_transpose(file).convert("L" if self.channels == 1 else "RGB")
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
            raise InputError(f"{path}: no image that can be decoded: {error}") from error
        side = min(image.size)
        if self.crop:
            left, top = (image.width - side) // 2, (image.height - side) // 2
            image = image.crop((left, top, left + side, top + side))
        if image.size != (self.width, self.height):
            filtering = Image.Resampling.BICUBIC if self.bicubic else Image.Resampling.BILINEAR
            image = image.resize((self.width, self.height), filtering)
        return np.asarray(image, np.uint8).reshape(self.height, self.width, self.channels)
