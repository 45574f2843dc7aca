"""What is in a .tflite: scheme, inputs, outputs, operators, size, and what was packed with it."""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from pathlib import Path

import numpy as np

from benchbench.runtimes.tflite.backends.compiled import COMPILED
from benchbench.runtimes.tflite.model.graph import Contents, Graph, Tensor, read
from benchbench.runtimes.tflite.model.input_ranges import input_ranges
from benchbench.runtimes.tflite.model.macs import macs_of
from benchbench.runtimes.tflite.model.packed import minimum_runtime, model_metadata, normalizations, packed_labels
from benchbench.runtimes.tflite.model.scheme import all_weights, compiled_for, granularity_of, scheme_of
from benchbench.runtimes.tflite.model.table_ids import table_lengths
from benchbench.runtimes.tflite.model.weights import PACKED_BITS
from benchbench.values.errors import file_error
from benchbench.values.model import ModelInfo, SignatureInfo, State, SubgraphInfo, TensorInfo

FORMAT = "tflite"
INTEGERS = {"int8", "uint8", "int16", "int4", "int2", "uint4"}
WEIGHT_TYPES = {*INTEGERS, "float32", "float16", "bfloat16", "float64"}


def inspect(path: str | Path) -> ModelInfo:
    """Read a .tflite file; a 5 MB model takes some 20 ms.

    Raises InputError when the file cannot be opened or is no .tflite model.
    """
    path = Path(path)
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise file_error(error, f"{path} cannot be read", remedy="give the path of a .tflite file") from error
    contents = read(path, raw)
    graphs, main = contents.graphs, contents.graphs[0]
    macs, macs_note = macs_of(main)
    files, labels = packed_labels(raw)
    scheme = scheme_of(graphs)
    constants = _constants(contents)
    types = {(op.type, op.custom) for graph in graphs for op in graph.ops}
    return ModelInfo(
        format=FORMAT,
        path=str(path),
        size_bytes=len(raw),
        sha256=hashlib.sha256(raw).hexdigest(),
        scheme=scheme,
        compiled_for=COMPILED[scheme].name if scheme in COMPILED else None,
        granularity=granularity_of(graphs),
        inputs=tuple(_tensor(main.tensors[k]) for k in main.inputs),
        outputs=tuple(_tensor(main.tensors[k]) for k in main.outputs),
        signatures=_signatures(contents),
        subgraphs=tuple(SubgraphInfo(name=g.name, ops=_op_counts(g), tensors=len(g.tensors)) for g in graphs),
        custom_ops=tuple(sorted(name for name, custom in types if custom and not name.startswith("Flex"))),
        flex_ops=tuple(sorted(name for name, custom in types if custom and name.startswith("Flex"))),
        parameters=None if scheme in COMPILED else sum(tensor.elements for tensor in constants),
        weight_bytes=_bytes_by_type(constants),
        macs=macs,
        macs_note=macs_note,
        sparse_tensors=sum(tensor.sparse for graph in graphs for tensor in graph.tensors),
        zero_weights=_zero_share(contents),
        description=contents.description,
        minimum_runtime=minimum_runtime(contents.metadata),
        metadata=tuple(sorted(contents.metadata)),
        about=model_metadata(contents.metadata),
        packed_files=files,
        labels=labels,
        state=_state(graphs),
        input_ranges=input_ranges(main, normalizations(contents.metadata)),
        tables=table_lengths(main),
        notes=_notes(scheme),
    )


def _state(graphs: tuple[Graph, ...]) -> State | None:
    if any(op.type == "VAR_HANDLE" for graph in graphs for op in graph.ops):
        return "resources"
    return "variables" if any(tensor.variable for graph in graphs for tensor in graph.tensors) else None


def _tensor(tensor: Tensor) -> TensorInfo:
    scale = tensor.scales[0] if len(tensor.scales) == 1 and math.isfinite(tensor.scales[0]) else None
    return TensorInfo(
        name=tensor.name,
        dtype=tensor.dtype,
        shape=tensor.shape,
        signature=tensor.signature,
        scale=scale,
        zero_point=None if scale is None else next(iter(tensor.zero_points), 0),
    )


def _signatures(contents: Contents) -> tuple[SignatureInfo, ...]:
    def named(graph: Graph, arguments: dict[str, int], order: tuple[int, ...]) -> dict[str, TensorInfo]:
        place = {index: k for k, index in enumerate(order)}
        ranked = sorted(arguments.items(), key=lambda argument: place.get(argument[1], len(place)))
        return {name: _tensor(graph.tensors[index]) for name, index in ranked}

    found = []
    for s in contents.signatures:
        graph = contents.graphs[s.subgraph]
        lengths = dict(zip(graph.inputs, table_lengths(graph), strict=True))
        inputs, outputs = named(graph, s.inputs, graph.inputs), named(graph, s.outputs, graph.outputs)
        tables = tuple(lengths.get(s.inputs[name]) for name in inputs)
        found.append(SignatureInfo(key=s.key, subgraph=s.subgraph, inputs=inputs, outputs=outputs, tables=tables))
    return tuple(found)


def _op_counts(graph: Graph) -> dict[str, int]:
    return dict(Counter(op.type for op in graph.ops).most_common())


def _constants(contents: Contents) -> list[Tensor]:
    """The learned constants, each buffer once: numbers and biases, but not the shapes and axes beside them, nor what a
    compiled part of the graph is made of.
    """
    by_buffer = {
        tensor.buffer: tensor
        for graph in contents.graphs
        for k, tensor in enumerate(graph.tensors)
        if tensor.constant and (tensor.dtype in WEIGHT_TYPES or tensor.scales) and k not in _commands(graph)
    }
    return list(by_buffer.values())


def _commands(graph: Graph) -> set[int]:
    """The tensors that only compiled parts of a graph read."""
    read = {index for op in graph.ops if compiled_for(op) for index in op.inputs}
    return read - {index for op in graph.ops if not compiled_for(op) for index in op.inputs}


def _bytes_by_type(constants: list[Tensor]) -> dict[str, int]:
    stored = Counter[str]()
    for tensor in constants:
        stored[tensor.dtype] += tensor.data.size
    return dict(stored.most_common())


def _zero_share(contents: Contents) -> float | None:
    """How much of the weights is zero; sparse encodings leave zeros out, so these count from the dense shape."""
    weights = {weight.stored.buffer: weight.stored for weight in all_weights(contents.graphs)}.values()
    total = sum(weight.elements for weight in weights)
    return 1 - sum(_nonzero(weight) for weight in weights) / total if total else None


def _nonzero(tensor: Tensor) -> int:
    """Elements other than the stored value that means zero."""
    zero = tensor.zero_points[0] if len(set(tensor.zero_points)) == 1 else 0
    if bits := PACKED_BITS.get(tensor.dtype):
        shifts = np.arange(0, 8, bits, dtype=np.uint8)
        return int(np.count_nonzero((tensor.data[:, None] >> shifts) & (2**bits - 1)))
    dtype = np.dtype("uint16" if tensor.dtype == "bfloat16" else tensor.dtype)
    whole = tensor.data[: tensor.data.size // dtype.itemsize * dtype.itemsize]
    return int(np.count_nonzero(whole.view(dtype) != zero))


def _notes(scheme: str) -> tuple[str, ...]:
    if target := COMPILED.get(scheme):
        return (f"compiled for {target.name}: what runs inside {target.op} cannot be read",)
    if scheme in {"int8", "uint8"}:
        return ("a file does not tell quantization-aware training from post-training quantization",)
    return ()
