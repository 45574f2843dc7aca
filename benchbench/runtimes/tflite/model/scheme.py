"""Which quantization scheme a graph has, judged by its weights and by what they are multiplied with.

The weights are the constants of rank 2 and more that an operator computes with, looked up through DEQUANTIZE and
DENSIFY. Each says a scheme together with the type of the activation beside it:

    activation      weight stored as        scheme
    float32         float32                 float32
    float32         float16 (dequantized)   float16
    float32         int8 directly           dynamic-int8       (activations quantized while running)
    float32         int8 (dequantized)      weight-only-int8   (computed in float)
    float32         int4                    dynamic-int4, weight-only-int4
    int8, uint8     int8, uint8             int8, uint8
    int8            int4                    int4
    int16           int8                    int16x8

The scheme that holds at least nine tenths of the weights is the model's, else it is "mixed": converters leave small
layers as they are. A model with a part that was compiled for an accelerator is of that accelerator's scheme
(`delegates/compiled.py`): its constants there are commands, not weights. Whether int8 came from post-training
quantization or quantization-aware training cannot be told.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from benchbench.runtimes.tflite.backends.compiled import compiled_scheme
from benchbench.runtimes.tflite.model.graph import Graph, Op, Tensor

DOMINANT = 0.9
DECODING = {"DEQUANTIZE", "DENSIFY"}
NUMBERS = {"float32", "float16", "bfloat16", "float64", "int8", "uint8", "int16", "int4", "int2", "uint4"}
NAMES = {
    ("float32", "float32"): "float32",
    ("float16", "float16"): "float16",
    ("int8", "int8"): "int8",
    ("uint8", "uint8"): "uint8",
    ("int8", "int4"): "int4",
    ("int16", "int8"): "int16x8",
}


@dataclass(frozen=True)
class Weight:
    """One use of a weight: by which operator, the constant as stored, the type beside it, and whether it is decoded."""

    op: str
    stored: Tensor
    activation: str
    decoded: bool

    @property
    def scheme(self) -> str:
        stored, activation = self.stored.dtype, self.activation
        if activation.startswith(("float", "bfloat")) and stored != activation:
            if stored.startswith(("float", "bfloat")):
                return stored
            return f"weight-only-{stored}" if self.decoded else f"dynamic-{stored}"
        return NAMES.get((activation, stored), f"{activation}x{stored}")


def scheme_of(graphs: tuple[Graph, ...]) -> str:
    """The scheme of a model, see the table above; as soon as a part is compiled for an accelerator, that one's."""
    if compiled := next((found for graph in graphs for op in graph.ops if (found := compiled_for(op))), None):
        return compiled
    shares = Counter[str]()
    for weight in all_weights(graphs):
        shares[weight.scheme] += weight.stored.elements
    if not shares:
        return _without_weights(graphs)
    scheme, elements = shares.most_common(1)[0]
    return scheme if elements >= DOMINANT * shares.total() else "mixed"


def compiled_for(op: Op) -> str | None:
    """The scheme of a compiled part of a graph; None for any other operator."""
    return compiled_scheme(op.type) if op.custom else None


def granularity_of(graphs: tuple[Graph, ...]) -> str | None:
    """How the integer weights are scaled: per-tensor, per-channel, per-block; None where none is scaled."""
    stored = [weight.stored for weight in all_weights(graphs)]
    if any(tensor.blockwise for tensor in stored):
        return "per-block"
    # A per-channel model may still have single layers of one channel, or fully connected ones scaled as a whole.
    if any(len(tensor.scales) > 1 for tensor in stored):
        return "per-channel"
    return "per-tensor" if any(tensor.scales for tensor in stored) else None


def all_weights(graphs: tuple[Graph, ...]) -> list[Weight]:
    """The uses of weights in all subgraphs."""
    return [weight for graph in graphs for weight in _weights(graph)]


def _weights(graph: Graph) -> Iterator[Weight]:
    source = _stored_constants(graph)
    for op in graph.ops:
        if op.type in DECODING or compiled_for(op):
            continue
        activation = _activation(graph, op, source)
        if activation is None:
            continue
        for index in op.inputs:
            if index in source and len(graph.tensors[index].shape) >= 2 and source[index].dtype in NUMBERS:
                stored = source[index]
                yield Weight(op.type, stored, activation, decoded=graph.tensors[index].dtype != stored.dtype)


def _stored_constants(graph: Graph) -> dict[int, Tensor]:
    """Tensor index -> the constant it stands for: itself, or what DEQUANTIZE and DENSIFY make it from."""
    source = {k: tensor for k, tensor in enumerate(graph.tensors) if tensor.constant}
    for op in graph.ops:
        if op.type in DECODING and op.inputs and op.outputs and op.inputs[0] in source:
            source[op.outputs[0]] = source[op.inputs[0]]
    return source


def _activation(graph: Graph, op: Op, constants: dict[int, Tensor]) -> str | None:
    """The type that an op computes in: its first number that is no constant, inputs before outputs.

    None where there is none: what only stores constants (ASSIGN_VARIABLE) says nothing about the scheme.
    """
    for index in (*op.inputs, *op.outputs):
        if index >= 0 and index not in constants and graph.tensors[index].dtype in NUMBERS:
            return graph.tensors[index].dtype
    return None


def _without_weights(graphs: tuple[Graph, ...]) -> str:
    """A graph of plain arithmetic is named after the type of most of its numbers."""
    types = Counter(tensor.dtype for graph in graphs for tensor in graph.tensors if tensor.dtype in NUMBERS)
    return types.most_common(1)[0][0] if types else "none"
