"""Which real values each input of a model was made for, as far as its file tells."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from benchbench.runtimes.tflite.model.graph import Graph, Tensor

Range = tuple[float, float]
Normalization = tuple[tuple[float, ...], tuple[float, ...]]  # mean and std, one for all or one a channel
STORED = {"int8", "uint8", "int16"}


def input_ranges(graph: Graph, normalizations: Sequence[Normalization | None]) -> tuple[Range | None, ...]:
    """Per input: by the metadata's normalization of pixels, else what it can say where it is stored quantized.

    Files with float inputs often quantize them first of all: that operator tells, too. None = nothing does.
    """
    found = []
    for place, index in enumerate(graph.inputs):
        said = normalizations[place] if place < len(normalizations) else None
        stored = [
            index,
            *(op.outputs[0] for op in graph.ops if op.type == "QUANTIZE" and op.inputs[:1] == (index,) and op.outputs),
        ]
        known = [r for k in stored if (r := _representable(graph.tensors[k])) is not None]
        found.append(_of_pixels(said) if said else next(iter(known), None))
    return tuple(found)


def _of_pixels(said: Normalization) -> Range:
    ends = [(end - mean) / std for mean, std in zip(*said, strict=True) for end in (0, 255)]
    return min(ends), max(ends)


def _representable(tensor: Tensor) -> Range | None:
    if tensor.dtype not in STORED or len(tensor.scales) != 1 or not np.isfinite(tensor.scales[0]):
        return None
    limits, zero = np.iinfo(tensor.dtype), next(iter(tensor.zero_points), 0)
    return (int(limits.min) - zero) * tensor.scales[0], (int(limits.max) - zero) * tensor.scales[0]
