"""Which backends the providers in a text are, and what their nodes say of the graph."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from benchbench.runtimes.onnxruntime.backends import BACKENDS
from benchbench.runtimes.onnxruntime.backends.base import CPU, CPU_PROVIDER
from benchbench.values.outcome import Delegation


def kind_of_flag(flag: str) -> str:
    """The kind of a provider that onnxruntime_perf_test has a short name for (`-e xnnpack`)."""
    kind = f"ort-{flag.lower()}"
    return kind if kind in BACKENDS else f"ort-provider:{flag.lower()}"


def kind_of(provider: str) -> str:
    """The kind of a provider by its full name."""
    return kind_of_flag(provider.removesuffix("ExecutionProvider"))


def partitions_of(nodes: Collection[tuple[str, str]]) -> int:
    """How many parts of the graph those providers have that have compiled or fused some, by (provider, name) of nodes.

    What keeps its own name beside such a part is one by itself: XNNPACK fuses convolutions, and leaves a Softmax alone.
    """
    compiling = {provider for provider, name in nodes if name.startswith(f"{provider}_")}
    return sum(provider in compiling for provider, _ in nodes)


def delegation_of(
    nodes: Mapping[str, int], asked: str | None, evidence: str | None, partitions: int | None = None
) -> Delegation:
    """The verdict by how many nodes each provider has; a provider that has some was asked for, whoever says so.

    A partition that a provider has compiled is one node in all texts, so that its share of the graph is not known.
    """
    others = [provider for provider in nodes if provider != CPU_PROVIDER]
    if not nodes or (asked is None and not others):
        return Delegation(asked=asked, evidence=evidence)
    asked = asked or kind_of(others[0])
    own = sum(count for provider, count in nodes.items() if kind_of(provider) == asked)
    total = sum(nodes.values())
    verdict = "full" if own == total else "partial" if own else "none"
    return Delegation(
        asked=asked,
        verdict=verdict,
        evidence=evidence,
        nodes_delegated=None if partitions else own,
        nodes_total=None if partitions else total,
        partitions=partitions or None,
        fallback=None if own == total else CPU,
    )
