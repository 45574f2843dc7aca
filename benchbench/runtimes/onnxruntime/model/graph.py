"""A graph as schemes and work are judged by it: nodes with what they compute with, constants as they are stored."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import TYPE_CHECKING

from benchbench.runtimes.onnxruntime.model.read import graphs_of

if TYPE_CHECKING:
    from onnx import AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto

# What hands a constant on as it is, or decoded: its first input is the constant.
DECODING = {"DequantizeLinear", "Cast"}
PASSING = {*DECODING, "Identity", "Transpose", "Reshape", "Unsqueeze", "Squeeze", "Flatten", "QuantizeLinear"}
BITS = {"int4": 4, "uint4": 4, "int2": 2, "uint2": 2, "float4e2m1": 4}


def type_name(number: int) -> str:
    """A tensor's type by its number, as numpy calls it: float32, int8 …; bfloat16, int4 and others by ONNX's name."""
    from onnx import TensorProto

    names = {"float": "float32", "double": "float64", "undefined": "unknown"}
    known: dict[int, str] = {value: name.lower() for name, value in TensorProto.DataType.items()}
    name = known.get(number, "unknown")
    return names.get(name, name)


@dataclass(frozen=True)
class Constant:
    """A constant as it is stored; `decoded`: it becomes real numbers before it is used."""

    tensor: TensorProto
    scale: str = ""  # the name of its scales, where it is decoded by them
    blockwise: bool = False
    decoded: bool = False

    @property
    def dtype(self) -> str:
        return type_name(self.tensor.data_type)

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.tensor.dims)

    @property
    def elements(self) -> int:
        return prod(self.tensor.dims)

    @property
    def stored_bytes(self) -> int:
        from onnx.helper import tensor_dtype_to_np_dtype

        bits = BITS.get(self.dtype)
        if bits:
            return (self.elements * bits + 7) // 8
        if self.dtype in {"string", "unknown"}:
            return sum(map(len, self.tensor.string_data))
        return self.elements * int(tensor_dtype_to_np_dtype(self.tensor.data_type).itemsize)


class Graph:
    """One graph of a model, read for its constants and the types of its values."""

    def __init__(self, proto: GraphProto) -> None:
        self.proto = proto
        self.nodes: list[NodeProto] = list(proto.node)

    @cached_property
    def stored(self) -> dict[str, Constant]:
        """By the name of the value: initializers and Constant nodes."""
        found = {tensor.name: Constant(tensor) for tensor in self.proto.initializer}
        for node in self.nodes:
            if node.op_type == "Constant" and (value := attribute(node, "value")) is not None:
                found[node.output[0]] = Constant(value.t)
        return found

    @cached_property
    def constants(self) -> dict[str, Constant]:
        """By the name of the value: what is stored, also behind what decodes or reshapes it."""
        found = dict(self.stored)
        for node in self.nodes:
            if node.op_type in PASSING and node.input and node.input[0] in found:
                found[node.output[0]] = self._passed(node, found[node.input[0]])
        return found

    @staticmethod
    def _passed(node: NodeProto, constant: Constant) -> Constant:
        if node.op_type != "DequantizeLinear":
            decoded = constant.decoded or node.op_type in DECODING
            return Constant(constant.tensor, constant.scale, constant.blockwise, decoded)
        block = attribute(node, "block_size")
        return Constant(constant.tensor, node.input[1], bool(block is not None and block.i), decoded=True)

    @cached_property
    def makers(self) -> dict[str, NodeProto]:
        """By the name of the value: the node that computes it."""
        return {name: node for node in self.nodes for name in node.output if name}

    @cached_property
    def types(self) -> dict[str, str]:
        """By the name of the value: its type, where the file says."""
        said = [*self.proto.input, *self.proto.output, *self.proto.value_info]
        return {value.name: type_name(value.type.tensor_type.elem_type) for value in said}

    def quantized_as(self, name: str) -> str | None:
        """The type in which an activation was quantized just before it is used; None = it is in real numbers.

        "dynamic-int8" where its scale is found while running.
        """
        maker = self.makers.get(name)
        if maker is None:
            return None
        if maker.op_type == "DynamicQuantizeLinear":
            return "dynamic"
        if maker.op_type == "DequantizeLinear" and maker.input[0] not in self.constants:
            zero_point = self.constants.get(maker.input[2]) if len(maker.input) > 2 else None
            return zero_point.dtype if zero_point else self.types.get(maker.input[0], "uint8")
        if maker.op_type in {"Transpose", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "MaxPool", "Identity"}:
            return self.quantized_as(maker.input[0])
        return None


def attribute(node: NodeProto, name: str) -> AttributeProto | None:
    """One attribute of a node; None where it is left out."""
    return next((one for one in node.attribute if one.name == name), None)


def whole(model: ModelProto) -> Iterator[Graph]:
    """All graphs of a model, the main one first."""
    return map(Graph, graphs_of(model))
