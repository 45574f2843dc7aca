"""Canary: a small model of our own, the same everywhere, that shows whether the device is as fast as it was."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache

from benchbench.config.matrix import Matrix
from benchbench.modes.base import Attempt, Launches
from benchbench.modes.launch import launch
from benchbench.runtimes import BACKENDS, runtime_of
from benchbench.values import formatting
from benchbench.values.case import CANARY, Case, Variant
from benchbench.values.device import RunnerKind
from benchbench.values.measurement_settings import MeasurementSettings
from benchbench.values.outcome import Outcome

# The same in every run, so that runs can be compared by it.
SETTINGS = MeasurementSettings(
    runs=20, min_seconds=0.3, max_seconds=10, warmup_runs=3, warmup_min_seconds=0.1, timeout_seconds=60
)


@dataclass(frozen=True, slots=True)
class Canary:
    """Launches of one model before the first round, and after each: with one thread, and with the most of any case."""

    name: str = CANARY
    among_rounds: bool = True

    def passes(self, matrix: Matrix) -> Sequence[int]:
        return range(matrix.measure.most_rounds + 1) if matrix.measure.canary else ()

    def cases(self, cases: Sequence[Case], matrix: Matrix) -> Sequence[Case]:
        """Of the first format that the device runs and that has such a model; none where no format has.

        One thread shows the speed of a core. As many as any case has show whether as many cores are to be had: a
        machine that shares them with others may be as fast as ever with one thread, and half as fast with two.
        """
        formats = dict.fromkeys(case.variant.format for case in cases)
        variant = next((made for name in formats if (made := canary_variant(name))), None)
        if variant is None:
            return ()
        extremes = dict.fromkeys((1, max(case.threads for case in cases)))
        return [canary_case(cases[0].device, variant, threads, cases[0].affinity) for threads in extremes]

    def launches(self, case: Case, matrix: Matrix, runner: RunnerKind) -> Launches | None:
        return None

    def perform(self, attempt: Attempt) -> Outcome:
        return launch(attempt, replace(attempt.spec, measure=SETTINGS))

    def headline(self, outcome: Outcome) -> str:
        typical = outcome.measurement.timings.typical
        return formatting.time(typical and typical / 1000)


def canary_case(device: str, variant: Variant, threads: int, affinity: str | None) -> Case:
    """The case of a device's canary, on the usual backend of the model's runtime."""
    backend = BACKENDS[runtime_of(variant.format).usual_backend].example()
    return Case(device=device, variant=variant, delegate=backend, threads=threads, affinity=affinity)


@cache
def canary_variant(model_format: str) -> Variant | None:
    """The model of a format, named by its bytes: another one is another case; None where the format has none."""
    from benchbench.runtimes.models import inspect, variant_of  # reads flatbuffers: slow to import

    path = runtime_of(model_format).canary_model
    if path is None:
        return None
    info = inspect(path)
    return variant_of(info, CANARY, info.sha256[:8])


def canary_variants(formats: Iterable[str]) -> tuple[Variant, ...]:
    """Those of the formats that have one."""
    return tuple(made for name in dict.fromkeys(formats) if (made := canary_variant(name)))
