"""What is in a .onnx: scheme, inputs, outputs, operators, size, opset, metadata."""

from __future__ import annotations

import ast
import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchbench.runtimes.onnxruntime.model.graph import Constant, Graph, type_name, whole
from benchbench.runtimes.onnxruntime.model.macs import macs_of
from benchbench.runtimes.onnxruntime.model.read import files_beside, read
from benchbench.runtimes.onnxruntime.model.scheme import granularity_of, scheme_of, weights_of
from benchbench.runtimes.onnxruntime.newer import REMEDY, newer_than_this_host
from benchbench.values.case import DataFile
from benchbench.values.model import ModelInfo, SubgraphInfo, TensorInfo

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto, ValueInfoProto

FORMAT = "onnx"
WEIGHT_TYPES = {"int8", "uint8", "int16", "int4", "uint4", "int2", "uint2", "float32", "float16", "bfloat16", "float64"}
KNOWN_DOMAINS = {"", "ai.onnx", "ai.onnx.ml", "com.microsoft", "com.microsoft.nchwc", "ai.onnx.training"}
NAMES = "names"  # where Ultralytics' exporter keeps the names of classes


def inspect(path: str | Path) -> ModelInfo:
    """Read a .onnx file and what it names beside itself.

    Raises InputError when a file cannot be read, is no ONNX model, or the package onnx is not installed.
    """
    path = Path(path)
    model, raw = read(path)
    beside = files_beside(path, model)
    graphs = list(whole(model))
    macs, macs_note = macs_of(model)
    constants = list(_constants(graphs))
    metadata = {entry.key: entry.value for entry in model.metadata_props}
    inputs = _inputs(model)
    return ModelInfo(
        format=FORMAT,
        path=str(path),
        size_bytes=len(raw) + sum((path.parent / name).stat().st_size for name in beside),
        sha256=hashlib.sha256(raw).hexdigest(),
        data=tuple(DataFile(name=name, sha256=_digest(path.parent / name)) for name in beside),
        scheme=scheme_of(graphs),
        granularity=granularity_of(graphs),
        inputs=inputs,
        outputs=tuple(map(_tensor, model.graph.output)),
        subgraphs=tuple(map(_subgraph, graphs)),
        custom_ops=_custom_ops(model, graphs),
        parameters=sum(constant.elements for constant in constants),
        weight_bytes=_bytes_by_type(constants),
        macs=macs,
        macs_note=macs_note,
        zero_weights=_zero_share(path, graphs),
        description=_description(model),
        metadata=tuple(sorted(metadata)),
        about=metadata | _about(model),
        labels=_labels(metadata),
        input_ranges=tuple(None for _ in inputs),
        tables=_tables(model, graphs[0], inputs),
        notes=(f"{too_new}: {REMEDY}",) if (too_new := newer_than_this_host(model)) else (),
    )


def _inputs(model: ModelProto) -> tuple[TensorInfo, ...]:
    """Those that must be fed: before IR version 4, constants stand among the inputs, too."""
    constants = {tensor.name for tensor in model.graph.initializer}
    return tuple(_tensor(argument) for argument in model.graph.input if argument.name not in constants)


def _tensor(value: ValueInfoProto) -> TensorInfo:
    """Sizes that are left open count as 1; what is no tensor has its kind for a type."""
    if not value.type.HasField("tensor_type"):
        kind = (value.type.WhichOneof("value") or "unknown").removesuffix("_type")
        return TensorInfo(name=value.name, dtype=kind, shape=(), signature=())
    kind = value.type.tensor_type
    open_ones = tuple(size.dim_value if size.HasField("dim_value") else -1 for size in kind.shape.dim)
    signature = tuple(max(-1, size) for size in open_ones)
    shape = tuple(1 if size < 0 else size for size in signature)
    about = {"name": value.name, "dtype": type_name(kind.elem_type), "shape": shape, "signature": signature}
    return TensorInfo(**about, symbols=tuple(size.dim_param for size in kind.shape.dim))


def _subgraph(graph: Graph) -> SubgraphInfo:
    ops = dict(Counter(node.op_type for node in graph.nodes).most_common())
    values = {name for node in graph.nodes for name in [*node.input, *node.output] if name}
    return SubgraphInfo(name=graph.proto.name, ops=ops, tensors=len(values))


