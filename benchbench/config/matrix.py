"""A matrix.toml as a checked value: its models inspected, its paths resolved."""

from __future__ import annotations

import glob
import shlex
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchbench.config.matrix_file import RANDOM, MatrixFile, ModelEntry
from benchbench.config.rules import BudgetRule, SkipRule
from benchbench.config.toml_files import parsed, read_toml, validated
from benchbench.runtimes import SUFFIXES, Delegate
from benchbench.values.case import InputSpec, Signature, Variant
from benchbench.values.device import ToolChoice
from benchbench.values.errors import InputError
from benchbench.values.measurement_settings import MeasurementSettings

if TYPE_CHECKING:
    from benchbench.values.model import ModelInfo


@dataclass(frozen=True, slots=True)
class Matrix:
    """A loaded matrix: paths resolved, every model file inspected."""

    name: str
    source: str
    devices: tuple[str, ...] | None
    threads: tuple[int, ...]
    affinity: tuple[str, ...]
    delegates: tuple[Delegate, ...]
    variants: tuple[Variant, ...]
    entries: tuple[ModelEntry, ...]
    datasets: dict[str, str]  # family -> path of the inputs to take outputs for, or "random"
    samples: dict[str, int]  # family -> how many of them, where not all
    measure: MeasurementSettings
    skips: tuple[SkipRule, ...]
    tool: ToolChoice
    native_samples: dict[str, int] = field(default_factory=dict)  # family -> at most, through benchmark_model
    budget: tuple[BudgetRule, ...] = ()
    text: str | None = None  # its TOML, where it is in no file of the user's and so is kept in the run folder
    unfed: frozenset[str] = frozenset()  # variants of these ids cannot be fed with the dataset of their family


def load_matrix(path: str | Path) -> Matrix:
    """matrix.toml as a Matrix; raises InputError naming the file and the key for anything that is wrong with it."""
    file = Path(path)
    if file.suffix.lower() in SUFFIXES:
        raise InputError(f"{file}: is a model, no matrix", remedy=f"benchbench run {shlex.quote(str(file))}")
    if not file.exists():
        raise InputError(f"{file}: no such file", remedy="benchbench init writes a matrix for what is there")
    return _matrix(read_toml(file), file)


def matrix_of(text: str, source: str) -> Matrix:
    """The Matrix of a TOML text that is in no file; complaints name `source`, paths are from the current folder."""
    return replace(_matrix(parsed(text, Path(source)), Path(source)), text=text)


def _matrix(tables: dict[str, Any], path: Path) -> Matrix:
    file = validated(MatrixFile, _words_as_tables(tables), path)
    variants = tuple(variant for entry in file.model for variant in _variants(path, entry))
    datasets = {}
    for entry in file.model:
        if entry.dataset is not None:
            dataset = path.parent / entry.dataset
            if entry.dataset != RANDOM and not dataset.exists():
                remedy = f'a path relative to the matrix, or "{RANDOM}" for inputs without labels'
                raise InputError(f"{path}: model {entry.family}: dataset: no such file: {dataset}", remedy=remedy)
            datasets[entry.family] = RANDOM if entry.dataset == RANDOM else str(dataset.resolve())
    return Matrix(
        name=file.name,
        source=str(path),
        devices=file.devices,
        threads=file.threads,
        affinity=file.affinity,
        delegates=file.cached,
        variants=variants,
        entries=file.model,
        datasets=datasets,
        samples={entry.family: entry.samples for entry in file.model if entry.samples is not None},
        measure=file.measure,
        skips=file.skip,
        budget=file.budget,
        tool=file.tool,
        native_samples={entry.family: entry.native_samples for entry in file.model if entry.dataset is not None},
    )


def _words_as_tables(data: dict[str, Any]) -> dict[str, Any]:
    """A delegate may be written as its kind alone."""
    delegates = data.get("delegates")
    if not isinstance(delegates, list):
        return data
    return data | {"delegates": [{"kind": item} if isinstance(item, str) else item for item in delegates]}


