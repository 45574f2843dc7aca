"""The graphs of a .tflite file as plain values, read from the flatbuffer without trusting it.

Every offset is checked by the reader itself: Python's struct and numpy refuse to read past the end, and the number of
tables that may be visited is bounded by the size of the file, so that a hostile one costs no more than an honest one.
Format: https://github.com/google-ai-edge/LiteRT/blob/main/tflite/schema/schema.fbs, version 3.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from functools import cache
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchbench.values.errors import InputError
from benchbench.values.file_kind import file_kind

Bytes = NDArray[np.uint8]
MALFORMED = (struct.error, ValueError, IndexError, TypeError, OverflowError, AttributeError)
KNOWN_STARTS = {
    b"PK\x03\x04": "a zip archive",
    b"\x89HDF": "a Keras .h5 file",
    b"\x7fELF": "a program",
    b"vers": "the pointer of a file in Git LFS",
}


@dataclass(frozen=True)
class Tensor:
    """One tensor; `data` holds the stored bytes of a constant (a view of the file), empty for anything else."""

    name: str
    dtype: str  # float32, int8, int4, … in lower case
    shape: tuple[int, ...]
    signature: tuple[int, ...]  # the shape with -1 where it is dynamic
    scales: tuple[float, ...] = ()
    zero_points: tuple[int, ...] = ()
    axis: int = 0  # of the scales, where there are several
    blockwise: bool = False
    sparse: bool = False
    variable: bool = False
    buffer: int = 0
    data: Bytes = field(default_factory=lambda: np.empty(0, np.uint8), repr=False, compare=False)

    @property
    def constant(self) -> bool:
        return self.data.size > 0

    @property
    def elements(self) -> int:
        return prod(self.shape)


@dataclass(frozen=True)
class Op:
    """One operator: its type (CONV_2D, or a custom op's own name), its tensors by index (-1 = left out)."""

    type: str
    custom: bool
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    transposes_x: bool = False  # BATCH_MATMUL with adj_x
    axis: int = 0  # of GATHER


@dataclass(frozen=True)
class Graph:
    """One subgraph."""

    name: str
    tensors: tuple[Tensor, ...]
    ops: tuple[Op, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


@dataclass(frozen=True)
class Signature:
    """A named entry point: its argument names, each with a tensor index of its subgraph."""

    key: str
    subgraph: int
    inputs: dict[str, int]
    outputs: dict[str, int]


@dataclass(frozen=True)
class Contents:
    """A .tflite file, read."""

    version: int
    description: str
    graphs: tuple[Graph, ...]
    signatures: tuple[Signature, ...]
    metadata: dict[str, bytes]  # entry -> the bytes of its buffer


def read(path: Path, raw: bytes) -> Contents:
    """The contents of `raw`, the bytes of the file `path`.

    Raises InputError naming the file when it is no .tflite model, truncated, or inconsistent in itself.
    """
    if raw[4:8] != b"TFL3":
        kind = file_kind(raw)
        what = f"it is {kind}" if kind else "it lacks the identifier TFL3"
        raise InputError(f"{path} is no .tflite model: {what}", remedy="give a TFLite/LiteRT flatbuffer")
    try:
        return _Reader(raw).contents()
    except MALFORMED as error:
        raise InputError(
            f"{path} is no .tflite model that can be read: {_told(error)}",
            remedy="the file is truncated or corrupt; fetch or convert it again",
        ) from error


def _told(error: Exception) -> str:
    return "it ends too early" if isinstance(error, struct.error) else str(error) or type(error).__name__


@cache
def _names(enum: str) -> dict[int, str]:
    from ai_edge_litert import schema_py_generated as schema

    return {code: name for name, code in vars(getattr(schema, enum)).items() if not name.startswith("_")}


class _Reader:
    """Walks one flatbuffer; `allowance` is how many tables may still be visited."""

    def __init__(self, raw: bytes) -> None:
        from ai_edge_litert import schema_py_generated as schema

        self.schema = schema
        self.raw = raw
        self.model = schema.Model.GetRootAs(raw)
        self.allowance = len(raw) // 4  # a table is reached through an offset of four bytes

    def contents(self) -> Contents:
        if (version := int(self.model.Version())) != 3:
            raise ValueError(f"its schema version is {version}, not 3")
        self.buffers = [self._buffer(b) for b in self._tables(self.model.Buffers, self.model.BuffersLength())]
        self.codes = [self._code(c) for c in self._tables(self.model.OperatorCodes, self.model.OperatorCodesLength())]
        graphs = tuple(self._graph(g) for g in self._tables(self.model.Subgraphs, self.model.SubgraphsLength()))
        if not graphs:
            raise ValueError("it holds no subgraph")
        signatures = self._tables(self.model.SignatureDefs, self.model.SignatureDefsLength())
        metadata = self._tables(self.model.Metadata, self.model.MetadataLength())
        return Contents(
            version=version,
            description=_text(self.model.Description()),
            graphs=graphs,
            signatures=tuple(self._signature(s, graphs) for s in signatures),
            metadata={_text(m.Name()): self.buffers[m.Buffer()].tobytes() for m in metadata},
        )

    def _tables(self, get: Any, length: int) -> list[Any]:
        self.allowance -= length
        if self.allowance < 0:
            raise ValueError("it names more tables than it has room for")
        return [get(k) for k in range(length)]

    def _buffer(self, buffer: Any) -> Bytes:
        if buffer.Offset() > 1:  # models over 2 GB keep their data behind the flatbuffer; 0 and 1 mean "not so"
            return np.frombuffer(self.raw, np.uint8, count=buffer.Size(), offset=buffer.Offset())
        data = buffer.DataAsNumpy()
        return data if isinstance(data, np.ndarray) else np.empty(0, np.uint8)

    def _code(self, code: Any) -> tuple[str, bool]:
        # Files from before 2020 have only the deprecated byte; newer ones have both, equal below 127.
        number = max(code.DeprecatedBuiltinCode(), code.BuiltinCode())
        if number == self.schema.BuiltinOperator.CUSTOM:
            return _text(code.CustomCode()) or "CUSTOM", True
        return _names("BuiltinOperator").get(number, f"BUILTIN_{number}"), False

    def _graph(self, graph: Any) -> Graph:
        tensors = tuple(self._tensor(t) for t in self._tables(graph.Tensors, graph.TensorsLength()))
        ops = tuple(self._op(o) for o in self._tables(graph.Operators, graph.OperatorsLength()))
        inputs, outputs = _integers(graph.InputsAsNumpy()), _integers(graph.OutputsAsNumpy())
        used = [*inputs, *outputs, *(t for op in ops for t in (*op.inputs, *op.outputs))]
        if used and not -1 <= min(used) <= max(used) < len(tensors):
            raise ValueError(f"a subgraph of {len(tensors)} tensors refers to tensor {max(used)}")
        return Graph(_text(graph.Name()), tensors, ops, inputs, outputs)

    def _tensor(self, tensor: Any) -> Tensor:
        shape = _integers(tensor.ShapeAsNumpy())
        quantization = tensor.Quantization()
        return Tensor(
            name=_text(tensor.Name()),
            dtype=_names("TensorType").get(tensor.Type(), f"TYPE_{tensor.Type()}").lower(),
            shape=shape,
            signature=_integers(tensor.ShapeSignatureAsNumpy()) or shape,
            scales=_floats(quantization.ScaleAsNumpy()) if quantization else (),
            zero_points=_integers(quantization.ZeroPointAsNumpy()) if quantization else (),
            axis=int(quantization.QuantizedDimension()) if quantization else 0,
            blockwise=bool(quantization)
            and quantization.DetailsType() == self.schema.QuantizationDetails.BlockwiseQuantization,
            sparse=tensor.Sparsity() is not None,
            variable=bool(tensor.IsVariable()),
            buffer=tensor.Buffer(),
            data=self.buffers[tensor.Buffer()],
        )

    def _op(self, op: Any) -> Op:
        kind, custom = self.codes[op.OpcodeIndex()]
        return Op(
            type=kind,
            custom=custom,
            inputs=_integers(op.InputsAsNumpy()),
            outputs=_integers(op.OutputsAsNumpy()),
            transposes_x=kind == "BATCH_MATMUL" and self._transposes_x(op),
            axis=self._axis(op) if kind == "GATHER" else 0,
        )

    def _transposes_x(self, op: Any) -> bool:
        table = op.BuiltinOptions()
        if table is None:
            return False
        options = self.schema.BatchMatMulOptions()
        options.Init(table.Bytes, table.Pos)
        return bool(options.AdjX())

    def _axis(self, op: Any) -> int:
        table = op.BuiltinOptions()
        if table is None:
            return 0
        options = self.schema.GatherOptions()
        options.Init(table.Bytes, table.Pos)
        return int(options.Axis())

    def _signature(self, signature: Any, graphs: tuple[Graph, ...]) -> Signature:
        inputs = self._tables(signature.Inputs, signature.InputsLength())
        outputs = self._tables(signature.Outputs, signature.OutputsLength())
        index = int(signature.SubgraphIndex())
        if any(argument.TensorIndex() >= len(graphs[index].tensors) for argument in (*inputs, *outputs)):
            raise ValueError("a signature refers to a tensor that its subgraph does not have")
        return Signature(
            key=_text(signature.SignatureKey()),
            subgraph=index,
            inputs={_text(i.Name()): int(i.TensorIndex()) for i in inputs},
            outputs={_text(o.Name()): int(o.TensorIndex()) for o in outputs},
        )


def _text(value: bytes | None) -> str:
    return (value or b"").decode("utf-8", errors="replace")


def _integers(vector: Any) -> tuple[int, ...]:
    """A vector of the flatbuffer; an absent one is the number 0 in the generated code."""
    return tuple(vector.tolist()) if isinstance(vector, np.ndarray) else ()


def _floats(vector: Any) -> tuple[float, ...]:
    return tuple(vector.tolist()) if isinstance(vector, np.ndarray) else ()
