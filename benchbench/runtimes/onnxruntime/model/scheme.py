"""Which quantization scheme a graph has, judged by its weights and by what they are multiplied with.

The weights are the constants of rank 2 and more that an operator computes with, looked up through DequantizeLinear,
Cast and what only reshapes. Each says a scheme together with the activation beside it:

    activation                weight stored as        scheme
    float32, float16          the same                float32, float16
    float32                   float16 (cast)          float16
    float32                   int8 (dequantized)      weight-only-int8
    quantized while running   int8                    dynamic-int8
    int8 (QDQ, QLinear…)      int8                    int8         ("S8S8")
    uint8                     uint8                   uint8
    uint8                     int8                    u8s8
    int16                     int8                    int16x8
    float32                   int4 blocks             weight-only-int4

The scheme that holds at least nine tenths of the weights is the model's, else it is "mixed": quantizers leave small
layers as they are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchbench.runtimes.onnxruntime.model.graph import Constant, Graph, attribute

if TYPE_CHECKING:
    from onnx import NodeProto

DOMINANT = 0.9
# Where weights stand among the inputs of an operator: those that may be constants there.
WEIGHTS = {
    "Conv": (1,),
    "ConvTranspose": (1,),
    "FusedConv": (1,),
    "Gemm": (0, 1),
    "MatMul": (0, 1),
    "FusedMatMul": (0, 1),
    "FusedGemm": (0, 1),
    "LSTM": (1, 2),
    "GRU": (1, 2),
    "RNN": (1, 2),
    "Gather": (0,),
    "Attention": (1,),
    "QLinearConv": (3,),
    "QLinearMatMul": (0, 3),
    "ConvInteger": (1,),
    "MatMulInteger": (0, 1),
    "MatMulIntegerToFloat": (1,),
    "DynamicQuantizeMatMul": (1,),
    "DynamicQuantizeLSTM": (1, 2),
    "QAttention": (1,),
    "QGemm": (3,),
    "MatMulNBits": (1,),
}
DYNAMIC = {"ConvInteger", "MatMulInteger", "MatMulIntegerToFloat", "DynamicQuantizeMatMul", "DynamicQuantizeLSTM"}
ZERO_POINT = {"QLinearConv": 2, "QLinearMatMul": 2, "QGemm": 2}  # of the activation, among the inputs
SCALE = {"QLinearConv": 4, "QLinearMatMul": 4, "QGemm": 4}  # of the weight
NAMES = {
    ("int8", "int8"): "int8",
    ("uint8", "uint8"): "uint8",
    ("uint8", "int8"): "u8s8",
    ("int16", "int8"): "int16x8",
    ("uint16", "uint8"): "uint16x8",
}
FLOATS = ("float32", "float16", "bfloat16", "float64")


@dataclass(frozen=True)
class Weight:
    """One use of a weight: by which operator, as stored, and the type of the activation beside it.

    The activation is "dynamic" where it is quantized while running, None where it is in real numbers.
    """

    op: str
    stored: Constant
    activation: str | None
    scale: str  # the name of its scales; "" = it has none
    bits: int | None = None  # packed into bytes

    @property
    def scheme(self) -> str:
        stored = f"int{self.bits}" if self.bits else self.stored.dtype
        if self.activation == "dynamic":
            return f"dynamic-{stored}"
        if self.activation is not None:
            return NAMES.get((self.activation, stored), f"{self.activation}x{stored}")
        return stored if stored in FLOATS else f"weight-only-{stored}"

    @property
    def elements(self) -> int:
        return self.stored.elements * (8 // self.bits if self.bits else 1)


def weights_of(graph: Graph) -> Iterator[Weight]:
    """The uses of weights in one graph."""
    for node in graph.nodes:
        places = [k for k in WEIGHTS.get(node.op_type, ()) if k < len(node.input)]
        for place in places:
            stored = graph.constants.get(node.input[place])
            if stored is not None and len(stored.shape) >= 2:
                yield _weight(graph, node, place, stored)


def _weight(graph: Graph, node: NodeProto, place: int, stored: Constant) -> Weight:
    scale, bits = stored.scale, None
    if node.op_type in SCALE:
        scale = node.input[SCALE[node.op_type]]
    if node.op_type == "MatMulNBits":
        found = attribute(node, "bits")
        scale, bits = node.input[2], found.i if found is not None else 4
    return Weight(node.op_type, stored, _activation(graph, node, place), scale, bits)


def _activation(graph: Graph, node: NodeProto, place: int) -> str | None:
    if node.op_type in DYNAMIC:
        return "dynamic"
    if node.op_type in ZERO_POINT:
        zero_point = graph.constants.get(node.input[ZERO_POINT[node.op_type]])
        return zero_point.dtype if zero_point else "uint8"
    if node.op_type == "Gather":
        return None
    other = 1 - place if place <= 1 else 0
    return graph.quantized_as(node.input[other]) if other < len(node.input) else None


def scheme_of(graphs: Sequence[Graph]) -> str:
    """The scheme of a model, see the table above."""
    shares = Counter[str]()
    for graph in graphs:
        for weight in weights_of(graph):
            shares[weight.scheme] += weight.elements
    if not shares.total():
        return _without_weights(graphs)
    scheme, elements = shares.most_common(1)[0]
    return scheme if elements >= DOMINANT * shares.total() else "mixed"


def granularity_of(graphs: Sequence[Graph]) -> str | None:
    """How the integer weights are scaled: per-tensor, per-channel, per-block; None where none is scaled."""
    found = None
    for graph in graphs:
        for weight in weights_of(graph):
            if weight.bits or weight.stored.blockwise:
                return "per-block"
            scales = graph.constants.get(weight.scale)
            if scales is not None:
                found = "per-channel" if scales.elements > 1 or found == "per-channel" else "per-tensor"
    return found


def _without_weights(graphs: Sequence[Graph]) -> str:
    """A graph of plain arithmetic is named after the type of most of its numbers."""
    types = Counter(name for graph in graphs for name in graph.types.values() if name in FLOATS)
    return types.most_common(1)[0][0] if types else "none"
