"""The graph of an interpreter that is run: its main one, or that of a signature, with its arguments by name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from benchbench.accuracy.tensors import Array
from benchbench.values.case import Signature


class Entry:
    """One way into an interpreter of LiteRT's; `inputs` and `outputs` are its details as the runtime gives them."""

    def __init__(self, interpreter: Any, signature: Signature | None) -> None:
        self._interpreter, self._signature = interpreter, signature
        self._graph = 0 if signature is None else self._raw.GetSubgraphIndexFromSignature(signature.key)

    @property
    def _raw(self) -> Any:
        """What the public runner of a signature stands on. Not to be kept: the interpreter counts who holds it."""
        return self._interpreter._interpreter

    @property
    def inputs(self) -> list[dict[str, Any]]:
        return self._named("inputs", self._signature) or list(self._interpreter.get_input_details())

    @property
    def outputs(self) -> list[dict[str, Any]]:
        return self._named("outputs", self._signature) or list(self._interpreter.get_output_details())

    def _named(self, side: Literal["inputs", "outputs"], signature: Signature | None) -> list[dict[str, Any]]:
        """The arguments of a signature; none where the main graph is run."""
        if signature is None:
            return []
        names = signature.inputs if side == "inputs" else signature.outputs
        known = self._interpreter._get_full_signature_list()[signature.key][side]
        details = [self._interpreter._get_tensor_details(known[name], self._graph) for name in names]
        return [detail | {"name": name} for detail, name in zip(details, names, strict=True)]

    def resize(self, index: int, shape: Sequence[int]) -> None:
        self._raw.ResizeInputTensor(index, np.array(shape, dtype=np.int32), False, self._graph)

    def allocate(self) -> None:
        if self._signature is None:
            self._interpreter.allocate_tensors()
        else:
            self._raw.AllocateTensors(self._graph)

    def set(self, index: int, array: Array) -> None:
        self._raw.SetTensor(index, array, self._graph)

    def get(self, index: int) -> Array:
        found: Array = self._raw.GetTensor(index, self._graph)
        return found

    def invoke(self) -> None:
        self._raw.Invoke(self._graph)

    def reset(self) -> None:
        self._interpreter.reset_all_variables()
