"""The same model always as the same bytes: tf2onnx walks through sets, so its order and its numbers vary by process."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import onnx

NUMBER = re.compile(r"__\d+")  # what tf2onnx ends the names with that it makes up: Relu__5:0, const_fold_opt__102


def make_canonical(model: onnx.ModelProto) -> None:
    """Order nodes from the outputs on, constants by their first use, and number made-up names in that order."""
    graph = model.graph
    _put(graph.node, _ordered(graph))
    used = list(dict.fromkeys(name for node in graph.node for name in (*_read_by(node), *node.output)))
    place = {name: k for k, name in enumerate(used)}
    for tensors in (graph.initializer, graph.value_info):
        _put(tensors, sorted(tensors, key=lambda tensor: (place.get(tensor.name, len(place)), tensor.name)))
    fixed = {entry.name for entry in (*graph.input, *graph.output)}
    rename(model, {name: NUMBER.sub(f"__{k}", name) for k, name in enumerate(used) if name not in fixed})
    for k, node in enumerate(graph.node):
        node.name = NUMBER.sub(f"__{k}", node.name)


def rename(model: onnx.ModelProto, names: dict[str, str]) -> None:
    """Give tensors other names, also where the control flow of a graph reads them."""
    for graph in graphs(model.graph):
        for node in graph.node:
            node.input[:] = [names.get(name, name) for name in node.input]
            node.output[:] = [names.get(name, name) for name in node.output]
        for entry in (*graph.input, *graph.output, *graph.value_info, *graph.initializer):
            entry.name = names.get(entry.name, entry.name)


def graphs(graph: onnx.GraphProto) -> Iterator[onnx.GraphProto]:
    """A graph and those in its control flow."""
    yield graph
    for node in graph.node:
        for inner in _inside(node):
            yield from graphs(inner)


def _inside(node: onnx.NodeProto) -> Iterator[onnx.GraphProto]:
    for attribute in node.attribute:
        if attribute.type == onnx.AttributeProto.GRAPH:
            yield attribute.g
        yield from attribute.graphs


def _read_by(node: onnx.NodeProto) -> Iterator[str]:
    """The tensors that a node reads, and those of its control flow with them."""
    yield from node.input
    for inner in _inside(node):
        for each in inner.node:
            yield from _read_by(each)


def _ordered(graph: onnx.GraphProto) -> list[onnx.NodeProto]:
    """Each node after what it reads, beginning with what the first output needs; what nothing needs comes last."""
    made_by = {name: k for k, node in enumerate(graph.node) for name in node.output}
    order: dict[int, None] = {}
    ahead = [(made_by[entry.name], False) for entry in reversed(graph.output) if entry.name in made_by]
    while ahead:
        k, ready = ahead.pop()
        if k in order:
            continue
        if ready:
            order[k] = None
            continue
        ahead.append((k, True))
        needs = [made_by[name] for name in _read_by(graph.node[k]) if name in made_by]
        ahead += [(need, False) for need in reversed(needs) if need not in order]
    return [graph.node[k] for k in dict.fromkeys([*order, *range(len(graph.node))])]


def _put(field: Any, values: list[Any]) -> None:
    kept = [type(value).FromString(value.SerializeToString()) for value in values]  # the field owns the values
    del field[:]
    field.extend(kept)
