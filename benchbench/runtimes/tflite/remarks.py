"""What of a .tflite the tools may not be able to run: operators that they lack, signatures that nobody chose."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from benchbench.runtimes.base import Target
from benchbench.runtimes.tflite.backends.custom_ops import has_flex, unresolved
from benchbench.values.backend import Backend
from benchbench.values.case import Variant
from benchbench.values.device import RunnerKind

OWN_BUILD = "use a build of the tool that has it (`binary` in the device's file), or another delegate"
On = tuple[Target, RunnerKind]  # a device, and the runner that it has or is presumed to have


def remarks(variant: Variant, backends: Sequence[Backend], devices: Sequence[On]) -> tuple[str, ...]:
    """Operators that the chosen tools cannot resolve, and signatures that nobody chose."""
    return (*_custom(variant, backends), *_flex(variant, devices), *_signatures(variant, devices))


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


def _names(targets: Iterable[Target]) -> str:
    return ", ".join(target.device.name for target in targets)
