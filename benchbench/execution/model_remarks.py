"""What a reader of a plan should know of its models before they run: a sentence each, pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from benchbench.plan import Plan
from benchbench.runtimes import runtime_of
from benchbench.runtimes.base import Target
from benchbench.values.case import Case, Variant


def model_remarks(cases: Sequence[Case], targets: Sequence[Target]) -> tuple[str, ...]:
    """What their runtimes say of the models, and sizes that nobody gave."""
    by_name = {target.device.name: target for target in targets}
    found: list[str] = []
    for variant in {case.variant.id: case.variant for case in cases}.values():
        own = [case for case in cases if case.variant.id == variant.id]
        there = [by_name[device] for device in dict.fromkeys(case.device for case in own)]
        backends = [case.delegate for case in own]
        found += [*runtime_of(variant.format).remarks(variant, backends, there), *_open_inputs(variant)]
    return tuple(dict.fromkeys(found))  # some are of a delegate, whatever the model


def _open_inputs(variant: Variant) -> Iterator[str]:
    if variant.open_inputs:
        yield (
            f"{variant.id}: leaves the size of {', '.join(variant.open_inputs)} open, and the matrix gives none: "
            "measured is the shape that stands in the file, often a size of 1 "
            "(give `inputs = [{ shape = […] }, …]` in its [[model]])"
        )


def canary_remarks(plan: Plan) -> tuple[str, ...]:
    """Which devices have no canary although it was asked for, a sentence each."""
    without = set(plan.devices) - {case.device for case in plan.canaries} if plan.measure.canary else set()
    why = "benchbench has no such model of the formats that run there"
    return tuple(f"{device}: no canary is measured: {why}" for device in plan.devices if device in without)
