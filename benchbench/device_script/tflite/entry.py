"""The graph of an interpreter that is run: its main one, or that of a signature."""

from __future__ import annotations

import contextlib
import functools
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..protocol import Signature


class Entry:
    """One way into an interpreter, with the arguments of a signature by name.

    The runtime's own runner of a signature also resizes, allocates and copies each time, which must not be timed.
    """

    def __init__(self, interpreter: Any, signature: Signature | None) -> None:
        self.interpreter = interpreter
        self.signature = signature
        self.graph = 0
        if signature:
            if not hasattr(self.raw, "GetSubgraphIndexFromSignature"):
                raise NotImplementedError("this runtime cannot run a signature: it needs TensorFlow 2.7 or later")
            self.graph = self.raw.GetSubgraphIndexFromSignature(signature.key)

    @property
    def raw(self) -> Any:
        """Not to be kept: the interpreter counts who holds it."""
        return self.interpreter._interpreter

    def inputs(self) -> list[dict[str, Any]]:
        """As the runtime describes them."""
        if not self.signature:
            return list(self.interpreter.get_input_details())
        return self._arguments("inputs", self.signature.key, self.signature.inputs)

    def outputs(self) -> list[dict[str, Any]]:
        """As the runtime describes them."""
        if not self.signature:
            return list(self.interpreter.get_output_details())
        return self._arguments("outputs", self.signature.key, self.signature.outputs)

    def _arguments(self, side: str, key: str, names: Sequence[str]) -> list[dict[str, Any]]:
        known = self.interpreter._get_full_signature_list()[key][side]
        return [dict(self.interpreter._get_tensor_details(known[name], self.graph), name=name) for name in names]

    def resize(self, index: int, shape: Sequence[int]) -> None:
        if self.signature:
            self.raw.ResizeInputTensor(index, np.array(shape, dtype=np.int32), False, self.graph)
        else:
            self.interpreter.resize_tensor_input(index, shape)

    def allocate(self) -> None:
        if not self.signature or not self.graph:
            self.interpreter.allocate_tensors()
            return
        with contextlib.suppress(RuntimeError):  # of the main graph, which is not run
            self.interpreter.allocate_tensors()  # this is what puts the delegates into all graphs
        self.raw.AllocateTensors(self.graph)

    def set(self, index: int, array: np.ndarray) -> None:
        if self.signature:
            self.raw.SetTensor(index, array, self.graph)
        else:
            self.interpreter.set_tensor(index, array)

    def get(self, index: int) -> np.ndarray:
        found: np.ndarray = (
            self.raw.GetTensor(index, self.graph) if self.signature else self.interpreter.get_tensor(index)
        )
        return found

    def step(self) -> Callable[[], object]:
        """What is timed."""
        invoke: Callable[[], object] = (
            functools.partial(self.raw.Invoke, self.graph) if self.signature else self.interpreter.invoke
        )
        return invoke
