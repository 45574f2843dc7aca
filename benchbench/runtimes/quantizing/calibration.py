"""Representative data: what a model will see, fed to it while the ranges of its activations are taken.

Four sources: an .npz (one array per input, by name; or `x`, or the only array), a folder of .npy files (one sample or a
stack of samples each), a folder of images (resized to the input), and a Python function (or `module:function`) that
yields samples. What they go through before they are fed, `Pixels` says.
"""

from __future__ import annotations

import hashlib
import importlib
import sys
import zipfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchbench.values.errors import InputError
from benchbench.values.model import TensorInfo, has_channels_first
from benchbench.values.preprocessing import Preprocessing

MOST_SAMPLES = 500  # more do not change the ranges, only the time
IMAGES = {".png", ".jpg", ".jpeg", ".bmp", ".webp"}
DTYPES = {"float32": np.float32, "float16": np.float16, "int32": np.int32, "int64": np.int64, "bool": np.bool_}

Array = NDArray[Any]
Feeding = Callable[[], Iterable[Any]]  # yields an array per sample, or a dict of arrays by input name


@dataclass(frozen=True)
class Calibration:
    """Samples for each input by its name, stacked: [samples, *input shape]."""

    arrays: dict[str, Array]
    source: str  # the name of the file, folder or function

    @property
    def samples(self) -> int:
        return len(next(iter(self.arrays.values())))

    @property
    def sha256(self) -> str:
        """Of the data that was fed, whatever file it came from."""
        digest = hashlib.sha256()
        for name, array in sorted(self.arrays.items()):
            digest.update(f"{name}{array.dtype}{array.shape}".encode() + np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()


@dataclass(frozen=True)
class Pixels:
    """How pixels 0…255 become inputs: (pixel · scale − mean) / std, mean and std for all channels or for each.

    `floats`: numbers of every type do, as in a dataset that is described so; else floats are fed as they are.
    """

    mean: float | tuple[float, ...] = 0.0
    std: float | tuple[float, ...] = 1.0
    scale: float = 1.0
    floats: bool = False

    def __post_init__(self) -> None:
        if not (np.isfinite(self.mean).all() and np.isfinite(self.std).all() and np.greater(self.std, 0).all()):
            raise InputError(f"pixels cannot become (pixel - {self.mean}) / {self.std}", remedy="--std is above 0")

    @classmethod
    def described(cls, how: Preprocessing) -> Pixels:
        """As the samples of a dataset are, for which a TOML file says it."""
        mean, std = (values[0] if len(values) == 1 else values for values in (how.mean, how.std))
        return cls(mean, std, how.scale, floats=True)

    def normalized(self, array: Array) -> Array:
        """The array as it is fed. Raises InputError where there is no mean or std for each of its channels."""
        if array.dtype != np.uint8 and not self.floats:
            return array
        channels = {np.size(self.mean), np.size(self.std)} - {1}
        if channels and channels != {array.shape[-1]}:
            said = " and ".join(map(str, sorted(channels)))
            raise InputError(f"mean and std are for {said} channels, the data has {array.shape[-1]}")
        mean, std = np.asarray(self.mean, np.float32), np.asarray(self.std, np.float32)
        return np.asarray((array.astype(np.float32) * np.float32(self.scale) - mean) / std, np.float32)


RAW_PIXELS = Pixels()


def load(source: str | Path | Feeding, inputs: Mapping[str, TensorInfo], pixels: Pixels = RAW_PIXELS) -> Calibration:
    """Read representative data for the inputs of a model (name -> input).

    Raises InputError naming the source for data that is missing, empty, of another shape, or not finite.
    """
    name, columns = _columns(source, inputs)
    fitted = {key: _fitted(f"{name}: {key}", pixels.normalized(columns[key]), inputs[key]) for key in inputs}
    if len({len(array) for array in fitted.values()}) > 1:
        raise InputError(f"{name}: the inputs have different numbers of samples")
    return Calibration(fitted, Path(name).name)


def _columns(source: str | Path | Feeding, inputs: Mapping[str, TensorInfo]) -> tuple[str, dict[str, Array]]:
    """What the data is called, and its array for each input."""
    if callable(source):
        name = getattr(source, "__qualname__", type(source).__name__)
        return name, _function(name, source, inputs)
    name, path = str(source), Path(source)
    if path.is_dir():
        return name, _folder(path, inputs)
    if path.is_file():
        return name, _npz(path, inputs)
    if ":" in name:
        return name, _function(name, partial(_called, name), inputs)
    raise InputError(f"representative data {name} does not exist", remedy="give an .npz, a folder, or module:function")


def _npz(path: Path, inputs: Mapping[str, TensorInfo]) -> dict[str, Array]:
    if not zipfile.is_zipfile(path):
        raise InputError(f"{path} is no .npz, or only a part of one", remedy="numpy.savez writes them")
    try:
        # opened here, because numpy leaves a damaged file open
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            arrays = {key: archive[key] for key in archive.files}
    except MemoryError:  # of this host, not of the file
        raise
    except Exception as error:  # zipfile, zlib and numpy each have their own for a damaged file
        raise InputError(f"{path} is no .npz with arrays: {error}") from error
    if len(inputs) == 1 and not set(inputs) <= set(arrays):
        only = arrays.get("x") if "x" in arrays else next(iter(arrays.values())) if len(arrays) == 1 else None
        arrays = {} if only is None else {next(iter(inputs)): only}
    if missing := sorted(set(inputs) - set(arrays)):
        remedy = f"name its arrays after the inputs: {', '.join(inputs)}"
        raise InputError(f"{path} has no array for the input {missing[0]}", remedy=remedy)
    return arrays


def _folder(folder: Path, inputs: Mapping[str, TensorInfo]) -> dict[str, Array]:
    if len(inputs) > 1:
        raise InputError(f"{folder}: a folder can feed one input only", remedy="give an .npz with an array per input")
    name, tensor = next(iter(inputs.items()))
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    arrays = [file for file in files if file.suffix == ".npy"]
    images = [file for file in files if file.suffix.lower() in IMAGES]
    if not arrays and not images:
        raise InputError(f"{folder} is empty: no .npy and no image in it", remedy="give a folder of samples")
    read: Callable[[Path, TensorInfo], Array] = _npy if arrays else _image
    return {name: _stacked(str(folder), [read(file, tensor) for file in _spread(arrays or images)])}


def _spread(files: list[Path]) -> list[Path]:
    """At most so many, taken evenly: the first of a sorted folder may all be of one class."""
    step = max(1, -(-len(files) // MOST_SAMPLES))
    return files[::step]


def _npy(file: Path, tensor: TensorInfo) -> Array:
    try:
        with file.open("rb") as stream:
            array = np.lib.format.read_array(stream, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise InputError(f"{file} is no .npy file of numbers: {error}") from error
    return _sample(str(file), array, tensor)


def _image(file: Path, tensor: TensorInfo) -> Array:
    """The image at the size of the input, as [1, height, width, channels], uint8."""
    from PIL import Image, UnidentifiedImageError

    shape = _channels_last(tensor.shape) if has_channels_first(tensor.shape) else tensor.shape
    if len(shape) != 4 or shape[3] not in (1, 3):
        raise InputError(f"{file}: images cannot feed the input {tensor.name} of shape {list(tensor.shape)}")
    _, height, width, channels = shape
    try:
        with Image.open(file) as image:
            pixels = image.convert("RGB" if channels == 3 else "L").resize((width, height), Image.Resampling.BILINEAR)
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise InputError(f"{file} is no image that can be read: {error}") from error
    return np.asarray(pixels, np.uint8).reshape(1, height, width, channels)


def _called(name: str) -> Any:
    module, _, attribute = name.partition(":")
    return getattr(importlib.import_module(module), attribute)()


def _function(source: str, feed: Feeding, inputs: Mapping[str, TensorInfo]) -> dict[str, Array]:
    """Call the user's own function."""
    here = str(Path.cwd())
    sys.path.insert(0, here)
    try:
        samples = list(feed())
    except MemoryError:  # of this host, not of the file
        raise
    except Exception as error:  # whatever the user's own code raises is the user's to read
        raise InputError(f"{source} failed: {type(error).__name__}: {error}") from error
    finally:
        sys.path.remove(here)
    if not samples:
        raise InputError(f"{source} is empty: it yields no sample")
    rows = [sample if isinstance(sample, Mapping) else {next(iter(inputs)): sample} for sample in samples]
    if missing := sorted(name for name in inputs if any(name not in row for row in rows)):
        raise InputError(f"{source} yields nothing for the input {missing[0]}")
    return {
        name: _stacked(source, [_sample(source, row[name], tensor) for row in rows]) for name, tensor in inputs.items()
    }


def _turned(array: Array, tensor: TensorInfo) -> Array:
    """Images with channels last as a model with channels first (NCHW) takes them; others as they are."""
    if not has_channels_first(tensor.shape) or array.ndim != 4:
        return array
    wanted = _channels_last(tensor.signature)[1:]
    fits = all(w in (-1, n) for w, n in zip(wanted, array.shape[1:], strict=True))
    return array.transpose(0, 3, 1, 2) if fits else array


def _channels_last(shape: tuple[int, ...]) -> tuple[int, ...]:
    return (shape[0], *shape[2:], shape[1])


def _sample(label: str, value: Any, tensor: TensorInfo) -> Array:
    """One sample, or several, as [n, …]."""
    array = np.asarray(value)
    return _fitted(label, array[None] if array.ndim < len(tensor.shape) else array, tensor)


def _stacked(label: str, parts: list[Array]) -> Array:
    if len({part.shape[1:] for part in parts}) > 1:
        raise InputError(f"{label}: the samples differ in shape", remedy="give all of them one size")
    return np.concatenate(parts)


def _fitted(label: str, array: Array, tensor: TensorInfo) -> Array:
    """Samples as [n, *shape without the batch], checked, at most MOST_SAMPLES."""
    array, wanted = _turned(array, tensor), tensor.signature[1:]
    if array.ndim != len(tensor.shape) or any(w not in (-1, n) for w, n in zip(wanted, array.shape[1:], strict=True)):
        shape = ", ".join("any" if n == -1 else str(n) for n in wanted)
        raise InputError(
            f"{label}: samples of shape {list(array.shape[1:])} do not fit the input {tensor.name}",
            remedy=f"it wants [n, {shape}]",
        )
    if array.size == 0:
        raise InputError(f"{label} is empty", remedy="a hundred samples are enough")
    if array.dtype == object or array.dtype.kind not in "fiub":
        raise InputError(f"{label} holds {array.dtype}, not numbers")
    array = array[:: max(1, -(-len(array) // MOST_SAMPLES))]
    if not np.isfinite(array).all():
        bad = int(np.flatnonzero(~np.isfinite(array.reshape(len(array), -1)).all(1))[0])
        raise InputError(f"{label}: sample {bad} holds NaN or infinity", remedy="leave such samples out")
    return array if array.dtype == np.uint8 else array.astype(DTYPES.get(tensor.dtype, np.float32))
