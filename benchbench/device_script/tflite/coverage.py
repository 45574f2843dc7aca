"""Who took which nodes of a graph, and the verdict on what was asked for."""

from __future__ import annotations

import collections
import ctypes
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import Unusable
from ..protocol import Delegation, Share
from ..value import Value
from .delegate_abi import ALLOW_DYNAMIC_TENSORS, PREPARE, ObservingDelegate, PlannedNode, read_plan

if TYPE_CHECKING:
    from ..protocol import Verdict

XNNPACK = "TfLiteXNNPackDelegate"
_kept: list[object] = []  # an observing delegate must outlive its interpreter


@dataclass(eq=False, repr=False)
class Coverage(Value):
    """The partitions that delegates took, the nodes left to the interpreter, and how that was found out.

    The name of a share is None where only the data flow was seen.
    """

    partitions: tuple[Share, ...]
    left: tuple[int, ...]
    total: int
    how: str


def exact_coverage(interpreter: Any, graph: int = 0) -> Coverage | None:
    """Asked of the runtime itself by a delegate that only looks; None where that cannot be done."""
    if ctypes.sizeof(ctypes.c_void_p) != 8:
        return None
    plans: list[list[PlannedNode]] = []
    errors: list[Exception] = []

    def prepare(context: int, _delegate: int) -> int:  # called once per subgraph, the primary one first
        try:
            plans.append(read_plan(context))
        except Exception as error:
            errors.append(error)
            return 1
        return 0

    callback = PREPARE(prepare)
    observer = ObservingDelegate(None, callback, None, None, None, ALLOW_DYNAMIC_TENSORS, None)
    _kept.append((callback, observer))
    try:
        interpreter._interpreter.ModifyGraphWithDelegate(ctypes.addressof(observer))
    except Exception as error:
        errors.append(error)
    if errors or len(plans) <= graph:
        return None
    partitions = tuple(Share(tuple(node.replaced), node.delegate) for node in plans[graph] if node.delegate)
    left = tuple(node.number for node in plans[graph] if not node.delegate)
    return Coverage(partitions, left, len(left) + sum(len(share.nodes) for share in partitions), "execution plan")


def data_flow_coverage(interpreter: Any) -> Coverage:
    """From the graph alone: what lies between a delegate node's inputs and outputs. May count too few."""
    ops = interpreter._get_ops_details()
    originals = {op["index"]: op for op in ops if op["op_name"] != "DELEGATE"}
    producer = {int(tensor): op["index"] for op in originals.values() for tensor in op["outputs"]}
    partitions: list[Share] = []
    taken: set[int] = set()
    for op in ops:
        if op["op_name"] != "DELEGATE":
            continue
        seen: set[int] = set()
        stop, todo = {int(tensor) for tensor in op["inputs"]}, [int(tensor) for tensor in op["outputs"]]
        while todo:
            node = producer.get(todo.pop())
            if node is None or node in seen:
                continue
            seen.add(node)
            todo += [int(t) for t in originals[node]["inputs"] if t >= 0 and int(t) not in stop]
        taken |= seen
        partitions.append(Share(tuple(sorted(seen))))
    left = tuple(sorted(set(originals) - taken))
    return Coverage(tuple(partitions), left, len(originals), "data flow")


def delegation_by(coverage: Coverage, wanted: str | None) -> Delegation:
    """The verdict for what was wanted: "xnnpack", "external" or None (the interpreter's own kernels)."""
    shares: dict[str | None, int] = {}
    for share in coverage.partitions:
        shares[share.delegate] = shares.get(share.delegate, 0) + len(share.nodes)
    said = [f"{name or 'a delegate'}: {count}" for name, count in shares.items()]
    said.append(f"left to the interpreter: {len(coverage.left)}")
    evidence = f"{'; '.join(said)} of {coverage.total} nodes ({coverage.how})"
    if wanted is None and shares:
        raise Unusable("none", "a delegate took nodes although none was asked for: " + evidence)
    mine = [share for share in coverage.partitions if wanted and _is(share.delegate, wanted)]
    taken = sum(len(share.nodes) for share in mine)
    return Delegation(
        verdict="full" if wanted is None else _verdict(taken, coverage.total, shares, wanted),
        evidence=evidence,
        nodes_delegated=taken,
        nodes_total=coverage.total,
        partitions=len(mine),
        fallback="xnnpack" if wanted == "external" and XNNPACK in shares else "cpu",
        shares=coverage.partitions,
        left=coverage.left,
    )


def count_ops(interpreter: Any) -> dict[str, int]:
    """How many of each op the graph has, without those that delegates put in."""
    names = [op["op_name"] for op in interpreter._get_ops_details()]
    return dict(collections.Counter(name for name in names if name != "DELEGATE"))


def _is(delegate: str | None, wanted: str) -> bool:
    return delegate is None or (delegate == XNNPACK) == (wanted == "xnnpack")


def _verdict(taken: int, total: int, shares: dict[str | None, int], wanted: str) -> Verdict:
    if None in shares and wanted == "external":  # without names, its share is not to be told from XNNPACK's
        return "unknown"
    return "full" if taken == total else "partial" if taken else "none"
