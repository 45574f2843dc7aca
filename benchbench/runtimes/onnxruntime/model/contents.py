"""What of a .onnx tells which network it is."""

from __future__ import annotations

from collections import Counter
from functools import cached_property
from pathlib import Path

from benchbench.runtimes.contents import Contents, Weights
from benchbench.runtimes.onnxruntime.model.graph import Graph, whole
from benchbench.runtimes.onnxruntime.model.read import read
from benchbench.runtimes.onnxruntime.model.weights import CONVOLUTIONS, PRODUCTS, Reader

# What quantizers add, and what stands beside a product that they took out of a Gemm.
PLUMBING = {
    *("QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear", "Cast", "Constant", "Identity", "Transpose"),
    *("Reshape", "Flatten", "Squeeze", "Unsqueeze", "Pad", "Relu", "Clip", "Mul", "Add"),
}
PRODUCT = {*PRODUCTS, "Gemm", "QGemm", "FusedGemm", "MatMulNBits"}


class OnnxContents(Contents):
    """Read where it is needed: a file's weights take a while."""

    @cached_property
    def graphs(self) -> tuple[Graph, ...]:
        return tuple(whole(read(Path(self.info.path))[0]))

    @cached_property
    def weights(self) -> tuple[Weights, ...]:
        folder = Path(self.info.path).parent
        return tuple(found for graph in self.graphs for found in Reader(graph, folder).weights())

    @cached_property
    def ops(self) -> Counter[str]:
        used = (node.op_type for graph in self.graphs for node in graph.nodes)
        return Counter(_plain(op) for op in used if op not in PLUMBING)

    @cached_property
    def compiled(self) -> bool:
        return any(node.op_type == "EPContext" for graph in self.graphs for node in graph.nodes)


def _plain(op: str) -> str:
    """The operator that a quantized or fused one stands for."""
    return "Conv" if op in CONVOLUTIONS else "MatMul" if op in PRODUCT else op
