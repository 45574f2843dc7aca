"""Run a model on samples: a program of its own, because a model may abort the process that it runs in.

    python on_samples.py MODEL SAMPLES ANSWER SECONDS

It imports nothing of the package, so that it starts quickly. SAMPLES is an .npz with `x0`, `x1` … [n, …] for the inputs
in order; an input without an array stays as it is. After so many SECONDS no further sample is begun. ANSWER becomes a
file for `accuracy.outputs.read_outputs`; there is none where outputs are no numbers, or change their shape.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter


def main(model: str, samples: Path, answer: Path, seconds: float) -> None:
    """Run the samples one by one on the kernels that a model gets by default, on one thread."""
    with np.load(samples, allow_pickle=False) as archive:
        arrays = {int(name.removeprefix("x")): archive[name] for name in archive.files}
    interpreter = Interpreter(model, num_threads=1)
    for detail, array in _fed(interpreter, arrays):
        if -1 in detail["shape_signature"][1:]:
            interpreter.resize_tensor_input(detail["index"], (detail["shape"][0], *array.shape[1:]))
    interpreter.allocate_tensors()
    outputs: list[list[Any]] = [[] for _ in interpreter.get_output_details()]
    began = time.monotonic()
    for k in range(max((len(array) for array in arrays.values()), default=1)):
        if k and time.monotonic() - began > seconds:
            break
        interpreter.reset_all_variables()
        for detail, array in _fed(interpreter, arrays):
            interpreter.set_tensor(detail["index"], _fitted(array[k : k + 1], detail["shape"]))
        interpreter.invoke()
        for results, detail in zip(outputs, interpreter.get_output_details(), strict=True):
            results.append(interpreter.get_tensor(detail["index"]))
    if all(_comparable(results) for results in outputs):
        _write(answer, outputs, interpreter.get_output_details())


def _fed(interpreter: Any, arrays: dict[int, Any]) -> list[tuple[dict[str, Any], Any]]:
    return [(detail, arrays[k]) for k, detail in enumerate(interpreter.get_input_details()) if k in arrays]


def _fitted(row: Any, shape: Any) -> Any:
    """One sample for the whole batch of a model, or for an input without a batch."""
    return row.reshape(shape) if row.size == np.prod(shape, dtype=int) else np.broadcast_to(row, shape)


def _comparable(results: list[Any]) -> bool:
    return all(r.dtype.kind in "fiub" and r.shape == results[0].shape for r in results)


def _write(answer: Path, outputs: list[list[Any]], details: list[dict[str, Any]]) -> None:
    arrays: dict[str, Any] = {"names": np.array([detail["name"] for detail in details])}
    for k, (results, detail) in enumerate(zip(outputs, details, strict=True)):
        scale, zero_point = detail["quantization"]
        one_a_sample = results[0].shape[:1] == (1,)
        arrays[f"output_{k}"] = np.concatenate(results) if one_a_sample else np.stack(results)
        arrays[f"scale_{k}"], arrays[f"zero_point_{k}"] = np.array(scale, np.float64), np.array(zero_point, np.int64)
    np.savez(answer, allow_pickle=False, **arrays)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), float(sys.argv[4]))
