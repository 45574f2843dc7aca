"""matrix.toml: which models, delegates, threads and devices, and how to measure; as a checked value."""

from __future__ import annotations

import glob
import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, field_validator, model_validator

from benchbench.config.rules import BudgetRule, SkipRule
from benchbench.config.toml_files import parsed, read_toml, validated
from benchbench.runtimes import Delegate
from benchbench.values.backend import Cache
from benchbench.values.case import InputSpec, MeasurementSettings, Signature, Variant
from benchbench.values.device import Frozen, ToolChoice
from benchbench.values.errors import InputError

if TYPE_CHECKING:
    from benchbench.values.model import ModelInfo

NATIVE_SAMPLES = 32
RANDOM = "random"  # instead of a dataset's path: seeded inputs, to compare outputs with the reference
Threads = Annotated[int, Field(ge=1, le=1024)]


class ModelEntry(Frozen):
    """One model family: the files of its variants, and labelled inputs for accuracy."""

    family: str = Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$", max_length=80, description="The model's name, as case ids have it."
    )
    variants: str | tuple[str, ...] | dict[str, str] = Field(
        description="Its files: a path or glob from the matrix's folder, a list of them, or a table of name = path. "
        "The scheme is read from each file."
    )
    dataset: str | None = Field(
        default=None,
        description="Samples to take outputs for on each device: an .npz or a folder, from the matrix's folder. Labels "
        'give accuracy; "random" makes inputs that only compare outputs with those of the reference.',
        examples=[RANDOM],
    )
    signature: str | None = Field(
        default=None,
        min_length=1,
        description="The entry point to measure, of models with several.",
        examples=["serving_default"],
    )
    inputs: tuple[InputSpec, ...] = Field(
        default=(),
        description="For models with open shapes: each input, in order, as { shape = […], range = […] }.",
        examples=[[{"shape": [1, 224, 224, 3], "range": [0, 255]}]],
    )
    samples: int | None = Field(
        default=None, ge=1, description="So many of the dataset, from its beginning. [all]", examples=[200]
    )
    native_samples: int = Field(
        default=NATIVE_SAMPLES, ge=1, description="At most so many through benchmark_model: each may take a launch."
    )

    @field_validator("variants")
    @classmethod
    def _harmless_names(cls, value: Any) -> Any:
        for name in value if isinstance(value, dict) else ():
            if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}", name):
                raise ValueError(f"{name!r} is no name of letters, digits, '.', '_' and '-'")
        return value

    @model_validator(mode="after")
    def _samples_of_something(self) -> ModelEntry:
        if self.dataset is None and (self.samples is not None or "native_samples" in self.model_fields_set):
            raise ValueError("samples are of a dataset, and none is named")
        return self


