"""Delegates: which are made, and which nodes each really took."""

from __future__ import annotations

import ctypes
import re
from dataclasses import dataclass
from typing import Any

from .flags import Failed, Values, info


@dataclass(frozen=True)
class Coverage:
    """The model's own nodes (id -> op name) and, per delegate node in order, the nodes that it took."""

    nodes: dict[int, str]
    partitions: dict[int, list[int]]

    def taken(self, first: int = 0, last: int | None = None) -> set[int]:
        return {node for nodes in list(self.partitions.values())[first:last] for node in nodes}


def coverage(interpreter: Any) -> Coverage:
    """Found by walking back from a delegate node's outputs to its inputs, as the interpreter lists them."""
    listed = interpreter._get_ops_details()
    delegated = [node for node in listed if node["op_name"] == "DELEGATE" or node["op_name"].endswith("Delegate")]
    own = [node for node in listed if not delegated or node["index"] < delegated[0]["index"]]
    producer = {int(tensor): node for node in own for tensor in node["outputs"]}
    partitions = {}
    for delegate in listed[len(own) :]:
        stop, todo = {int(tensor) for tensor in delegate["inputs"]}, [int(tensor) for tensor in delegate["outputs"]]
        seen: set[int] = set()
        while todo:
            tensor = todo.pop()
            if tensor in stop or tensor not in producer or producer[tensor]["index"] in seen:
                continue
            seen.add(producer[tensor]["index"])
            todo += [int(source) for source in producer[tensor]["inputs"] if source >= 0]
        partitions[int(delegate["index"])] = sorted(seen)
    return Coverage({int(node["index"]): node["op_name"] for node in own}, partitions)


def load_external(values: Values) -> Any | None:
    """The external delegate, or None: a library that cannot be had is passed over in silence, as release builds do."""
    from ai_edge_litert.interpreter import load_delegate

    try:
        _ = ctypes.CDLL(values["external_delegate_path"]).tflite_plugin_create_delegate
    except (OSError, AttributeError):
        return None
    pairs = [item.split(":") for item in values["external_delegate_options"].split(";") if item]
    try:
        return load_delegate(values["external_delegate_path"], {pair[0]: pair[1] for pair in pairs if len(pair) == 2})
    except ValueError:  # the plugin refused, in its own words
        return None


def create(values: Values, given: list[str]) -> list[tuple[str, Any]]:
    """The explicit delegates in the order of the command line: (name in the tool, handle of an external one)."""
    delegates: list[tuple[str, Any]] = []
    for name in given:
        if name == "use_xnnpack" and values[name]:
            delegates.append(("XNNPACK", None))
        if name == "external_delegate_path" and values[name] and (handle := load_external(values)) is not None:
            delegates.append(("EXTERNAL", handle))
        if name == "use_gpu" and values[name]:
            info(
                "The GPU delegate compile options are only supported on Android or iOS platforms or when the tool was "
                "built with -DCL_DELEGATE_NO_GL.",
                "WARN",
            )
            info("GPU acceleration is unsupported on this platform.", "WARN")
        if name == "use_nnapi" and values[name]:
            info("NNAPI acceleration is unsupported on this platform.", "WARN")
    if delegates:
        info(f"{delegates[0][0]} delegate created.")
    if len(delegates) > 1:
        info(f"Going to apply {len(delegates)} delegates one after another.")
    return delegates


def say_applied(name: str, kernels: int, left: int) -> None:
    applied = f"Explicitly applied {name} delegate, and the model graph will be"
    if not kernels:
        info(f"Though {name} delegate is explicitly applied, the model graph will not be executed by the delegate.")
    elif kernels == 1 and left == 0:
        info(f"{applied} completely executed by the delegate.")
    else:
        info(f"{applied} partially executed by the delegate w/ {kernels} delegate kernels.")


def say_all_applied(delegates: list[tuple[str, Any]], found: Coverage, external: int) -> None:
    """The line of each delegate; the first `external` partitions are the external delegate's."""
    for name, handle in delegates:
        if handle is not None:
            say_applied(name, external, len(found.nodes) - len(found.taken(0, external)))
        else:
            say_applied(name, len(found.partitions) - external, len(found.nodes) - len(found.taken(external)))


def make(values: Values, given: list[str], delegates: list[tuple[str, Any]]) -> tuple[Any, int]:
    """An interpreter with the external delegate applied, and how many partitions that one took."""
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    plain = "use_xnnpack" in given and not values["use_xnnpack"]
    handles = [handle for _, handle in delegates if handle is not None]
    try:
        interpreter = Interpreter(
            values["graph"],
            experimental_delegates=handles,
            num_threads=values["num_threads"] if values["num_threads"] > 0 else None,
            experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
            if plain
            else OpResolverType.AUTO,
        )
    except (RuntimeError, ValueError) as reason:
        if not handles:
            refused = "The model is not a valid Flatbuffer buffer"
            raise Failed(refused, f"Failed to load model {values['graph']}") from None
        raise Failed(*lines_of(reason), *NOT_APPLIED) from None
    return interpreter, len(coverage(interpreter).partitions) if handles else 0


NOT_APPLIED = (
    "Restored original execution plan after delegate application failure.",
    "Failed to apply EXTERNAL delegate.",
)


def lines_of(reason: Exception) -> list[str]:
    """The runtime's messages, which Python gives in one string."""
    lines = re.sub(r"(?<!^)(?=Node number \d+ \()", "\n", str(reason)).splitlines()
    return [line for line in lines if line.strip() and "Restored original" not in line]


def allocate(interpreter: Any, with_external: bool) -> None:
    """Allocate the tensors; what the tool finds out when it applies a delegate, Python finds out here."""
    try:
        interpreter.allocate_tensors()
    except (RuntimeError, ValueError) as reason:
        lines = lines_of(reason)
        blamed = with_external and any("Delegate) failed to" in line for line in lines)
        raise Failed(*lines, *(NOT_APPLIED if blamed else ("Failed to allocate tensors!",))) from None
