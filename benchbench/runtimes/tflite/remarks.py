"""What of a .tflite the tools may not be able to run: operators that they lack, signatures that nobody chose."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from benchbench.runtimes.base import Target
from benchbench.runtimes.caching import CachingBackend
from benchbench.runtimes.tflite.backends.custom_ops import has_flex, unresolved
from benchbench.values.backend import Backend
from benchbench.values.case import Variant
from benchbench.values.device import RunnerKind

OWN_BUILD = "use a build of the tool that has it (`binary` in the device's file), or another delegate"
On = tuple[Target, RunnerKind]  # a device, and the runner that it has or is presumed to have


def remarks(variant: Variant, backends: Sequence[Backend], devices: Sequence[On]) -> tuple[str, ...]:
    """Operators that the chosen tools cannot resolve, signatures that nobody chose, and what a cache brings with it."""
    told = (*_custom(variant, backends), *_flex(variant, devices), *_signatures(variant, devices))
    return (*told, *_other_api(backends, devices))


def _custom(variant: Variant, backends: Iterable[Backend]) -> Iterator[str]:
    by_ops: dict[tuple[str, ...], list[str]] = {}
    for backend in backends:
        if ops := unresolved(variant.custom_ops, backend):
            by_ops.setdefault(ops, []).append(backend.label)
    for ops, delegates in by_ops.items():
        yield (
            f"{variant.id}: holds the custom operator{'s' * (len(ops) > 1)} {', '.join(ops)}, which no tool is known "
            f"to have for {', '.join(dict.fromkeys(delegates))}: it fails to load there ({OWN_BUILD})"
        )


def _flex(variant: Variant, devices: Iterable[On]) -> Iterator[str]:
    lacking = [target for target, runner in devices if not _has_flex(target, runner)]
    if variant.flex_ops and lacking:
        yield (
            f"{variant.id}: holds the TensorFlow operator{'s' * (len(variant.flex_ops) > 1)} "
            f"{', '.join(variant.flex_ops)}, which the tool on {_names(lacking)} cannot resolve (for benchmark_model "
            "give a …_plus_flex build as `binary` in the device's file; for Python install tensorflow there)"
        )


def _has_flex(target: Target, runner: RunnerKind) -> bool:
    binary = target.device.binary
    runtime = target.traits.runtime if target.traits else None
    return has_flex(runner, runtime, Path(binary).name if binary else None)


def _signatures(variant: Variant, devices: Iterable[On]) -> Iterator[str]:
    if len(variant.signatures) < 2 or variant.signature is not None:
        return
    native = [target for target, runner in devices if runner == "benchmark_model"]
    tool = f"; on {_names(native)} the classic benchmark_model fails, and LiteRT's takes the first" if native else ""
    names = ", ".join(f'"{key}"' for key in variant.signatures)
    yield (
        f"{variant.id}: has {len(variant.signatures)} signatures ({names}), and the matrix chooses none: measured "
        f'is its main graph{tool} (add signature = "{variant.signatures[0]}" to its [[model]])'
    )


def _other_api(backends: Sequence[Backend], devices: Iterable[On]) -> Iterator[str]:
    """Delegates that Python runs by another API for their caches: "off" is measured by that, too."""
    python = [target for target, runner in devices if runner == "python"]
    moved = [backend for backend in backends if isinstance(backend, CachingBackend) and _moves(backend)]
    if python and moved:
        labels = ", ".join(dict.fromkeys(backend.label for backend in moved))
        plain = moved[0].kind
        yield (
            f"{labels}: for `cache` Python on {_names(python)} runs by LiteRT's CompiledModel, which starts otherwise "
            f"than the Interpreter that {plain} has without it, and has no op profile (their initialisation is to be "
            f"compared among themselves)"
        )


def _moves(backend: CachingBackend) -> bool:
    """Whether the script would be asked otherwise for it without its cache."""
    without = backend.model_copy(update={"cache": None})
    return backend.cache is not None and type(backend.request(None)) is not type(without.request(None))


def _names(targets: Iterable[Target]) -> str:
    return ", ".join(target.device.name for target in targets)