class MatrixFile(Frozen):
    """What a matrix.toml may say."""

    name: str = Field(min_length=1, max_length=200, description="What the run is called, in folders and reports.")
    devices: tuple[str, ...] | None = Field(
        default=None,
        description='Names or globs of devices: of files in devices/, of phones, or "host". [all that answer]',
        examples=[["host"]],
    )
    threads: tuple[Threads, ...] = Field(
        default=(1,), min_length=1, description="Each case is measured with each number of threads."
    )
    affinity: tuple[str, ...] = Field(
        default=(),
        description='Each case is pinned to each of these cores: "big", "little", "all", or a hex mask such as "f0".',
        examples=[["big", "little"]],
    )
    delegates: tuple[Delegate, ...] = Field(
        min_length=1,
        description='What executes the graph: a kind, or a table with options: { kind = "gpu", precision = "fp32" }.',
    )
    cache: tuple[Cache, ...] = Field(
        default=(),
        description="Each delegate that can keep what it compiles, and does not say itself whether, is measured with "
        'each of these: "off", "cold", "warm".',
        examples=[["cold", "warm"]],
    )
    model: tuple[ModelEntry, ...] = Field(min_length=1, description="One table for each model family.")
    measure: MeasurementSettings = Field(default=MeasurementSettings(), description="How each trial is measured.")
    skip: tuple[SkipRule, ...] = Field(default=(), description="Cells to leave out, one table for each rule.")
    budget: tuple[BudgetRule, ...] = Field(
        default=(), description="What cases may cost, one table for each rule: exit code 1 where one costs more."
    )
    tool: ToolChoice = Field(default=ToolChoice(), description="Which benchmark_model devices without a binary use.")

    @field_validator("affinity")
    @classmethod
    def _affinity(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for item in value:
            if item not in {"big", "little", "all"} and not _is_hex(item):
                raise ValueError(f'{item!r} is neither "big", "little", "all" nor a hex mask such as "f0"')
        return value

    @model_validator(mode="after")
    def _no_duplicates(self) -> MatrixFile:
        repeated = {
            "threads": _repeated(str(n) for n in self.threads),
            "affinity": _repeated(self.affinity),
            "cache": _repeated(self.cache),
            "delegates": _repeated(delegate.label for delegate in self.cached),
            "model": _repeated(entry.family for entry in self.model),
        }
        for key, names in repeated.items():
            if names:
                raise ValueError(f"duplicate case: {key} has {names[0]!r} twice")
        return self

    @property
    def cached(self) -> tuple[Delegate, ...]:
        """The delegates, each with every cache that it can have."""
        found: list[Delegate] = []
        for delegate in self.delegates:
            own = [with_it for cache in self.cache if (with_it := delegate.with_cache(cache)) is not None]
            found += own or [delegate]
        return tuple(found)


def _is_hex(text: str) -> bool:
    return 0 < len(text) <= 64 and all(c in "0123456789abcdef" for c in text) and int(text, 16) > 0


def _repeated(names: Any) -> list[str]:
    seen: set[str] = set()
    return [name for name in names if name in seen or seen.add(name)]  # type: ignore[func-returns-value]  # add() is the point


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
    return _matrix(read_toml(Path(path)), Path(path))


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
    from benchbench.runtimes.models import variants  # reads flatbuffers: slow to import

    if isinstance(entry.variants, dict):
        files, names = [_one_file(path, entry, *named) for named in entry.variants.items()], tuple(entry.variants)
    else:
        patterns = (entry.variants,) if isinstance(entry.variants, str) else entry.variants
        files, names = list(dict.fromkeys(file for p in patterns for file in _files(path, entry, p))), None
    try:
        found = variants(entry.family, files, names)
    except InputError as error:
        raise InputError(f"{path}: model {entry.family}: variants: {error.message}", remedy=error.remedy) from error
    return tuple(_fed(path, entry, variant) for variant in found)


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
            remedy=f"paths are relative to {path.parent}",
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
    return variant.model_copy(update={"inputs": tuple(described), "open_inputs": ()})


def _entered(path: Path, entry: ModelEntry, info: ModelInfo, variant: Variant) -> tuple[ModelInfo, Variant]:
    """A file and its variant by the signature that the matrix chooses. Raises InputError where it has no such one."""
    try:
        info = info.entered_by(str(entry.signature))
    except InputError as error:
        raise InputError(f"{path}: model {entry.family}: signature: {error.message}", remedy=error.remedy) from error
    names = {"inputs": tuple(t.name for t in info.inputs), "outputs": tuple(t.name for t in info.outputs)}
    found = {"nodes": info.nodes, "open_inputs": tuple(tensor.name for tensor in info.inputs if tensor.open)}
    return info, variant.model_copy(update=found | {"signature": Signature(key=str(entry.signature), **names)})


def _ids(info: ModelInfo) -> tuple[InputSpec, ...]:
    """All inputs of a model, those that index a table bounded by its length; none where no input does."""
    if not any(info.tables) or not all(tensor.shape and min(tensor.shape) > 0 for tensor in info.inputs):
        return ()
    pairs = zip(info.inputs, info.tables, strict=True)
    return tuple(InputSpec(shape=t.shape, range=(0, length - 1) if length else None) for t, length in pairs)
