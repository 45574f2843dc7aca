"""Datasets: samples with or without labels, checked against the model they are for, read when they are needed."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchbench.accuracy.detection import Boxes
from benchbench.accuracy.images import SUFFIXES, Decoder, listed, sizes
from benchbench.accuracy.samples import ChannelsLast, Files, Head, Samples, Stored
from benchbench.accuracy.tensors import Array, Tensor, channels_first, sample_shape
from benchbench.config.toml_files import read_toml, validated
from benchbench.values.atomic import atomic
from benchbench.values.doubt import Doubt
from benchbench.values.errors import InputError
from benchbench.values.preprocessing import Preprocessing

LABELS = ("y", "labels")
TRUTH = ("boxes", "box_image", "box_class")
CHECKED_AT_ONCE_BYTES = 32 * 2**20
SIZES_SEEN = 32  # images


@dataclass(frozen=True, slots=True)
class Dataset:
    """Samples for a model's inputs, in their order, and what is right; `preprocessing` None = as they are."""

    name: str
    inputs: tuple[Samples, ...]
    labels: NDArray[np.int64] | None
    preprocessing: Preprocessing | None
    sha256: str  # of the npz; of a folder, over its files' names and digests
    truth: Boxes | None = None  # boxes to be found
    whole: bool = False  # a sample is one whole set of inputs: the model has no axis of samples
    described_in: str = "dataset.toml"  # where its preprocessing stands, or would
    resized: tuple[int, int] | None = None  # width and height of an image that is not of the input's size, by chance
    doubts: tuple[Doubt, ...] = ()

    @property
    def n(self) -> int:
        return len(self.inputs[0])

    def first(self, count: int | None) -> Dataset:
        """The first `count` samples; None = all."""
        if count is None or count >= self.n:
            return self
        kept = tuple(Head(samples, count) for samples in self.inputs)
        labels = None if self.labels is None else self.labels[:count]
        return replace(self, inputs=kept, labels=labels, truth=self.truth and self.truth.of_first(count))

    def save(self, path: Path, start: int = 0, stop: int | None = None) -> None:
        """The samples start:stop as an .npz with one array an input, in order: what the script on a device reads.

        The file appears whole or not at all.
        """
        arrays = {f"x{index}": samples[start:stop] for index, samples in enumerate(self.inputs)}
        with atomic(path) as file:
            np.savez(file, allow_pickle=False, **arrays)


def load(path: Path, inputs: Sequence[Tensor], *, classes: int | None = None, whole: bool = False) -> Dataset:
    """The dataset at `path`, fitting a model with such inputs and so many classes; `whole` as `Dataset` has it.

    An .npz holds one array an input by its name or else in order, and what is right: `y` (or `labels`) [n], or `boxes`
    [m, 4] as (ymin, xmin, ymax, xmax) in shares of the image with `box_image` [m] and `box_class` [m]. A folder holds
    one .npy a sample, or images (see images.listed). Preprocessing stands in `NAME.toml` beside an .npz, in
    `dataset.toml` of a folder. Raises InputError with one line: nothing there, no samples, another shape, labels out
    of range, NaN.
    """
    if path.is_dir():
        loaded = replace(_folder(path, inputs, whole), whole=whole)
    elif path.suffix == ".npz" and path.is_file():
        loaded = replace(_npz(path, inputs), whole=whole)
    else:
        raise InputError(f"{path}: no dataset: neither an .npz nor a folder")
    if not loaded.n:
        raise InputError(f"{path}: the dataset is empty")
    loaded = _channels_last(loaded, inputs)
    _check_inputs(path, loaded, inputs)
    if loaded.truth is not None and not loaded.truth.within(loaded.n):
        raise InputError(f"{path}: box_image numbers the samples from 0 to {loaded.n - 1}, and boxes hold no NaN")
    return _with_checked_labels(path, loaded, classes)


