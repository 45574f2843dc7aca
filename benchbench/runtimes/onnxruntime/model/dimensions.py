"""Sizes that the matrix gives to symbolic dimensions of inputs."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from benchbench.values.case import Variant
from benchbench.values.errors import Unsupported

Symbols = tuple[tuple[str | None, ...], ...]  # by input: the name of each dimension; None = it has a size, or no name


def dimensions_of(variant: Variant) -> dict[str, int]:
    """The sizes by name; raises Unsupported where one gets two sizes.

    Providers that need fixed shapes see them so: what is only fed in one size stays open in the graph.
    """
    if not variant.inputs:
        return {}
    sizes: dict[str, int] = {}
    for names, spec in zip(_symbols(variant.path, variant.sha256), variant.inputs, strict=False):
        for name, size in zip(names, spec.shape, strict=False):
            if name is not None and sizes.setdefault(name, size) != size:
                raise Unsupported(f"the inputs give the dimension {name!r} two sizes, {sizes[name]} and {size}")
    return sizes


@lru_cache(maxsize=64)
def _symbols(path: str, _sha256: str) -> Symbols:
    from benchbench.runtimes.onnxruntime.model.read import read

    model, _ = read(Path(path))
    constants = {tensor.name for tensor in model.graph.initializer}
    given = [argument for argument in model.graph.input if argument.name not in constants]
    return tuple(
        tuple(size.dim_param or None for size in argument.type.tensor_type.shape.dim)
        if argument.type.HasField("tensor_type")
        else ()
        for argument in given
    )
