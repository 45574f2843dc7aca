"""A .onnx file as the package onnx has it, and the files that it names beside itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from benchbench.values.errors import InputError, file_error

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto, NodeProto, TensorProto

INSTALL = "pip install 'benchbench[onnx]'"


def read(path: Path) -> tuple[ModelProto, bytes]:
    """The model, without data that lies beside it, and the file's bytes.

    Raises InputError when the file cannot be opened or is no model, or the package onnx is not installed.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise file_error(error, f"{path} cannot be read", remedy="give the path of a .onnx file") from error
    try:
        import onnx
        from google.protobuf.message import DecodeError
    except ImportError as error:
        raise InputError(f"{path}: reading .onnx files needs the package onnx", remedy=INSTALL) from error
    try:
        model = onnx.load_model_from_string(raw)
    except DecodeError as error:
        raise InputError(f"{path} is no ONNX model: {error}", remedy="is it whole, and not only renamed?") from error
    if not model.ir_version or not model.HasField("graph") or not model.opset_import:
        raise InputError(f"{path} is no ONNX model: it has no graph or no opset", remedy="is it whole?")
    return model, raw


def graphs_of(model: ModelProto) -> Iterator[GraphProto]:
    """The main graph, then those inside its nodes: branches and bodies of loops."""
    todo = [model.graph]
    while todo:
        graph = todo.pop(0)
        yield graph
        todo += [inner for node in graph.node for inner in _inner(node)]


def _inner(node: NodeProto) -> Iterator[GraphProto]:
    for attribute in node.attribute:
        if attribute.HasField("g"):
            yield attribute.g
        yield from attribute.graphs


def tensors_of(model: ModelProto) -> Iterator[TensorProto]:
    """All constants: initializers, and the values of Constant nodes."""
    for graph in graphs_of(model):
        yield from graph.initializer
        for node in graph.node:
            for attribute in node.attribute:
                if attribute.HasField("t"):
                    yield attribute.t


def files_beside(path: Path, model: ModelProto) -> tuple[str, ...]:
    """The files with data of this model, by their names below its folder.

    Raises InputError where one is missing or too short, or leads out of the folder.
    """
    needed: dict[str, int] = {}
    for tensor in tensors_of(model):
        if tensor.data_location != tensor.EXTERNAL:
            continue
        about = {entry.key: entry.value for entry in tensor.external_data}
        name = about.get("location", "")
        try:
            end = int(about.get("offset", 0)) + int(about.get("length", 0))
        except ValueError as error:
            raise InputError(f"{path}: {tensor.name!r}: offset and length of its data are no numbers") from error
        needed[name] = max(needed.get(name, 0), end)
    for name, end in needed.items():
        _check_file(path, name, end)
    return tuple(sorted(needed))


def _check_file(path: Path, name: str, end: int) -> None:
    place = PurePosixPath(name)
    if not name or place.is_absolute() or ".." in place.parts:
        raise InputError(f"{path}: names data at {name!r}, which is not below its folder", remedy="save it anew")
    try:
        size = (path.parent / name).stat().st_size
    except OSError as error:
        remedy = f"put {name} into {path.parent}: the model is nothing without its weights"
        raise file_error(error, f"{path}: its data {name} cannot be read", remedy=remedy) from error
    if size < end:
        raise InputError(f"{path}: its data {name} ends too early: {size:,} of {end:,} bytes", remedy="copy it anew")
