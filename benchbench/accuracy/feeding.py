"""What each variant of a family is fed with: samples that fit it, checked before anything is measured."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from benchbench.accuracy.datasets import Dataset, load, seeded
from benchbench.accuracy.plausible import Range, data_doubts
from benchbench.accuracy.tensors import channels_first, not_a_number, sample_shape, samples_at_once
from benchbench.config.matrix import Matrix
from benchbench.config.matrix_file import NATIVE_SAMPLES, RANDOM
from benchbench.device_script.tensors import to_input
from benchbench.runtimes import runtime_of
from benchbench.runtimes.models import info_of
from benchbench.values.case import Variant
from benchbench.values.errors import InputError
from benchbench.values.model import ModelInfo, TensorInfo

RANDOM_SAMPLES = 32


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a matrix asks for one model family: a dataset's path or `RANDOM`, and how many samples of it."""

    family: str
    dataset: str
    samples: int | None
    seed: int
    native_samples: int = NATIVE_SAMPLES  # at most, through benchmark_model


@dataclass(frozen=True, slots=True)
class Fed:
    """The samples of variants by their id, one value for all that take the same; and why others get none."""

    datasets: Mapping[str, Dataset] = field(default_factory=dict)
    unfed: Mapping[str, str] = field(default_factory=dict)
    layouts: Mapping[str, str] = field(default_factory=dict)  # which inputs have channels first, in words

    @property
    def remarks(self) -> tuple[str, ...]:
        """What a person must know of it before anything is measured."""
        doubted = (
            f"{variant.partition('.')[0]}: {doubt.text} ({doubt.remedy})"
            for variant, dataset in self.datasets.items()
            for doubt in dataset.doubts
        )
        return tuple(dict.fromkeys([*self.unfed.values(), *doubted, *self.layouts.values()]))

    def __or__(self, other: Fed) -> Fed:
        return Fed(
            {**self.datasets, **other.datasets}, {**self.unfed, **other.unfed}, {**self.layouts, **other.layouts}
        )


@dataclass(frozen=True, slots=True)
class _Taker:
    """A variant with its inputs in the shapes in which it is run; `whole` as `Dataset` has it."""

    variant: Variant
    info: ModelInfo
    inputs: tuple[TensorInfo, ...]
    whole: bool

    @property
    def form(self) -> tuple[bool, tuple[tuple[int, ...], ...]]:
        """What samples must be like: the same for all that can share them."""
        return self.whole, tuple(sample_shape(tensor, whole=self.whole) for tensor in self.inputs)

    @property
    def row(self) -> str:
        return f"{self.variant.id} ({Path(self.variant.path).name})"


def wanted_of(matrix: Matrix) -> tuple[Wanted, ...]:
    """The inputs that a matrix wants outputs for."""
    seed = matrix.measure.input_seed
    native = matrix.native_samples
    return tuple(
        Wanted(family, path, matrix.samples.get(family), seed, native.get(family, NATIVE_SAMPLES))
        for family, path in matrix.datasets.items()
    )


def fed_by(matrix: Matrix) -> Fed:
    """The samples that the variants of a matrix get; raises InputError as `feed` does."""
    fed = Fed()
    for wanted in wanted_of(matrix):
        fed |= feed(wanted, [variant for variant in matrix.variants if variant.family == wanted.family])
    return fed


def dataset_of(family: str, datasets: Mapping[str, Dataset]) -> Dataset | None:
    """A family's dataset among those of variants: those of several input sizes have the same files, or the same seed.

    None where no variant can be fed.
    """
    return next((found for variant, found in datasets.items() if variant.partition(".")[0] == family), None)


def feed(wanted: Wanted, variants: Sequence[Variant]) -> Fed:
    """The samples for the variants of a family, each kind of input size its own.

    Raises InputError with one line where those of the family's reference cannot be had; a variant of another size that
    the dataset does not fit gets none.
    """
    reference = reference_variant(variants) or variants[0]
    takers = sorted(map(_taker, variants), key=lambda taker: taker.variant.id != reference.id)  # stable
    forms: dict[object, list[_Taker]] = {}
    for taker in takers:
        forms.setdefault(taker.form, []).append(taker)
    fed = Fed()
    for alike in forms.values():
        try:
            fed |= _random(wanted, alike) if wanted.dataset == RANDOM else _stored(wanted, alike)
        except InputError as error:
            if alike is forms[takers[0].form]:
                raise
            fed |= Fed(unfed={taker.variant.id: f"{taker.row}: no outputs are taken: {error}" for taker in alike})
    return fed | Fed(layouts=dict(_layouts(takers)))


