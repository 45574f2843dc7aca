"""Tiny .tflite files, built from the flatbuffer schema alone: no TensorFlow, no download, the same bytes every time.

Also usable as a program: `python -m tests.beds.models FOLDER` writes one of each.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

Array = NDArray[Any]
FLOAT32, UINT8, INT8, INT16, INT32, INT64, BOOL, STRING = (
    schema.TensorType.FLOAT32,
    schema.TensorType.UINT8,
    schema.TensorType.INT8,
    schema.TensorType.INT16,
    schema.TensorType.INT32,
    schema.TensorType.INT64,
    schema.TensorType.BOOL,
    schema.TensorType.STRING,
)
OPS = schema.BuiltinOperator
ELEMENTWISE = (OPS.RELU, OPS.LOGISTIC, OPS.HARD_SWISH, OPS.TANH)


@dataclass(frozen=True, slots=True)
class Quantized:
    """Per-tensor, or per channel of `axis` when there are several scales."""

    scales: tuple[float, ...]
    zero_points: tuple[int, ...]
    axis: int = 0


@dataclass(frozen=True, slots=True)
class Op:
    """One operator: a builtin code, or the name of a custom op; tensors by their numbers."""

    code: int | str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: tuple[int, Any] | None = None


class Graph:
    """Collects tensors and operators of one subgraph and writes the file."""

    def __init__(self) -> None:
        self._tensors: list[Any] = []
        self._buffers: list[Any] = [schema.BufferT()]
        self._ops: list[Op] = []

    def tensor(
        self,
        name: str,
        shape: Sequence[int],
        kind: int = FLOAT32,
        *,
        data: Array | None = None,
        quantized: Quantized | None = None,
    ) -> int:
        made = schema.TensorT()
        made.name, made.shape, made.type, made.buffer = name.encode(), list(shape), kind, 0
        made.quantization = schema.QuantizationParametersT()
        if quantized:
            made.quantization.scale = list(quantized.scales)
            made.quantization.zeroPoint = list(quantized.zero_points)
            made.quantization.quantizedDimension = quantized.axis
        if data is not None:
            buffer = schema.BufferT()
            buffer.data = np.frombuffer(np.ascontiguousarray(data).tobytes(), np.uint8)
            made.buffer = len(self._buffers)
            self._buffers.append(buffer)
        self._tensors.append(made)
        return len(self._tensors) - 1

    def op(self, code: int | str, inputs: Sequence[int], output: int, options: tuple[int, Any] | None = None) -> int:
        self._ops.append(Op(code, tuple(inputs), (output,), options))
        return output

    def file(self, inputs: Sequence[int], outputs: Sequence[int]) -> bytes:
        model, graph = schema.ModelT(), schema.SubGraphT()
        graph.name, graph.tensors, graph.inputs, graph.outputs = b"main", self._tensors, list(inputs), list(outputs)
        codes = list(dict.fromkeys(op.code for op in self._ops))
        graph.operators = [_operator(op, codes) for op in self._ops]
        model.version, model.description, model.buffers = 3, b"benchbench test model", self._buffers
        model.operatorCodes = [_operator_code(code) for code in codes]
        model.subgraphs = [graph]
        builder = flatbuffers.Builder(1024)
        builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
        return bytes(builder.Output())


def _operator(op: Op, codes: list[int | str]) -> Any:
    made = schema.OperatorT()
    made.opcodeIndex, made.inputs, made.outputs = codes.index(op.code), list(op.inputs), list(op.outputs)
    if op.options:
        made.builtinOptionsType, made.builtinOptions = op.options
    return made


def _operator_code(code: int | str) -> Any:
    made = schema.OperatorCodeT()
    builtin = OPS.CUSTOM if isinstance(code, str) else code
    made.version, made.builtinCode, made.deprecatedBuiltinCode = 1, builtin, min(builtin, 127)
    if isinstance(code, str):
        made.customCode = code.encode()
    return made


def add_model(shape: Sequence[int] = (1,)) -> bytes:
    """y = a + b: two inputs, one node."""
    graph = Graph()
    a, b, y = (graph.tensor(name, shape) for name in "aby")
    graph.op(OPS.ADD, (a, b), y, (schema.BuiltinOptions.AddOptions, schema.AddOptionsT()))
    return graph.file([a, b], [y])


def chain_model(nodes: int = 4, shape: Sequence[int] = (1, 16, 16, 8), ops: Sequence[int | str] = ELEMENTWISE) -> bytes:
    """`nodes` elementwise operators, one after the other, taken from `ops` in turn."""
    graph = Graph()
    first = last = graph.tensor("x", shape)
    for k in range(nodes):
        last = graph.op(ops[k % len(ops)], (last,), graph.tensor(f"t{k}", shape))
    return graph.file([first], [last])


def edgetpu_model(shape: Sequence[int] = (1, 8)) -> bytes:
    """What edgetpu_compiler leaves: one custom op that only the Edge TPU's delegate knows."""
    graph = Graph()
    x, y = graph.tensor("x", shape, UINT8), graph.tensor("y", shape, UINT8)
    graph.op("edgetpu-custom-op", (x,), y)
    return graph.file([x], [y])


def typed_model(kind: int, shape: Sequence[int] = (1, 4)) -> bytes:
    """A reshape of a tensor type that float paths do not know (int64, int16 …)."""
    graph = Graph()
    x, y = graph.tensor("x", shape, kind), graph.tensor("y", (*shape, 1), kind)
    wanted = graph.tensor("shape", (len(shape) + 1,), INT32, data=np.array([*shape, 1], np.int32))
    graph.op(OPS.RESHAPE, (x, wanted), y, (schema.BuiltinOptions.ReshapeOptions, schema.ReshapeOptionsT()))
    return graph.file([x], [y])