def seeded(
    inputs: Sequence[Tensor],
    n: int,
    seed: int,
    ranges: Sequence[tuple[float, float] | None] | None = None,
    *,
    whole: bool = False,
) -> Dataset:
    """Uniform random real values for comparing outputs where there is no data: in the given range, else all that a
    quantized input can say, [-0.5, 0.5) for a float input (as benchmark_model feeds it), 0…99 for other integers, both
    for a bool. The inputs hold plain numbers (see tensors.not_a_number).
    """
    rng = np.random.default_rng(seed)
    arrays: list[Samples] = []
    for tensor, limits in zip(inputs, ranges or [None] * len(inputs), strict=True):
        shape, dtype = (n, *sample_shape(tensor, whole=whole)), np.dtype(tensor.dtype)
        if limits is not None and (dtype.kind == "f" or tensor.scale):
            arrays.append(Stored(rng.uniform(*limits, shape).astype(np.float32)))
        elif limits is not None:
            arrays.append(Stored(rng.integers(int(limits[0]), int(limits[1]) + 1, shape).astype(dtype)))
        elif dtype.kind in "iu" and tensor.scale:
            low, high = ((limit - (tensor.zero_point or 0)) * tensor.scale for limit in _limits(dtype))
            arrays.append(Stored(rng.uniform(low, high, shape).astype(np.float32)))
        elif dtype.kind in "iu":
            arrays.append(Stored(rng.integers(0, 100, shape).astype(dtype)))
        elif dtype.kind == "b":
            arrays.append(Stored(rng.integers(0, 2, shape).astype(dtype)))
        else:
            arrays.append(Stored(rng.uniform(-0.5, 0.5, shape).astype(dtype)))
    digest = hashlib.sha256(f"seed {seed} {n}".encode()).hexdigest()
    return Dataset(f"seed {seed}", tuple(arrays), None, None, digest, whole=whole)


def _limits(dtype: np.dtype[np.generic]) -> tuple[int, int]:
    kind = np.iinfo(np.dtype(dtype.name))
    return int(kind.min), int(kind.max)


def _npz(path: Path, inputs: Sequence[Tensor]) -> Dataset:
    if not zipfile.is_zipfile(path):  # numpy would take it for a pickle, and advise to load that
        raise InputError(f"{path}: cannot be read as an .npz of plain arrays: it is no zip file")
    try:
        # opened here, because numpy leaves a damaged file open
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except MemoryError:  # of this host, not of the file
        raise
    except Exception as error:  # zipfile, zlib and numpy each have their own for a damaged file
        raise InputError(f"{path}: cannot be read as an .npz of plain arrays: {error}") from error
    labels = next((arrays.pop(name) for name in LABELS if name in arrays), None)
    truth = _truth(path, {name: arrays.pop(name) for name in TRUTH if name in arrays})
    names = [tensor.name for tensor in inputs]
    order = names if set(names) == set(arrays) else list(arrays)
    if not order or any(arrays[name].ndim == 0 for name in order):
        raise InputError(f"{path}: holds no samples", remedy="store them as x, samples first, and labels as y")
    samples = tuple(Stored(arrays[name]) for name in order)
    how = _preprocessing(path.with_suffix(".toml"))
    digest = _digest([path], path.parent)
    return Dataset(path.stem, samples, labels, how, digest, truth, described_in=path.with_suffix(".toml").name)


def _truth(path: Path, arrays: dict[str, Array]) -> Boxes | None:
    if not arrays:
        return None
    m = arrays["box_class"].size if "box_class" in arrays else 0
    if {name: array.shape for name, array in arrays.items()} != {"boxes": (m, 4), "box_image": (m,), "box_class": (m,)}:
        raise InputError(f"{path}: boxes to be found are boxes [m, 4], box_image [m] and box_class [m]")
    return Boxes(
        arrays["boxes"].astype(np.float64), arrays["box_image"].astype(np.int64), arrays["box_class"].astype(np.int64)
    )


def _folder(path: Path, inputs: Sequence[Tensor], whole: bool) -> Dataset:
    how = _preprocessing(path / "dataset.toml")
    if len(inputs) != 1:
        raise InputError(f"{path}: a folder feeds one input, the model has {len(inputs)}", remedy="give an .npz")
    arrays = tuple(sorted(path.glob("*.npy")))
    if arrays:
        shape = _npy(arrays[0]).shape
        return Dataset(path.name, (Files(arrays, shape, _npy),), None, how, _digest(arrays, path))
    paths, labels = listed(path)
    if not paths:
        raise InputError(
            f"{path}: the dataset is empty", remedy=f"no .npy and no image ({', '.join(sorted(SUFFIXES))})"
        )
    wanted = sample_shape(inputs[0], whole=whole)
    if len(wanted) != 3 or wanted[2] not in {1, 3}:
        raise InputError(f"{path}: images fit an input [1, height, width, 1 or 3], the model's is {_text(inputs[0])}")
    height, width = how.size if how is not None and how.size is not None else wanted[:2]
    decode = Decoder(height, width, wanted[2], how is not None and how.crop)
    samples = Files(paths, (height, width, wanted[2]), decode)
    told = how is not None and (how.size is not None or how.crop)
    resized = None if told else next((size for size in sizes(paths[:SIZES_SEEN]) if size != (width, height)), None)
    return Dataset(path.name, (samples,), labels, how, _digest(paths, path), resized=resized)


