"""Multiply-accumulates of one inference, from the shapes of the operators that matter.

Counted are convolutions, fully connected layers and matrix products, with the textbook formulas (as LiteRT's own
profiler does); element-wise operators count nothing. One MAC is two floating-point operations.
"""

from __future__ import annotations

from math import prod

from benchbench.runtimes.tflite.model.graph import Graph, Op

COUNTED = {"CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV", "CONV_3D", "BATCH_MATMUL"}
UNCOUNTED = {
    "LSTM", "UNIDIRECTIONAL_SEQUENCE_LSTM", "BIDIRECTIONAL_SEQUENCE_LSTM", "RNN", "UNIDIRECTIONAL_SEQUENCE_RNN",
    "BIDIRECTIONAL_SEQUENCE_RNN", "SVDF", "WHILE", "IF", "CALL", "STABLEHLO_DOT_GENERAL", "STABLEHLO_CONVOLUTION",
    "STABLEHLO_COMPOSITE", "RFFT2D",
}  # fmt: skip


def node_macs(graph: Graph, op: Op) -> int | None:
    """Multiply-accumulates of one node; None where its shape is open beyond the batch, or where it hides its work."""
    if op.custom or op.type in UNCOUNTED:
        return None
    try:
        return _macs(graph, op)
    except IndexError:  # operands of a rank that it cannot have
        return None


def macs_of(graph: Graph) -> tuple[int | None, str | None]:
    """Multiply-accumulates of a graph at its stored shapes (batch 1 where the batch is open), and a note about them.

    None where a counted operator has a dynamic shape, or where a custom operator hides its work.
    """
    total = 0
    for op in graph.ops:
        try:
            counted = _macs(graph, op)
        except IndexError:
            return None, f"{op.type} has operands of a rank that it cannot have"
        if counted is None:
            return None, f"{op.type} has a dynamic shape"
        total += counted
    hidden = sorted({op.type for op in graph.ops if op.custom or op.type in UNCOUNTED})
    if not hidden:
        return total, None
    return total or None, f"without {', '.join(hidden)}"


def _macs(graph: Graph, op: Op) -> int | None:
    """The MACs of one op; 0 where it is not counted, None where a shape is open beyond the batch."""
    if op.type not in COUNTED or not op.outputs:
        return 0
    operands = [graph.tensors[k] for k in op.inputs if k >= 0]
    output = graph.tensors[op.outputs[0]]
    if any(-1 in tensor.signature[1:] for tensor in (*operands, output)):
        return None
    shape = operands[1].shape
    match op.type:
        case "CONV_2D":  # filter [outputs, height, width, inputs of the group]
            return output.elements * prod(shape[1:])
        case "DEPTHWISE_CONV_2D":  # filter [1, height, width, channels]
            return output.elements * shape[1] * shape[2]
        case "FULLY_CONNECTED":  # weights [outputs, inputs]
            return output.elements * shape[-1]
        case "TRANSPOSE_CONV":  # output shape, filter [outputs, height, width, inputs], input
            return operands[2].elements * prod(shape[:3])
        case "CONV_3D":  # filter [depth, height, width, inputs, outputs]
            return output.elements * prod(shape[:4])
        case _:  # BATCH_MATMUL: […, m, k] x […, k, n], the first transposed where the op says so
            return output.elements * operands[0].shape[-2 if op.transposes_x else -1]
