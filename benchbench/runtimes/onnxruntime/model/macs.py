"""Multiply-accumulates of one inference, from the shapes of the operators that matter.

Counted are convolutions, matrix products and recurrent layers, with the textbook formulas; element-wise operators count
nothing. One MAC is two floating-point operations.
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

from benchbench.runtimes.onnxruntime.model.graph import attribute

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto, TensorProto

KEPT = 1024  # elements of constants that shapes may depend on
GATES = {"LSTM": 4, "GRU": 3, "RNN": 1, "DynamicQuantizeLSTM": 4}
CONVOLUTIONS = {"Conv": 1, "FusedConv": 1, "ConvInteger": 1, "QLinearConv": 3}  # where the filter stands
PRODUCTS = {"MatMul": 0, "FusedMatMul": 0, "MatMulInteger": 0, "QLinearMatMul": 0, "DynamicQuantizeMatMul": 0}
UNCOUNTED = {"Attention", "MultiHeadAttention", "GroupQueryAttention", "QAttention", "Einsum", "If", "Loop", "Scan"}


class _Open(Exception):
    pass


def macs_of(model: ModelProto) -> tuple[int | None, str | None]:
    """Multiply-accumulates of the main graph, for a batch of 1 where it is open, and a note about them.

    None where the shape of a counted operator cannot be told.
    """
    shapes = _shapes(model)
    total = 0
    for node in model.graph.node:
        try:
            total += _macs(node, shapes)
        except (_Open, IndexError):
            return None, f"{node.op_type} has a dynamic shape"
    hidden = sorted({node.op_type for node in model.graph.node if node.op_type in UNCOUNTED or _foreign(node)})
    if not hidden:
        return total, None
    return total or None, f"without {', '.join(hidden)}"


def _foreign(node: NodeProto) -> bool:
    return node.domain not in {"", "ai.onnx", "ai.onnx.ml", "com.microsoft", "com.microsoft.nchwc"}


def _macs(node: NodeProto, shapes: dict[str, tuple[int, ...] | None]) -> int:
    def shape(name: str) -> tuple[int, ...]:
        found = shapes.get(name)
        if found is None:
            raise _Open
        return found

    kind = node.op_type
    if kind in CONVOLUTIONS:  # filter [outputs, inputs of the group, …]
        return prod(shape(node.output[0])) * prod(shape(node.input[CONVOLUTIONS[kind]])[1:])
    if kind == "ConvTranspose":  # filter [inputs, outputs of the group, …]
        return prod(shape(node.input[0])) * prod(shape(node.input[1])[1:])
    if kind in PRODUCTS:
        return prod(shape(node.output[0])) * shape(node.input[0])[-1]
    if kind in {"Gemm", "FusedGemm"}:
        turned = attribute(node, "transA")
        return prod(shape(node.output[0])) * shape(node.input[0])[0 if turned is not None and turned.i else 1]
    if kind == "MatMulNBits":
        inner = attribute(node, "K")
        return prod(shape(node.output[0])) * (inner.i if inner is not None else 0)
    if kind in GATES:  # input [steps, batch, size], recurrence [directions, gates × hidden, hidden]
        steps, batch, size = shape(node.input[0])
        directions, gates, hidden = shape(node.input[2])
        return steps * batch * directions * gates * (size + hidden)
    return 0


def _shapes(model: ModelProto) -> dict[str, tuple[int, ...] | None]:
    """By the name of the value: its shape where all sizes can be told."""
    import onnx

    light = _without_data(model)
    for argument in light.graph.input:
        batch = argument.type.tensor_type.shape.dim[:1]
        if batch and not batch[0].HasField("dim_value"):
            batch[0].dim_value = 1
    del light.graph.value_info[:]
    for output in light.graph.output:
        output.type.tensor_type.ClearField("shape")
    try:
        inferred = onnx.shape_inference.infer_shapes(light, data_prop=True)
    except Exception:  # noqa: BLE001 - a graph that it cannot follow has shapes that are not known
        inferred = light
    found: dict[str, tuple[int, ...] | None] = {tensor.name: tuple(tensor.dims) for tensor in model.graph.initializer}
    for value in [*inferred.graph.input, *inferred.graph.value_info, *inferred.graph.output]:
        kind = value.type.tensor_type
        sizes = [size.dim_value if size.HasField("dim_value") else None for size in kind.shape.dim]
        known = kind.HasField("shape") and None not in sizes
        found.setdefault(value.name, tuple(size for size in sizes if size is not None) if known else None)
    return found


def _without_data(model: ModelProto) -> ModelProto:
    """A copy without the numbers of large constants, which shapes do not depend on."""
    import onnx

    light = onnx.ModelProto()
    light.ir_version = model.ir_version
    light.opset_import.extend(model.opset_import)
    light.functions.extend(model.functions)
    graph = light.graph
    graph.name = model.graph.name
    graph.node.extend(model.graph.node)
    graph.input.extend(model.graph.input)
    graph.output.extend(model.graph.output)
    for tensor in model.graph.initializer:
        graph.initializer.append(tensor if _is_small(tensor) else _empty(tensor))
    return light


def _is_small(tensor: TensorProto) -> bool:
    return bool(prod(tensor.dims) <= KEPT and tensor.data_location != tensor.EXTERNAL)


def _empty(tensor: TensorProto) -> TensorProto:
    import onnx

    return onnx.TensorProto(name=tensor.name, dims=tensor.dims, data_type=tensor.data_type)