def conv_model(size: int = 32, channels: int = 16, layers: int = 3, classes: int = 10) -> bytes:
    """A float32 convolutional classifier with real weights: 3x3 convolutions, global mean, fully connected, softmax."""
    graph, random = Graph(), np.random.RandomState(7)
    x = last = graph.tensor("image", (1, size, size, 3))
    depth = 3
    for layer in range(layers):
        last = _conv(graph, random, last, layer, size, depth, channels)
        depth = channels
    axes = graph.tensor("axes", (2,), INT32, data=np.array([1, 2], np.int32))
    mean = graph.op(OPS.MEAN, (last, axes), graph.tensor("mean", (1, depth)), _reducer())
    weights = graph.tensor("fc/w", (classes, depth), data=_weights(random, (classes, depth), depth))
    bias = graph.tensor("fc/b", (classes,), data=np.zeros(classes, np.float32))
    logits = graph.tensor("logits", (1, classes))
    options = (schema.BuiltinOptions.FullyConnectedOptions, schema.FullyConnectedOptionsT())
    graph.op(OPS.FULLY_CONNECTED, (mean, weights, bias), logits, options)
    softmax = schema.SoftmaxOptionsT()
    softmax.beta = 1.0
    y = graph.tensor("probabilities", (1, classes))
    graph.op(OPS.SOFTMAX, (logits,), y, (schema.BuiltinOptions.SoftmaxOptions, softmax))
    return graph.file([x], [y])


def filter_model(size: int = 32, channels: int = 8, layers: int = 2) -> bytes:
    """A float32 net from an image to one of the same size, with real weights: 3x3 convolutions."""
    graph, random = Graph(), np.random.RandomState(7)
    x = last = graph.tensor("image", (1, size, size, 3))
    for layer in range(layers):
        last = _conv(graph, random, last, layer, size, channels if layer else 3, channels)
    return graph.file([x], [_conv(graph, random, last, layers, size, channels, 3)])


def _weights(random: np.random.RandomState, shape: Sequence[int], fan_in: int) -> Array:
    return np.asarray(random.normal(0, (2 / fan_in) ** 0.5, shape), np.float32)


def _reducer() -> tuple[int, Any]:
    options = schema.ReducerOptionsT()
    options.keepDims = False
    return schema.BuiltinOptions.ReducerOptions, options


def _conv_options() -> tuple[int, Any]:
    options = schema.Conv2DOptionsT()
    options.padding, options.strideH, options.strideW = schema.Padding.SAME, 1, 1
    options.dilationHFactor = options.dilationWFactor = 1
    options.fusedActivationFunction = schema.ActivationFunctionType.RELU
    return schema.BuiltinOptions.Conv2DOptions, options


def _conv(graph: Graph, random: np.random.RandomState, x: int, layer: int, size: int, depth: int, channels: int) -> int:
    shape = (channels, 3, 3, depth)
    weights = graph.tensor(f"conv{layer}/w", shape, data=_weights(random, shape, 9 * depth))
    bias = graph.tensor(f"conv{layer}/b", (channels,), data=np.zeros(channels, np.float32))
    y = graph.tensor(f"conv{layer}", (1, size, size, channels))
    return graph.op(OPS.CONV_2D, (x, weights, bias), y, _conv_options())


def quantized_model(size: int = 16, channels: int = 8, kind: int = INT8) -> bytes:
    """One int8 (or uint8) convolution with integer input and output, each with a scale and zero point of its own."""
    graph, random = Graph(), np.random.RandomState(7)
    zero = -128 if kind == INT8 else 0
    image = graph.tensor("image", (1, size, size, 3), kind, quantized=Quantized((1 / 255,), (zero,)))
    shape = (channels, 3, 3, 3)
    if kind == INT8:
        data = np.asarray(random.randint(-127, 128, shape), np.int8)
        how = Quantized((0.01,) * channels, (0,) * channels)
    else:
        data, how = np.asarray(random.randint(0, 256, shape), np.uint8), Quantized((0.01,), (128,))
    weights = graph.tensor("conv/w", shape, kind, data=data, quantized=how)
    in_bias = Quantized(tuple(scale / 255 for scale in how.scales), (0,) * len(how.scales))
    bias = graph.tensor("conv/b", (channels,), INT32, data=np.zeros(channels, np.int32), quantized=in_bias)
    y = graph.tensor("y", (1, size, size, channels), kind, quantized=Quantized((0.05,), (zero,)))
    graph.op(OPS.CONV_2D, (image, weights, bias), y, _conv_options())
    return graph.file([image], [y])


def truncated_model() -> bytes:
    """The first half of a good file."""
    whole = conv_model()
    return whole[: len(whole) // 2]


def corrupt_model() -> bytes:
    """The right length and identifier, and noise behind them."""
    noise = np.random.RandomState(1).bytes(2000)
    return b"\x1c\x00\x00\x00TFL3" + noise


MODELS: dict[str, Callable[[], bytes]] = {
    "add": add_model,
    "chain": chain_model,
    "conv": conv_model,
    "int8": quantized_model,
    "edgetpu": edgetpu_model,
    "truncated": truncated_model,
    "corrupt": corrupt_model,
}

if __name__ == "__main__":
    folder = Path(sys.argv[1])
    for name, build in MODELS.items():
        (folder / f"{name}.tflite").write_bytes(build())
