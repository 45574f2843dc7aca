"""Samples of an .npz through the timed path, and their raw outputs into another .npz."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .system import appearing_whole
from .tensors import shaped, to_input
from .timing import timed
from .value import Value

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .engine import Engine
    from .protocol import Evaluation
    from .tensors import Array, Tensor

NUMBERS = "fiubc"  # kinds of numpy types


class NotComparable(Exception):
    """Outputs that are no numbers, or change their shape from sample to sample."""


@dataclass(eq=False, repr=False)
class Evaluated(Value):
    """How many samples were run, and how long each inference took."""

    count: int
    times_ns: tuple[int, ...]
    stopped_by: str


def evaluate(engine: Engine, asked: Evaluation) -> Evaluated:
    """Run all of the samples, or as many as the time allows: one batch at least.

    Outputs: `output_0`, … with samples first, in the model's own type; `scale_0`, …; `zero_point_0`, …; `names`.
    A model with a batch of its own gets its samples batch by batch, the last one filled up with repeats; one without an
    axis of samples gets one whole set of inputs after the other. What a model keeps is reset before each inference.
    """
    inputs, outputs = engine.quantized()
    places = range(len(inputs)) if asked.fed is None else asked.fed
    samples = dict(zip(places, _stored(asked, len(places))))
    total = len(next(iter(samples.values()))) if samples else 1
    batch = 1 if asked.whole or not inputs or not inputs[0].shape else inputs[0].shape[0]
    results: list[list[Array]] = [[] for _ in outputs]
    times: list[int] = []
    done, began = 0, time.perf_counter()
    for low in range(0, total, batch):
        if done or asked.state != "resources":  # the first sample has a new interpreter anyway
            engine.forget(asked.state)
        chosen = np.minimum(np.arange(low, low + batch), total - 1)
        engine.feed([_fed(samples.get(place), chosen, tensor, asked, place) for place, tensor in enumerate(inputs)])
        times.append(timed(engine.step))
        for kept, output in zip(results, engine.results()):
            kept.append(np.array(output))
        done = min(low + batch, total)
        if asked.at_most_seconds is not None and time.perf_counter() - began >= asked.at_most_seconds:
            break
    axis = None if asked.whole else batch
    joined = [_joined(kept, tensor, axis)[:done] for kept, tensor in zip(results, outputs)]
    _write(asked.outputs, outputs, joined)
    return Evaluated(done, tuple(times), "samples" if done == total else "seconds")


def _stored(asked: Evaluation, inputs: int) -> list[Array]:
    """The samples that are asked for, of each input; further arrays of the file are labels and the like."""
    end = None if asked.count is None else asked.start + asked.count
    with np.load(asked.samples, allow_pickle=False) as archive:
        samples = [archive[name][asked.start : end] for name in archive.files[:inputs]]
    if len(samples) < inputs:
        raise ValueError(f"{asked.samples} holds {len(samples)} arrays, the model has {inputs} inputs to feed")
    if samples and not len(samples[0]):
        raise ValueError(f"{asked.samples} holds no samples from number {asked.start} on")
    return samples


def _fed(samples: Array | None, chosen: Array, tensor: Tensor, asked: Evaluation, place: int) -> Array | None:
    if samples is None:
        return None
    return shaped(to_input(samples[chosen], tensor, asked.preprocess), tensor, place in asked.channels_first)


def _joined(results: Sequence[Array], tensor: Tensor, batch: int | None) -> Array:
    """Samples first, where the output has an axis of samples, of the size of a batch; else one row an inference."""
    first = results[0]
    if first.dtype.kind not in NUMBERS:
        raise NotComparable(f"output {tensor.name!r} holds no numbers")
    if any(result.shape != first.shape for result in results):
        raise NotComparable(f"output {tensor.name!r} has another shape from sample to sample")
    return np.concatenate(results) if first.shape[:1] == (batch,) else np.stack(results)


def _write(path: str, tensors: Sequence[Tensor], outputs: Sequence[Array]) -> None:
    arrays: dict[str, Any] = {"names": np.array([tensor.name for tensor in tensors])}
    for index, (tensor, output) in enumerate(zip(tensors, outputs)):
        arrays[f"output_{index}"] = output
        arrays[f"scale_{index}"] = np.array(tensor.scale, np.float64)
        arrays[f"zero_point_{index}"] = np.array(tensor.zero_point, np.int64)
    with appearing_whole(path) as file:
        np.savez(file, **arrays)
