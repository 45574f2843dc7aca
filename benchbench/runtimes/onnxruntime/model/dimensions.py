"""Sizes that the matrix gives to symbolic dimensions of inputs."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from benchbench.values.case import Variant
from benchbench.values.errors import Unsupported

# By input: the name of each dimension, "" for an open one without a name; None = it has a size.
Symbols = tuple[tuple[str | None, ...], ...]


def dimensions_of(variant: Variant) -> dict[str, int]:
    """The sizes by name; raises Unsupported where one gets two sizes.

    Providers that need fixed shapes see them so: what is only fed in one size stays open in the graph.
    """
    sizes: dict[str, int] = {}
    for name, size in _given(variant):
        if name and sizes.setdefault(name, size) != size:
            raise Unsupported(f"the inputs give the dimension {name!r} two sizes, {sizes[name]} and {size}")
    return sizes


def gives_size_without_name(variant: Variant) -> bool:
    """Whether an open dimension that has no name is to have another size than 1, so that it is only so fed."""
    return any(name == "" and size != 1 for name, size in _given(variant))


def _given(variant: Variant) -> list[tuple[str | None, int]]:
    """The name and the size of every dimension that the matrix describes."""
    if not variant.inputs:
        return []
    described = zip(_symbols(variant.path, variant.sha256), variant.inputs, strict=False)
    return [pair for names, spec in described for pair in zip(names, spec.shape, strict=False)]


@lru_cache(maxsize=64)
def _symbols(path: str, _sha256: str) -> Symbols:
    from benchbench.runtimes.onnxruntime.model.read import read

    model, _ = read(Path(path))
    constants = {tensor.name for tensor in model.graph.initializer}
    given = [argument for argument in model.graph.input if argument.name not in constants]
    return tuple(
        tuple(None if size.HasField("dim_value") else size.dim_param for size in argument.type.tensor_type.shape.dim)
        if argument.type.HasField("tensor_type")
        else ()
        for argument in given
    )
