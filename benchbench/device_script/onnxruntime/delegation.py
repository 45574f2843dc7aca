"""Who took which nodes of an ONNX model, from the graph's assignment to execution providers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import Unusable
from ..protocol import Delegation
from .runtime import CPU

if TYPE_CHECKING:
    from collections.abc import Sequence


def delegation_by(partitions: Sequence[tuple[str, Sequence[str]]], wanted: str | None, device: str = "") -> Delegation:
    """The verdict for a provider (None = the CPU's), from each partition's provider and the types of its nodes."""
    number = sum(len(types) for _, types in partitions)
    mine = [types for provider, types in partitions if provider == (wanted or CPU)]
    taken = sum(map(len, mine))
    evidence = f"{_in_words(partitions, wanted)} of {number} nodes (graph assignment)"
    evidence += f"; its device: {device}" if device else ""
    if wanted is None and taken < number:
        raise Unusable("none", "a provider took nodes although none was asked for: " + evidence)
    return Delegation(
        "full" if taken == number else "partial" if taken else "none",
        evidence=evidence,
        nodes_delegated=taken if wanted else 0,
        nodes_total=number,
        partitions=len(mine) if wanted else 0,
        left_ops=_left(partitions, wanted) if taken and taken < number else None,
    )


def _left(partitions: Sequence[tuple[str, Sequence[str]]], wanted: str | None) -> dict[str, int]:
    """How many nodes of which type others than the provider took."""
    counted: dict[str, int] = {}
    for provider, types in partitions:
        for name in types if provider != wanted else ():
            counted[name] = counted.get(name, 0) + 1
    return counted


def _in_words(partitions: Sequence[tuple[str, Sequence[str]]], wanted: str | None) -> str:
    """How many nodes each provider took; of what another one than asked for took, also which."""
    types: dict[str, list[str]] = {}
    for provider, names in partitions:
        types.setdefault(provider, []).extend(names)
    said = []
    for provider, names in types.items():
        kinds = sorted(set(names))
        shown = f" ({', '.join(kinds[:8])}{', …' if len(kinds) > 8 else ''})" if wanted and provider != wanted else ""
        said.append(f"{provider}: {len(names)}{shown}")
    return "; ".join(said) or "no provider"
