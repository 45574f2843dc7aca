"""The time of every operator, over several profiled runs."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ..protocol import OpTime, Request
from ..tensors import filled_shape, random_inputs
from .profiler import DELEGATE_OPERATOR, OpEvent, ProfiledModel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..tensors import Tensor
    from .delegates import InterpreterDelegate
    from .runtime import Runtime


def profile(
    runtime: Runtime,
    request: Request,
    delegate: InterpreterDelegate,
    inputs: Sequence[Tensor],
    own_shapes: Sequence[tuple[int, ...]],
) -> tuple[OpTime, ...]:
    """Mean microseconds of every operator over the asked runs; raises NotImplementedError where none can be had.

    `own_shapes` are those that the model's inputs have in its file.

    Inside an XNNPACK partition the rows are XNNPACK's own operators, which are not the graph's one to one.
    """
    _check(runtime, request, delegate, own_shapes)
    model = ProfiledModel(runtime.folder, request.model, request.threads, delegate.xnnpack)
    model.feed(random_inputs(inputs, request.input_seed, request.ranges))
    for _ in range(request.warmup_runs):
        model.run()
    began = time.monotonic()
    runs: list[list[OpEvent]] = []
    while not runs or (len(runs) < request.runs and time.monotonic() - began < request.max_seconds):
        runs.append(model.events())
    return tuple(_mean(same) for same in zip(*runs))


def _check(
    runtime: Runtime, request: Request, delegate: InterpreterDelegate, own_shapes: Sequence[tuple[int, ...]]
) -> None:
    if not runtime.label.startswith("ai-edge-litert 2.3."):
        said = "op profiles are read with ai-edge-litert 2.3 (its C structs); here is " + runtime.label
        raise NotImplementedError(said)
    if delegate.library:
        raise NotImplementedError("op profiles exist for cpu and xnnpack only")
    if request.signature:
        raise NotImplementedError("op profiles are taken of a model's first signature only")
    asked_shapes = request.shapes or own_shapes
    if [filled_shape(asked, own) for asked, own in zip(asked_shapes, own_shapes)] != list(own_shapes):
        raise NotImplementedError("op profiles are taken with the model's own input shapes only")


def _mean(same: Sequence[OpEvent]) -> OpTime:
    """Of one operator over all runs."""
    first = same[0]
    executor = "xnnpack" if first.kind == DELEGATE_OPERATOR else None
    mean_us = sum(event.us for event in same) / float(len(same))
    return OpTime(f"{first.tag}:{first.node}", first.tag, mean_us, 1, executor)