def _npy(path: Path) -> Array:
    try:
        with path.open("rb") as file:
            array = np.load(file, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise InputError(f"{path}: cannot be read as a plain array: {error}") from error
    if not isinstance(array, np.ndarray):
        raise InputError(f"{path}: an .npz under the name of an .npy")
    return array


def described(path: Path) -> Preprocessing | None:
    """What the TOML file beside a dataset says that its samples go through, if there is one. Raises InputError."""
    if not path.exists():
        return None
    return _preprocessing(path / "dataset.toml" if path.is_dir() else path.with_suffix(".toml"))


def _preprocessing(path: Path) -> Preprocessing | None:
    return validated(Preprocessing, read_toml(path), path) if path.is_file() else None


def _channels_last(dataset: Dataset, inputs: Sequence[Tensor]) -> Dataset:
    """With images that are stored as a model with channels first takes them in the layout that samples have."""
    first = channels_first([tensor.shape for tensor in inputs])
    turned = list(dataset.inputs)
    for k in first:
        if k < len(turned) and turned[k].shape == tuple(inputs[k].shape)[0 if dataset.whole else 1 :]:
            turned[k] = ChannelsLast(turned[k])
    return replace(dataset, inputs=tuple(turned))


def _check_inputs(path: Path, dataset: Dataset, inputs: Sequence[Tensor]) -> None:
    if len(dataset.inputs) != len(inputs):
        raise InputError(f"{path}: holds {len(dataset.inputs)} inputs, the model takes {len(inputs)}")
    for samples, tensor in zip(dataset.inputs, inputs, strict=True):
        if len(samples) != dataset.n:
            raise InputError(f"{path}: {dataset.n} samples of one input, but {len(samples)} for {tensor.name!r}")
        if samples.shape != sample_shape(tensor, whole=dataset.whole):
            got = ["n", *samples.shape]
            per_sample = " for each sample" if dataset.whole else ""
            raise InputError(
                f"{path}: input {tensor.name!r} wants {_text(tensor)}{per_sample}, the samples are {_list(got)}"
            )
        step = max(1, CHECKED_AT_ONCE_BYTES // max(1, samples[:1].nbytes))
        for low in range(0, len(samples), step):
            _check_numbers(path, samples[low : low + step], low, samples.shape)


def _check_numbers(path: Path, batch: Array, low: int, shape: tuple[int, ...]) -> None:
    if batch.shape[1:] != shape or batch.dtype.kind not in "fiub":
        raise InputError(f"{path}: the samples from {low} on are not numbers of one shape {_list(shape)}")
    if batch.dtype.kind == "f":
        bad = ~np.isfinite(batch).reshape(len(batch), -1).all(axis=1)
        if bad.any():
            raise InputError(f"{path}: sample {low + int(np.argmax(bad))} holds NaN or infinity")


def _with_checked_labels(path: Path, dataset: Dataset, classes: int | None) -> Dataset:
    if dataset.labels is None:
        return dataset
    labels = np.asarray(dataset.labels)
    if labels.shape != (dataset.n,) or labels.dtype.kind not in "iu":
        shape = f"{labels.dtype} {_list(labels.shape)}"
        raise InputError(f"{path}: labels are whole numbers, one a sample ({dataset.n}); these are {shape}")
    labels = labels.astype(np.int64) + (dataset.preprocessing.label_offset if dataset.preprocessing else 0)
    low, high = int(labels.min()), int(labels.max())
    if low < 0 or (classes is not None and high >= classes):
        known = f"0…{classes - 1}" if classes is not None else "0 and above"
        raise InputError(
            f"{path}: labels run from {low} to {high}, the model's classes are {known}",
            remedy="set label_offset where the model has a background class",
        )
    return replace(dataset, labels=labels)


def _digest(paths: Sequence[Path], folder: Path) -> str:
    """Of one file its own sha256; of several, that of their names and digests."""
    digests = []
    for path in paths:
        with path.open("rb") as file:
            digests.append((path.relative_to(folder).as_posix(), hashlib.file_digest(file, "sha256").hexdigest()))
    if len(digests) == 1:
        return digests[0][1]
    return hashlib.sha256("".join(f"{digest}  {name}\n" for name, digest in digests).encode()).hexdigest()


def _text(tensor: Tensor) -> str:
    return f"{tensor.dtype} {_list(tensor.shape)}"


def _list(shape: Sequence[object]) -> str:
    return f"[{', '.join(str(size) for size in shape)}]"
