"""The Interpreter API: the runtime's own kernels, XNNPACK, external delegates."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..errors import Unusable, one_line
from ..protocol import Delegation, Request
from ..tensors import filled_shape, matched, tensor_of
from .coverage import count_ops, data_flow_coverage, delegation_by, exact_coverage
from .delegates import InterpreterDelegate
from .entry import Entry

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..protocol import OpTime, State, Timed
    from ..tensors import Array, Tensor
    from .runtime import Runtime


class InterpreterEngine:
    """A model in an interpreter, made step by step: delegate, load, allocate."""

    api = "Interpreter"
    timed: Timed = "invoke"
    reference = "Interpreter with XNNPACK"  # what `on_cpu` is

    def __init__(self, runtime: Runtime, request: Request, delegate: InterpreterDelegate) -> None:
        self.runtime = runtime
        self.request = request
        self.asked = delegate
        self.external: Any = None
        self.interpreter: Any = None

    @property
    def label(self) -> str:
        return self.runtime.label

    def steps(self) -> list[tuple[str, Callable[[], None]]]:
        """What makes it ready, phase by phase."""
        loaded = [("delegate", self.load_delegate)] if self.asked.library else []
        return [*loaded, ("load", self.load), ("allocate", self.allocate)]

    def load_delegate(self) -> None:
        library = self.asked.library
        try:
            self.external = self.runtime.interpreter.load_delegate(library, self.asked.options or {})
        except (OSError, ValueError, AttributeError) as error:  # missing; refused to be made; not a delegate
            said = one_line(error)
            if isinstance(error, ValueError) and said.endswith(str(library)):
                said += ": it gave no reason; is its device there?"
            raise Unusable("unavailable", said) from error

    def load(self) -> None:
        asked, request = self.asked, self.request
        kernels = "default" if asked.xnnpack else asked.kernels
        try:
            self.interpreter = self.runtime.plain(
                request.model, request.threads, kernels=kernels, delegate=self.external
            )
        except Exception as error:
            if self.external and self._loads_without():
                raise Unusable("unavailable", one_line(error)) from error
            raise

    def _loads_without(self) -> bool:
        try:
            self.runtime.plain(self.request.model)
        except Exception:
            return False
        return True

    def allocate(self) -> None:
        self.entry = Entry(self.interpreter, self.request.signature)
        own = [tensor_of(detail) for detail in self.entry.inputs()]
        self.own_shapes = [tensor.shape for tensor in own]
        for tensor, asked in zip(own, self.request.shapes or []):
            shape = filled_shape(asked, tensor.shape)
            if shape != tensor.shape:
                self.entry.resize(tensor.index, shape)
        try:
            self.entry.allocate()
        except RuntimeError as error:
            refusal = self._refusal(one_line(error)) if self.external else None
            if refusal:
                raise refusal from error
            raise
        self.inputs = [tensor_of(detail) for detail in self.entry.inputs()]
        self.outputs = [tensor_of(detail) for detail in self.entry.outputs()]
        self.step = self.entry.step()

    def _refusal(self, said: str) -> Unusable | None:
        """Whether it is the delegate that could not be prepared."""
        failed = failed_node(said)
        nodes = len([op for op in self.interpreter._get_ops_details() if op["op_name"] != "DELEGATE"])
        if failed is not None and failed >= nodes:  # a node that the delegate put in
            return Unusable("unavailable", said)
        return Unusable("none", "the delegate left it alone: " + said) if "unresolved custom op" in said else None

    def feed(self, arrays: Sequence[Array | None]) -> None:
        """One array an input, in order; None = it stays as it is."""
        for tensor, array in matched(arrays, self.inputs):
            self.entry.set(tensor.index, array)

    def results(self) -> list[Array]:
        """The outputs of the last inference, in order."""
        return [self.entry.get(tensor.index) for tensor in self.outputs]

    def forget(self, state: State | None) -> None:
        """Reset what the model keeps from one inference to the next; resource variables end with their interpreter."""
        if state == "resources":
            rebuild(self.steps())
        else:
            self.interpreter.reset_all_variables()

    def quantized(self) -> tuple[list[Tensor], list[Tensor]]:
        """Inputs and outputs with their quantization."""
        return self.inputs, self.outputs

    def ops(self) -> dict[str, int]:
        """Of the main graph, for the runtime lists no other."""
        return {} if self.entry.graph else count_ops(self.interpreter)

    def delegation(self) -> Delegation:
        """Who took which nodes, and the verdict on it."""
        coverage = exact_coverage(self.interpreter, self.entry.graph)
        if coverage is None and self.entry.graph:
            return Delegation("unknown", evidence="nothing tells who took which nodes of this signature")
        wanted = "external" if self.external else "xnnpack" if self.asked.xnnpack else None
        return delegation_by(coverage or data_flow_coverage(self.interpreter), wanted)

    def on_cpu(self) -> InterpreterEngine:
        """The same model on this CPU, not ready yet: what other outputs are compared with."""
        return on_cpu(self.runtime, self.request)

    def profile(self) -> tuple[OpTime, ...]:
        """The time of every operator; raises NotImplementedError where none can be had."""
        from .op_profile import profile

        return profile(self.runtime, self.request, self.asked, self.inputs, self.own_shapes)


def on_cpu(runtime: Runtime, request: Request) -> InterpreterEngine:
    """The model of a request on this CPU, not ready yet."""
    delegate = InterpreterDelegate(xnnpack=True)
    return InterpreterEngine(runtime, replace(request, delegate=delegate), delegate)


def rebuild(steps: list[tuple[str, Callable[[], None]]]) -> None:
    """Make an engine anew."""
    for _stage, step in steps:
        step()


def failed_node(message: str) -> int | None:
    """The first node that could not be prepared, by a runtime's words; None where they name none."""
    before, failed, _ = message.partition(") failed to prepare")
    found = re.match(r"(\d{1,9}) \(", before.rpartition("Node number ")[2]) if failed else None
    return int(found.group(1)) if found else None
