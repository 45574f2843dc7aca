"""What a reader of a plan should know of its models before they run: a sentence each, pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from benchbench.plan import Target, presumed_runner
from benchbench.runtimes.tflite.backends.custom_ops import has_flex, unresolved
from benchbench.values.case import Case, Variant

OWN_BUILD = "use a build of the tool that has it (`binary` in the device's file), or another delegate"


def model_remarks(cases: Sequence[Case], targets: Sequence[Target]) -> tuple[str, ...]:
    """Operators that the chosen tool cannot resolve, signatures that nobody chose, and sizes that nobody gave."""
    by_name = {target.device.name: target for target in targets}
    found: list[str] = []
    for variant in {case.variant.id: case.variant for case in cases}.values():
        own = [case for case in cases if case.variant.id == variant.id]
        there = [by_name[device] for device in dict.fromkeys(case.device for case in own)]
        found += [
            *_custom(variant, own),
            *_flex(variant, there),
            *_signatures(variant, there),
            *_open_inputs(variant),
        ]
    return tuple(found)


def _custom(variant: Variant, cases: Iterable[Case]) -> Iterator[str]:
    by_ops: dict[tuple[str, ...], list[str]] = {}
    for case in cases:
        if ops := unresolved(variant.custom_ops, case.delegate):
            by_ops.setdefault(ops, []).append(case.delegate.label)
    for ops, delegates in by_ops.items():
        yield (
            f"{variant.id}: holds the custom operator{'s' * (len(ops) > 1)} {', '.join(ops)}, which no tool is known "
            f"to have for {', '.join(dict.fromkeys(delegates))}: it fails to load there ({OWN_BUILD})"
        )


def _flex(variant: Variant, targets: Iterable[Target]) -> Iterator[str]:
    lacking = [target for target in targets if not _has_flex(target)]
    if variant.flex_ops and lacking:
        yield (
            f"{variant.id}: holds the TensorFlow operator{'s' * (len(variant.flex_ops) > 1)} "
            f"{', '.join(variant.flex_ops)}, which the tool on {_names(lacking)} cannot resolve (for benchmark_model "
            "give a …_plus_flex build as `binary` in the device's file; for Python install tensorflow there)"
        )


def _has_flex(target: Target) -> bool:
    binary = target.device.binary
    runtime = target.traits.runtime if target.traits else None
    return has_flex(presumed_runner(target), runtime, Path(binary).name if binary else None)


def _signatures(variant: Variant, targets: Iterable[Target]) -> Iterator[str]:
    if len(variant.signatures) < 2 or variant.signature is not None:
        return
    native = [target for target in targets if presumed_runner(target) == "benchmark_model"]
    tool = f"; on {_names(native)} the classic benchmark_model fails, and LiteRT's takes the first" if native else ""
    names = ", ".join(f'"{key}"' for key in variant.signatures)
    yield (
        f"{variant.id}: has {len(variant.signatures)} signatures ({names}), and the matrix chooses none: measured "
        f'is its main graph{tool} (add signature = "{variant.signatures[0]}" to its [[model]])'
    )


def _open_inputs(variant: Variant) -> Iterator[str]:
    if variant.open_inputs:
        yield (
            f"{variant.id}: leaves the size of {', '.join(variant.open_inputs)} open, and the matrix gives none: "
            "measured is the shape that stands in the file, often a size of 1 (give `inputs` in its [[model]])"
        )


def _names(targets: Iterable[Target]) -> str:
    return ", ".join(target.device.name for target in targets)
