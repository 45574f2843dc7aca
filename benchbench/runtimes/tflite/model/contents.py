"""What of a .tflite tells which network it is."""

from __future__ import annotations

from collections import Counter
from functools import cached_property
from pathlib import Path

from benchbench.runtimes.contents import Contents, Weights
from benchbench.runtimes.tflite.model.graph import Graph, read
from benchbench.runtimes.tflite.model.scheme import all_weights
from benchbench.runtimes.tflite.model.weights import real_weights

PLUMBING = {"QUANTIZE", "DEQUANTIZE", "DENSIFY", "RESHAPE", "RELU", "RELU6", "CAST", "FAKE_QUANT", "PAD", "TRANSPOSE"}


class TfliteContents(Contents):
    """Read where it is needed: a file's weights take a while."""

    @cached_property
    def graphs(self) -> tuple[Graph, ...]:
        path = Path(self.info.path)
        return read(path, path.read_bytes()).graphs

    @cached_property
    def weights(self) -> tuple[Weights, ...]:
        stored = {weight.stored.buffer: weight.stored for weight in all_weights(self.graphs)}
        return tuple(found for t in stored.values() if (found := real_weights(t)) is not None and found.values.size)

    @cached_property
    def ops(self) -> Counter[str]:
        return Counter(op.type for graph in self.graphs for op in graph.ops if op.type not in PLUMBING)

    @property
    def compiled(self) -> bool:
        return self.info.compiled_for is not None or any(op.custom for graph in self.graphs for op in graph.ops)
