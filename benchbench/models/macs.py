"""Multiply-accumulates of one inference, from the shapes of the operators that matter.

Counted are convolutions, fully connected layers and matrix products, with the textbook formulas (as LiteRT's own
profiler does); element-wise operators count nothing. One MAC is two floating-point operations.
"""

from __future__ import annotations

from math import prod

from benchbench.models.graph import Graph, Op, Tensor

UNCOUNTED = {
    "LSTM", "UNIDIRECTIONAL_SEQUENCE_LSTM", "BIDIRECTIONAL_SEQUENCE_LSTM", "RNN", "UNIDIRECTIONAL_SEQUENCE_RNN",
    "BIDIRECTIONAL_SEQUENCE_RNN", "SVDF", "WHILE", "IF", "CALL", "STABLEHLO_DOT_GENERAL", "STABLEHLO_CONVOLUTION",
    "STABLEHLO_COMPOSITE", "RFFT2D",
}  # fmt: skip


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
    operands = [graph.tensors[k] for k in op.inputs if k >= 0]
    if op.type not in FORMULAS or not op.outputs:
        return 0
    output = graph.tensors[op.outputs[0]]
    if any(-1 in tensor.signature[1:] for tensor in (*operands, output)):
        return None
    return FORMULAS[op.type](op, operands, output)


def _convolution(op: Op, operands: list[Tensor], output: Tensor) -> int:
    """Filter [outputs, height, width, inputs of the group]: each output is one filter's sum."""
    return output.elements * prod(operands[1].shape[1:])


def _depthwise(op: Op, operands: list[Tensor], output: Tensor) -> int:
    """Filter [1, height, width, channels]."""
    return output.elements * operands[1].shape[1] * operands[1].shape[2]


def _fully_connected(op: Op, operands: list[Tensor], output: Tensor) -> int:
    """Weights [outputs, inputs]."""
    return output.elements * operands[1].shape[-1]


def _transposed(op: Op, operands: list[Tensor], output: Tensor) -> int:
    """Operands: output shape, filter [outputs, height, width, inputs], input; each input is spread by one filter."""
    return operands[2].elements * prod(operands[1].shape[:3])


def _convolution_3d(op: Op, operands: list[Tensor], output: Tensor) -> int:
    """Filter [depth, height, width, inputs, outputs]."""
    return output.elements * prod(operands[1].shape[:4])


def _matrix_product(op: Op, operands: list[Tensor], output: Tensor) -> int:
    """[…, m, k] x […, k, n], the first transposed where the op says so."""
    return output.elements * operands[0].shape[-2 if op.transposes_x else -1]


FORMULAS = {
    "CONV_2D": _convolution,
    "DEPTHWISE_CONV_2D": _depthwise,
    "FULLY_CONNECTED": _fully_connected,
    "TRANSPOSE_CONV": _transposed,
    "CONV_3D": _convolution_3d,
    "BATCH_MATMUL": _matrix_product,
}
