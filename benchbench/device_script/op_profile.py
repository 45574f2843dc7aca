"""The time of every operator, over several profiled runs."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from .profiler import DELEGATE_OPERATOR, OpEvent, ProfiledModel
from .protocol import OpTime, Request
from .tensors import filled_shape, random_inputs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .interpreter import InterpreterEngine
    from .runtime import Runtime


def profile(runtime: Runtime, request: Request, engine: InterpreterEngine) -> tuple[OpTime, ...]:
    """Mean microseconds of every operator over the asked runs; raises NotImplementedError where none can be had.

    Inside an XNNPACK partition the rows are XNNPACK's own operators, which are not the graph's one to one.
    """
    _check(runtime, request, engine)
    model = ProfiledModel(runtime.folder, request.model, request.threads, engine.asked.xnnpack)
    model.feed(random_inputs(engine.inputs, request.input_seed, request.ranges))
    for _ in range(request.warmup_runs):
        model.run()
    began = time.monotonic()
    runs: list[list[OpEvent]] = []
    while not runs or (len(runs) < request.runs and time.monotonic() - began < request.max_seconds):
        runs.append(model.events())
    return tuple(_mean(same) for same in zip(*runs))


def _check(runtime: Runtime, request: Request, engine: InterpreterEngine) -> None:
    if not runtime.label.startswith("ai-edge-litert 2.3."):
        said = "op profiles are read with ai-edge-litert 2.3 (its C structs); here is " + runtime.label
        raise NotImplementedError(said)
    if engine.asked.library:
        raise NotImplementedError("op profiles exist for cpu and xnnpack only")
    if request.signature:
        raise NotImplementedError("op profiles are taken of a model's first signature only")
    own = engine.own_shapes
    if [filled_shape(asked, its) for asked, its in zip(request.shapes or own, own)] != own:
        raise NotImplementedError("op profiles are taken with the model's own input shapes only")


def _mean(same: Sequence[OpEvent]) -> OpTime:
    """Of one operator over all runs."""
    first = same[0]
    executor = "xnnpack" if first.kind == DELEGATE_OPERATOR else None
    mean_us = sum(event.us for event in same) / float(len(same))
    return OpTime(f"{first.tag}:{first.node}", first.tag, mean_us, 1, executor)
