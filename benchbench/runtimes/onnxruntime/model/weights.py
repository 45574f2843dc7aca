"""Stored weights as real numbers, their axes in the order in which files of all formats are compared."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from benchbench.runtimes.contents import Weights
from benchbench.runtimes.onnxruntime.model.graph import Graph, attribute, type_name
from benchbench.runtimes.onnxruntime.model.scheme import WEIGHTS

if TYPE_CHECKING:
    from onnx import NodeProto, TensorProto

CONVOLUTIONS = {"Conv", "FusedConv", "QLinearConv", "ConvInteger"}
PRODUCTS = {"MatMul", "FusedMatMul", "QLinearMatMul", "MatMulInteger", "MatMulIntegerToFloat", "DynamicQuantizeMatMul"}
# Where scale and zero point of the weight stand among the inputs of what computes with integers, and its channels'
# axis; a scale of None comes later in the graph.
SCALED: dict[str, tuple[int | None, int, int]] = {
    "QLinearConv": (4, 5, 0),
    "QLinearMatMul": (4, 5, 1),
    "ConvInteger": (None, 3, 0),
    "MatMulInteger": (None, 3, 1),
    "MatMulIntegerToFloat": (3, 5, 1),
    "DynamicQuantizeMatMul": (2, 3, 1),
}
Array = NDArray[Any]


class Reader:
    """The weights of one graph; `folder` is where data beside the file is looked for."""

    def __init__(self, graph: Graph, folder: Path) -> None:
        self.graph = graph
        self.folder = folder

    def weights(self) -> Iterator[Weights]:
        """Of rank 2 and more, each once; those that are packed or scaled by blocks are left out."""
        seen: set[str] = set()
        for node in self.graph.nodes:
            for place in WEIGHTS.get(node.op_type, ()):
                name = node.input[place] if place < len(node.input) else ""
                stored = self.graph.constants.get(name)
                if stored is None or len(stored.shape) < 2 or stored.tensor.name in seen:
                    continue
                seen.add(stored.tensor.name)
                found = self._of(node, place, name)
                if found is not None and found.values.ndim > 1 and found.values.size:
                    yield Weights(_turned(node, place, found.values), _turned(node, place, found.steps))

    def _of(self, node: NodeProto, place: int, name: str) -> Weights | None:
        """What a node computes with at one of its inputs."""
        if node.op_type not in SCALED:
            return self._real(name)
        stored = self.graph.stored.get(name)
        if stored is None:
            return None
        scale, zero, axis = SCALED[node.op_type]
        own = scale is not None and scale < len(node.input)
        numbers = self._array(stored.tensor)
        return self._dequantized(numbers, node.input[scale] if own and scale else "", _input(node, zero), axis)

    def _real(self, name: str) -> Weights | None:
        """A constant, also behind what decodes or turns it; None for what is not followed here."""
        if (stored := self.graph.stored.get(name)) is not None:
            return Weights.in_floats(self._array(stored.tensor).astype(np.float32), stored.dtype)
        maker = self.graph.makers[name]
        if maker.op_type == "DequantizeLinear":
            return self._decoded(maker)
        inner = self._real(maker.input[0])
        if inner is None or maker.op_type in {"Cast", "Identity", "QuantizeLinear"}:
            return inner
        if maker.op_type == "Transpose":
            said = attribute(maker, "perm")
            order = tuple(said.ints) if said is not None else None
            return Weights(inner.values.transpose(order), inner.steps.transpose(order))
        return None

    def _decoded(self, node: NodeProto) -> Weights | None:
        inner = self.graph.stored.get(node.input[0])
        block = attribute(node, "block_size")
        if inner is None:  # quantized here, from what is stored in floats
            return self._real(node.input[0])
        if block is not None and block.i:
            return None
        axis = attribute(node, "axis")
        numbers = self._array(inner.tensor)
        return self._dequantized(numbers, node.input[1], _input(node, 2), 1 if axis is None else axis.i)

    def _dequantized(self, numbers: Array, scale: str, zero: str, axis: int) -> Weights | None:
        """Numbers by their scales; by steps of one where these are not known, which a factor makes up for."""
        parts = [self.graph.stored.get(name) for name in (scale, zero)]
        if scale and parts[0] is None:
            return None
        shape = [1] * numbers.ndim
        scales, zeros = (
            np.full(shape, default, np.float32) if part is None else _along(self._array(part.tensor), shape, axis)
            for part, default in zip(parts, (1.0, 0.0), strict=True)
        )
        values = (numbers.astype(np.float32) - zeros) * scales
        return Weights(values, np.broadcast_to(scales, values.shape).astype(np.float32))

    def _array(self, tensor: TensorProto) -> Array:
        from onnx import numpy_helper

        found: Array = numpy_helper.to_array(tensor, base_dir=str(self.folder))
        return found if type_name(tensor.data_type) != "bfloat16" else found.astype(np.float32)


def _input(node: NodeProto, place: int) -> str:
    return node.input[place] if place < len(node.input) else ""


def _along(array: Array, shape: Sequence[int], axis: int) -> Array:
    """Scales or zero points, one or one a channel, as they are broadcast over weights."""
    whole = list(shape)
    if array.size > 1:
        whole[axis] = array.size
    return array.astype(np.float32).reshape(whole)


def _turned(node: NodeProto, place: int, values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Outputs first, inputs last."""
    if node.op_type in CONVOLUTIONS:
        depthwise = values.shape[1] == 1 and _is_grouped(node)
        return np.moveaxis(values, (0, 1), (-1, 0)) if depthwise else np.moveaxis(values, 1, -1)
    if node.op_type == "ConvTranspose":
        return np.moveaxis(values, 0, -1)
    if node.op_type == "Gemm" and place == 1:
        turned = attribute(node, "transB")
        return values if turned is not None and turned.i else values.T
    return values.T if node.op_type in PRODUCTS and place != 0 and values.ndim == 2 else values


def _is_grouped(node: NodeProto) -> bool:
    group = attribute(node, "group")
    return group is not None and group.i > 1
