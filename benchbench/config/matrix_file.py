"""What a matrix.toml may say, key by key; `matrix.py` makes of it what is run."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import Field, field_validator, model_validator

from benchbench.config.complaints import did_you_mean, meant
from benchbench.config.rules import BudgetRule, SkipRule
from benchbench.runtimes import Delegate
from benchbench.values.backend import Cache
from benchbench.values.case import InputSpec
from benchbench.values.device import Frozen, ToolChoice
from benchbench.values.measurement_settings import MeasurementSettings
from benchbench.values.quantities import RACED

NATIVE_SAMPLES = 32
RANDOM = "random"  # instead of a dataset's path: seeded inputs, to compare outputs with the reference
CORES = ("big", "little", "all")
LEAST_TIMEOUT_S = 1  # a process starts and loads a model
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
        description='Each case is pinned to each of these cores: "big", "little" (where a device has both), "all", or '
        'a hex mask such as "f0".',
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
            if item not in CORES and not _is_hex(item):
                near = meant(item, CORES)
                said = f'{item!r} is neither "big", "little", "all" nor a hex mask such as "f0"'
                raise ValueError(f"{said}: {near}" if near else said)
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

    @field_validator("measure")
    @classmethod
    def _raced_by_what_launches_have(cls, value: MeasurementSettings) -> MeasurementSettings:
        if value.best_by is not None and value.best_by not in RACED:
            said = (
                f"best_by = {value.best_by!r} is no column of the cases that each launch has, and that has a better end"
            )
            raise ValueError(f"{said}: {did_you_mean(value.best_by, tuple(RACED))}")
        return value

    @field_validator("measure")
    @classmethod
    def _time_for_a_launch(cls, value: MeasurementSettings) -> MeasurementSettings:
        if value.timeout_seconds < LEAST_TIMEOUT_S:
            said = f"timeout_seconds = {value.timeout_seconds:g} would end every launch before it measures"
            raise ValueError(f"{said}: {LEAST_TIMEOUT_S} or more")
        return value

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