def _layouts(takers: Sequence[_Taker]) -> Iterator[tuple[str, str]]:
    for taker in takers:
        first = [taker.inputs[k].name for k in channels_first([tensor.shape for tensor in taker.inputs])]
        if first:
            said = f"takes {', '.join(first)} with channels first (NCHW): samples have channels last, and are turned"
            yield taker.variant.id, f"{taker.variant.id}: {said}"


def input_shapes(variant: Variant) -> list[tuple[int, ...]]:
    """The shapes in which the inputs of a variant are fed: those of the matrix, else of the file."""
    return [spec.shape for spec in variant.inputs] or [tensor.shape for tensor in info_of(variant).inputs]


def reference_variant(variants: Sequence[Variant]) -> Variant | None:
    """What files of one network are compared with: its float32 file, else the finest that this host can run.

    Those of the family's own network come first, and what is derived from it last.
    """
    order = {"float32": 0, "float16": 1}
    runnable = [variant for variant in variants if runtime_of(variant.format).has_references(variant)]

    def rank(variant: Variant) -> tuple[bool, bool, int]:
        kin = variant.kin
        return bool(kin.network), kin.relation != "same", order.get(variant.scheme, len(order))

    return min(runnable, key=rank, default=None)


def _taker(variant: Variant) -> _Taker:
    info = info_of(variant)
    shapes = input_shapes(variant)
    inputs = tuple(t.model_copy(update={"shape": shape}) for t, shape in zip(info.inputs, shapes, strict=True))
    whole = samples_at_once(shapes, [tensor.signature for tensor in info.outputs]) is None
    return _Taker(variant, info, inputs, whole)


def _random(wanted: Wanted, alike: Sequence[_Taker]) -> Fed:
    first = alike[0]
    for tensor in first.inputs:
        if not_a_number(tensor):
            why = (
                f"input {tensor.name!r} is {tensor.dtype}, and seeded inputs cannot be made of that: its outputs are "
                "not compared, its latency is measured all the same (leave `dataset` out of its [[model]])"
            )
            return Fed(unfed={taker.variant.id: f"{taker.row}: {why}" for taker in alike})
    asked = [spec.range for spec in first.variant.inputs] or [None] * len(first.inputs)
    ranges = [own or made_for for own, made_for in zip(asked, _ranges(alike), strict=True)]
    dataset = seeded(first.inputs, wanted.samples or RANDOM_SAMPLES, wanted.seed, ranges, whole=first.whole)
    return Fed({taker.variant.id: dataset for taker in alike})


def _stored(wanted: Wanted, alike: Sequence[_Taker]) -> Fed:
    path, first = Path(wanted.dataset), alike[0]
    dataset = load(path, first.inputs, classes=_classes(first) or None, whole=first.whole).first(wanted.samples)
    dataset = replace(dataset, doubts=tuple(data_doubts(dataset, first.inputs, _ranges(alike))))
    for taker in alike:
        _check_values(path, dataset, taker)
        if dataset.labels is not None and _classes(taker) == 0:
            outputs = ", ".join(f"{tensor.name} {list(tensor.signature)}" for tensor in taker.info.outputs)
            raise InputError(f"{path} has labels, but no output of {taker.row} is a row of class scores: {outputs}")
    return Fed({taker.variant.id: dataset for taker in alike})


def _ranges(alike: Sequence[_Taker]) -> list[Range | None]:
    """The real values that each input was made for, by the first file that tells: mostly a quantized one."""
    columns = zip(*(taker.info.input_ranges for taker in alike), strict=True)
    return [next((known for known in column if known is not None), None) for column in columns]


def _check_values(path: Path, dataset: Dataset, taker: _Taker) -> None:
    """Raises InputError where an input cannot be fed with numbers of the type that the dataset holds."""
    for samples, tensor in zip(dataset.inputs, taker.inputs, strict=True):
        try:
            to_input(samples[:1], tensor, dataset.preprocessing)
        except (ValueError, TypeError) as error:
            raise InputError(f"{path} does not fit {taker.row}: {error}") from error


def _classes(taker: _Taker) -> int | None:
    """How many classes the scores are of; 0 = no output holds scores, None = the file does not say."""
    for tensor in taker.info.outputs:
        values = [size for size in (tensor.signature if taker.whole else tensor.signature[1:]) if size != 1]
        if len(values) <= 1:
            count = values[0] if values else 2  # one value tells two classes apart
            return None if count < 1 else count
    return None if any(-1 in tensor.signature[1:] for tensor in taker.info.outputs) else 0
