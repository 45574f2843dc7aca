"""Whether an accelerator computes what this CPU computes: the outputs of the first inference, compared."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from .errors import first_line
from .interpreter import InterpreterEngine
from .protocol import Fidelity, InterpreterDelegate
from .tensors import dequantize

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .engines import Engine
    from .protocol import Request
    from .runtime import Runtime
    from .tensors import Array, Tensor


def fidelity(
    runtime: Runtime, request: Request, engine: Engine, fed: Sequence[Array], outputs: Sequence[Array]
) -> Fidelity:
    """The relative L2 error of each output of the first inference against this CPU's; None = not a number."""
    delegate = InterpreterDelegate(xnnpack=True)
    cpu = InterpreterEngine(runtime, replace(request, delegate=delegate), delegate)
    try:
        cpu.load()
        cpu.allocate()
        by_index = {tensor.index: array for tensor, array in zip(engine.inputs, fed)}
        cpu.feed([by_index[tensor.index] for tensor in cpu.inputs])
        cpu.step()
    except Exception as error:
        return Fidelity(why="the CPU cannot run it: " + first_line(error))
    expected = {tensor.index: (tensor, array) for tensor, array in zip(cpu.outputs, cpu.results())}
    errors = {
        tensor.name: _relative_l2(output, *expected[tensor.index]) for tensor, output in zip(engine.outputs, outputs)
    }
    return Fidelity(reference="Interpreter with XNNPACK", relative_l2=errors)


def _relative_l2(output: Array, tensor: Tensor, reference: Array) -> float | None:
    wanted, got = (
        dequantize(array, tensor.scale, tensor.zero_point).ravel().astype(np.float64) for array in (reference, output)
    )
    error = float(np.linalg.norm(got - wanted) / max(float(np.linalg.norm(wanted)), 1e-30))
    return error if np.isfinite(error) else None
