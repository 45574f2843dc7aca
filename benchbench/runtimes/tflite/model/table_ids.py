"""Inputs whose whole numbers are ids: how long the table is that they lead into, followed through the graph."""

from __future__ import annotations

from collections.abc import Iterator

from benchbench.runtimes.tflite.model.graph import Graph, Op

# What hands whole numbers on as they are: the outputs hold nothing but values of the first or of any input.
MOVES = {
    *("CAST", "RESHAPE", "EXPAND_DIMS", "SQUEEZE", "TRANSPOSE", "SLICE", "STRIDED_SLICE", "SPLIT", "SPLIT_V", "UNPACK"),
    *("PACK", "CONCATENATION", "TILE", "BROADCAST_TO", "GATHER", "GATHER_ND", "REVERSE_V2", "MINIMUM"),
}


def table_lengths(graph: Graph) -> tuple[int | None, ...]:
    """Per input the length of the shortest table that its values are an index of; None where they are none."""
    return tuple(min(_lengths(graph, tensor), default=None) for tensor in graph.inputs)


def _lengths(graph: Graph, tensor: int) -> Iterator[int]:
    reached = {tensor}
    for op in graph.ops:  # in the order in which they run
        yield from (length for length in _looked_up(graph, op, reached) if length > 0)
        if op.type in MOVES and reached & set(op.inputs[:1] if op.type.startswith("GATHER") else op.inputs):
            reached |= set(op.outputs)


def _looked_up(graph: Graph, op: Op, ids: set[int]) -> Iterator[int]:
    """The lengths of the tables that an operator looks `ids` up in."""
    if len(op.inputs) < 2:
        return
    if op.type in {"EMBEDDING_LOOKUP", "EMBEDDING_LOOKUP_SPARSE"} and op.inputs[0] in ids:
        table = graph.tensors[op.inputs[-1]].shape
        yield from table[:1]
    elif op.type == "GATHER" and op.inputs[1] in ids:
        table = graph.tensors[op.inputs[0]].shape
        yield from table[op.axis :][:1]
    elif op.type == "GATHER_ND" and op.inputs[1] in ids:
        table, index = graph.tensors[op.inputs[0]].shape, graph.tensors[op.inputs[1]].shape
        yield from table[: index[-1]] if index else ()
