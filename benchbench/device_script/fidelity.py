"""Whether an accelerator computes what this CPU computes: the outputs of the first inference, compared."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .errors import first_line, in_words
from .protocol import Fidelity
from .tensors import dequantize

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .engine import Engine
    from .errors import Words
    from .tensors import Array, Tensor


def fidelity(engine: Engine, fed: Sequence[Array], outputs: Sequence[Array], words: Words = in_words) -> Fidelity:
    """The relative L2 error of each output of the first inference against this CPU's; None = not a number."""
    cpu = engine.on_cpu()
    try:
        for _stage, step in cpu.steps():
            step()
        by_index = {tensor.index: array for tensor, array in zip(engine.inputs, fed)}
        cpu.feed([by_index[tensor.index] for tensor in cpu.inputs])
        cpu.step()
    except Exception as error:
        return Fidelity(why="the CPU cannot run it: " + first_line(error, words))
    expected = {tensor.index: (tensor, array) for tensor, array in zip(cpu.outputs, cpu.results())}
    errors = {
        tensor.name: _relative_l2(output, *expected[tensor.index]) for tensor, output in zip(engine.outputs, outputs)
    }
    return Fidelity(reference=cpu.reference, relative_l2=errors)


def _relative_l2(output: Array, tensor: Tensor, reference: Array) -> float | None:
    wanted, got = (
        dequantize(array, tensor.scale, tensor.zero_point).ravel().astype(np.float64) for array in (reference, output)
    )
    error = float(np.linalg.norm(got - wanted) / max(float(np.linalg.norm(wanted)), 1e-30))
    return error if np.isfinite(error) else None
