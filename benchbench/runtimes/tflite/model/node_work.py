"""What each node of a model's graph is and how much of its work it does, to say what a delegate left of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from functools import lru_cache
from pathlib import Path

from benchbench.runtimes.tflite.model.graph import read
from benchbench.runtimes.tflite.model.macs import node_macs
from benchbench.values.case import Variant
from benchbench.values.errors import InputError
from benchbench.values.outcome import Delegation

Nodes = tuple[tuple[str, int | None], ...]  # type and multiply-accumulates; None = they cannot be told


def with_work(said: Delegation, variant: Variant, taken: Collection[int]) -> Delegation:
    """A delegation of a part of the graph, with the ops that were left and the share of MACs that was taken.

    `taken` are the nodes that the delegate took. As it is where the file on this host is not the graph that ran.
    """
    nodes = _nodes_of(variant)
    if said.verdict != "partial" or len(nodes) != said.nodes_total or not taken:
        return said
    left = Counter(name for number, (name, _) in enumerate(nodes) if number not in taken)
    macs = [count for _, count in nodes]
    whole = sum(count for count in macs if count is not None)
    known = None not in macs and whole > 0
    own = sum(count for number, count in enumerate(macs) if count and number in taken)
    return said.model_copy(update={"left": dict(left.most_common()), "macs_share": own / whole if known else None})


def _nodes_of(variant: Variant) -> Nodes:
    try:
        found = Path(variant.path).stat()
        return _read(variant.path, variant.signature and variant.signature.key, (found.st_mtime_ns, found.st_size))
    except (OSError, InputError):
        return ()


@lru_cache(maxsize=64)
def _read(path: str, signature: str | None, _: tuple[int, int]) -> Nodes:
    """Of a file as long as it stays the same."""
    contents = read(Path(path), Path(path).read_bytes())
    main = next((one.subgraph for one in contents.signatures if one.key == signature), 0)
    graph = contents.graphs[main]
    return tuple((op.type, node_macs(graph, op)) for op in graph.ops)
