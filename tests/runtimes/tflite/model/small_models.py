"""Tiny .tflite files, written with the schema's own builder; no converter is needed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema


@dataclass(frozen=True)
class T:
    """A tensor: a constant where it has data."""

    shape: tuple[int, ...]
    dtype: str = "FLOAT32"
    data: Any = None
    scales: tuple[float, ...] = ()
    zero_points: tuple[int, ...] = ()
    signature: tuple[int, ...] = ()


@dataclass(frozen=True)
class O:  # noqa: E742  # short, for it stands in tables of operators
    """An operator: builtin by name, or custom where there is no builtin of that name."""

    type: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: tuple[str, dict[str, Any]] | None = None


@dataclass(frozen=True)
class M:
    """A model of one subgraph."""

    tensors: Sequence[T]
    ops: Sequence[O]
    inputs: tuple[int, ...] = (0,)
    outputs: tuple[int, ...] = (-1,)
    metadata: dict[str, bytes] = field(default_factory=dict)


def build(model: M) -> bytes:
    """The bytes of a model."""
    buffers = [schema.BufferT()]
    packed = schema.ModelT()
    packed.version = 3
    packed.description = b"made by a test"
    packed.buffers = buffers
    graph = schema.SubGraphT()
    graph.name = b"main"
    graph.tensors = [_tensor(f"t{k}", tensor, buffers) for k, tensor in enumerate(model.tensors)]
    graph.inputs = list(model.inputs)
    graph.outputs = [k % len(model.tensors) for k in model.outputs]
    packed.operatorCodes, graph.operators = [], []
    for op in model.ops:
        packed.operatorCodes.append(_code(op.type))
        graph.operators.append(_op(op, len(packed.operatorCodes) - 1))
    packed.subgraphs = [graph]
    packed.metadata = []
    for name, content in model.metadata.items():
        entry = schema.MetadataT()
        entry.name, entry.buffer = name.encode(), _buffer(content, buffers)
        packed.metadata.append(entry)
    builder = flatbuffers.Builder(1024)
    builder.Finish(packed.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


def _buffer(content: bytes, buffers: list[Any]) -> int:
    buffer = schema.BufferT()
    buffer.data = np.frombuffer(content, np.uint8)
    buffers.append(buffer)
    return len(buffers) - 1


def _tensor(name: str, tensor: T, buffers: list[Any]) -> Any:
    packed = schema.TensorT()
    packed.name, packed.shape, packed.type = name.encode(), list(tensor.shape), getattr(schema.TensorType, tensor.dtype)
    packed.shapeSignature = list(tensor.signature) or None
    packed.buffer = 0 if tensor.data is None else _buffer(np.ascontiguousarray(tensor.data).tobytes(), buffers)
    packed.quantization = schema.QuantizationParametersT()
    packed.quantization.scale = list(tensor.scales) or None
    packed.quantization.zeroPoint = list(tensor.zero_points or (0,) * len(tensor.scales)) or None
    return packed


def _code(name: str) -> Any:
    code = schema.OperatorCodeT()
    code.version = 1
    code.builtinCode = getattr(schema.BuiltinOperator, name, schema.BuiltinOperator.CUSTOM)
    code.deprecatedBuiltinCode = min(code.builtinCode, 127)
    if code.builtinCode == schema.BuiltinOperator.CUSTOM:
        code.customCode = name.encode()
    return code


def _op(op: O, index: int) -> Any:
    packed = schema.OperatorT()
    packed.opcodeIndex, packed.inputs, packed.outputs = index, list(op.inputs), list(op.outputs)
    if op.options:
        name, values = op.options
        packed.builtinOptionsType = getattr(schema.BuiltinOptions, name)
        packed.builtinOptions = getattr(schema, f"{name}T")()
        for key, value in values.items():
            setattr(packed.builtinOptions, key, value)
    return packed


def zeros(*shape: int, dtype: str = "float32") -> Any:
    """Data for a constant."""
    return np.zeros(shape, dtype)


def dense(weights: T, activation: str = "FLOAT32", *, decoded: bool = False) -> bytes:
    """A fully connected layer [1, 8] -> [1, 4] with the given weights [4, 8]."""
    tensors = [T((1, 8), activation), weights, T((4, 8)), T((1, 4), activation)]
    if decoded:
        return build(M(tensors, [O("DEQUANTIZE", (1,), (2,)), O("FULLY_CONNECTED", (0, 2), (3,))]))
    return build(M(tensors, [O("FULLY_CONNECTED", (0, 1), (3,))]))