def _variants(path: Path, entry: ModelEntry) -> tuple[Variant, ...]:
    from benchbench.runtimes.fed_shapes import told_apart  # these read flatbuffers: slow to import
    from benchbench.runtimes.models import variants

    if isinstance(entry.variants, dict):
        files, names = [_one_file(path, entry, *named) for named in entry.variants.items()], tuple(entry.variants)
    else:
        patterns = (entry.variants,) if isinstance(entry.variants, str) else entry.variants
        files, names = list(dict.fromkeys(file for p in patterns for file in _files(path, entry, p))), None
    try:
        found = variants(entry.family, files, names)
    except InputError as error:
        raise InputError(f"{path}: model {entry.family}: variants: {error.message}", remedy=error.remedy) from error
    return told_apart([_fed(path, entry, variant) for variant in found])


def _files(path: Path, entry: ModelEntry, pattern: str) -> list[Path]:
    """The files that a path or glob fits; raises InputError where there is none."""
    if pattern.count("**") > 1:  # each more of them multiplies the work by the depth of the folders
        raise InputError(
            f"{path}: model {entry.family}: variants: {pattern[:80]!r} has ** more than once",
            remedy="one finds as much",
        )
    matches = glob.glob(pattern, root_dir=path.parent, recursive=True)  # noqa: PTH207 - absolute patterns too
    found = sorted(file for match in matches if (file := path.parent.absolute() / match).is_file())
    if not found:
        raise InputError(
            f"{path}: model {entry.family}: variants: no file fits {pattern!r}",
            remedy=f"it is a folder: write {pattern.rstrip('/')}/*.tflite"
            if (path.parent / pattern).is_dir()
            else f"paths are relative to {path.parent}",
        )
    return found


def _one_file(path: Path, entry: ModelEntry, name: str, pattern: str) -> Path:
    found = _files(path, entry, pattern)
    if len(found) > 1:
        raise InputError(
            f"{path}: model {entry.family}: variants: {name}: {len(found)} files fit {pattern!r}",
            remedy="a name is that of one file",
        )
    return found[0]


def _fed(path: Path, entry: ModelEntry, variant: Variant) -> Variant:
    """The variant with what the matrix says of its inputs, or else what its file says of ids among them.

    Raises InputError where the matrix describes not as many as it has.
    """
    from benchbench.runtimes.models import inspect

    info = inspect(variant.path)
    if entry.signature is not None:
        info, variant = _entered(path, entry, info, variant)
    if not entry.inputs:
        return variant.model_copy(update={"inputs": _ids(info)})
    if len(info.inputs) != len(entry.inputs):
        raise InputError(
            f"{path}: model {entry.family}: inputs: {Path(variant.path).name} has {len(info.inputs)}, "
            f"the matrix describes {len(entry.inputs)}",
            remedy="describe all of them, in order",
        )
    bounds = [length and (0, length - 1) for length in info.tables]
    described = [
        spec if spec.range is not None else spec.model_copy(update={"range": bound})
        for spec, bound in zip(entry.inputs, bounds, strict=True)
    ]
    fed = tuple(spec.shape for spec in described)
    return variant.model_copy(update={"inputs": tuple(described), "fed": fed, "open_inputs": ()})


def _entered(path: Path, entry: ModelEntry, info: ModelInfo, variant: Variant) -> tuple[ModelInfo, Variant]:
    """A file and its variant by the signature that the matrix chooses. Raises InputError where it has no such one."""
    try:
        info = info.entered_by(str(entry.signature))
    except InputError as error:
        raise InputError(f"{path}: model {entry.family}: signature: {error.message}", remedy=error.remedy) from error
    names = {"inputs": tuple(t.name for t in info.inputs), "outputs": tuple(t.name for t in info.outputs)}
    found = {
        "nodes": info.nodes,
        "fed": info.shapes,
        "open_inputs": tuple(tensor.name for tensor in info.inputs if tensor.open),
    }
    return info, variant.model_copy(update=found | {"signature": Signature(key=str(entry.signature), **names)})


def _ids(info: ModelInfo) -> tuple[InputSpec, ...]:
    """All inputs of a model, those that index a table bounded by its length; none where no input does."""
    if not any(info.tables) or not all(tensor.shape and min(tensor.shape) > 0 for tensor in info.inputs):
        return ()
    pairs = zip(info.inputs, info.tables, strict=True)
    return tuple(InputSpec(shape=t.shape, range=(0, length - 1) if length else None) for t, length in pairs)