def _custom_ops(model: ModelProto, graphs: Sequence[Graph]) -> tuple[str, ...]:
    """Operators that ONNX Runtime does not have by itself, with their domain."""
    defined = {(function.domain, function.name) for function in model.functions}
    used = {(node.domain, node.op_type) for graph in graphs for node in graph.nodes}
    return tuple(sorted(f"{domain}.{op}" for domain, op in used - defined if domain not in KNOWN_DOMAINS))


def _constants(graphs: Sequence[Graph]) -> Iterator[Constant]:
    """The learned constants: numbers and biases, but not shapes and axes, nor the scales of what is quantized."""
    for graph in graphs:
        scaling = {name for node in graph.nodes for name in _scales(node)}
        decoded = {node.input[0] for node in graph.nodes if node.op_type == "DequantizeLinear"}
        for name, constant in graph.stored.items():
            if name not in scaling and (constant.dtype in WEIGHT_TYPES or name in decoded):
                yield constant


def _scales(node: NodeProto) -> Sequence[str]:
    """The inputs of a node that are scales and zero points."""
    if node.op_type.startswith("QLinear"):  # first input, its scale and zero point; second input, …
        return [*node.input[1:3], *node.input[4:8]]
    return node.input[1:] if node.op_type in {"QuantizeLinear", "DequantizeLinear"} else ()


def _bytes_by_type(constants: Sequence[Constant]) -> dict[str, int]:
    stored = Counter[str]()
    for constant in constants:
        stored[constant.dtype] += constant.stored_bytes
    return dict(stored.most_common())


def _zero_share(path: Path, graphs: Sequence[Graph]) -> float | None:
    """How much of the weights is zero; those that are packed are not looked into."""
    from onnx import numpy_helper

    weights = {
        weight.stored.tensor.name: weight.stored
        for graph in graphs
        for weight in weights_of(graph)
        if weight.bits is None and weight.stored.dtype in {"float32", "float16", "float64", "int8"}
    }
    total = sum(weight.elements for weight in weights.values())
    if not total:
        return None
    values = (numpy_helper.to_array(weight.tensor, base_dir=str(path.parent)) for weight in weights.values())
    return 1 - sum(int(np.count_nonzero(array)) for array in values) / total


def _description(model: ModelProto) -> str:
    opsets = [f"{one.domain or 'opset'} {one.version}" for one in model.opset_import]
    return f"ONNX {', '.join(opsets)}, IR version {model.ir_version}"


def _about(model: ModelProto) -> dict[str, str]:
    said = {
        "name": model.graph.name,
        "description": model.doc_string or model.graph.doc_string,
        "version": str(model.model_version) if model.model_version else "",
        "author": " ".join(filter(None, (model.producer_name, model.producer_version))),
    }
    return {key: value for key, value in said.items() if value}


def _labels(metadata: dict[str, str]) -> dict[str, tuple[str, ...]]:
    try:
        names = ast.literal_eval(metadata.get(NAMES, ""))
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return {}
    if isinstance(names, dict) and sorted(names) == list(range(len(names))):
        names = [names[k] for k in sorted(names)]
    return {NAMES: tuple(map(str, names))} if isinstance(names, list) and names else {}


def _tables(model: ModelProto, main: Graph, inputs: Sequence[TensorInfo]) -> tuple[int | None, ...]:
    """Per input: into how long a table its whole numbers lead, looked up by a Gather; None = into none."""
    names = {tensor.name: tensor.name for tensor in inputs}
    lengths: dict[str, int] = {}
    for node in model.graph.node:
        if node.op_type in {"Cast", "Identity", "Reshape", "Unsqueeze", "Squeeze"} and node.input[0] in names:
            names[node.output[0]] = names[node.input[0]]
        axis = next((one.i for one in node.attribute if one.name == "axis"), 0)
        if node.op_type == "Gather" and axis == 0 and node.input[1] in names and node.input[0] in main.constants:
            shape = main.constants[node.input[0]].shape
            if shape:
                own = names[node.input[1]]
                lengths[own] = min(shape[0], lengths.get(own, shape[0]))
    return tuple(lengths.get(tensor.name) for tensor in inputs)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
