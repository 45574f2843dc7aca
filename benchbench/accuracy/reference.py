"""The float32 reference: a model on this host's reference kernels, in a process of its own because models may abort.

Run as a program it is that process: `python -m benchbench.accuracy.reference MODEL SAMPLES.npz OUT.npz KERNELS`.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from benchbench.accuracy.datasets import Dataset
from benchbench.accuracy.outputs import Output, read_outputs, write_outputs
from benchbench.accuracy.tensors import Array, Preprocessing, to_input
from benchbench.errors import ToolError

Kernels = Literal["reference", "builtin"]


@dataclass(frozen=True, slots=True)
class Reference:
    """The outputs of all samples, and which kernels made them; `note` says why not the reference kernels."""

    outputs: tuple[Output, ...]
    kernels: Kernels
    note: str = ""


@dataclass(frozen=True, slots=True)
class _Described:
    name: str
    dtype: str
    shape: tuple[int, ...]
    scale: float
    zero_point: int


def reference_outputs(model: Path, dataset: Dataset, *, timeout_s: float = 600) -> Reference:
    """Run every sample through `model` on the reference kernels, without delegates, one at a time.

    Where those cannot (an op without a reference kernel, an abort, too slow), the optimized builtin kernels do, and
    `note` says so. Raises ToolError with the last line of what was printed when neither can.
    """
    with tempfile.TemporaryDirectory(prefix="benchbench-") as folder:
        samples, answer = Path(folder, "samples.npz"), Path(folder, "outputs.npz")
        dataset.save(samples)
        how = dataset.preprocessing.model_dump_json() if dataset.preprocessing else ""
        arguments = [str(model), str(samples), str(answer)]
        note = _run([*arguments, "reference", how], timeout_s)
        if not note:
            return Reference(read_outputs(answer), "reference")
        failure = _run([*arguments, "builtin", how], timeout_s)
        if failure:
            raise ToolError(f"{model}: the reference cannot run it on this host: {failure}")
        return Reference(read_outputs(answer), "builtin", f"builtin kernels, as the reference kernels failed: {note}")


def _run(arguments: Sequence[str], timeout_s: float) -> str:
    """Why it failed, in one line; "" = it did not."""
    command = [sys.executable, "-P", "-m", "benchbench.accuracy.reference", *arguments]
    try:
        done = subprocess.run(command, capture_output=True, timeout=timeout_s, check=False)
    except subprocess.TimeoutExpired:
        return f"not done after {timeout_s:g} s"
    if done.returncode == 0:
        return ""
    lines = [line for line in done.stderr.decode("utf-8", "replace").splitlines() if line.strip()]
    ended = f"signal {-done.returncode}" if done.returncode < 0 else f"exit code {done.returncode}"
    return f"{lines[-1].strip()} ({ended})" if lines else ended


def _interpreted(model: str, samples: Path, kernels: Kernels, how: Preprocessing | None) -> tuple[Output, ...]:
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    resolver = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    if kernels == "reference":
        resolver = OpResolverType.BUILTIN_REF
    interpreter = Interpreter(model, experimental_op_resolver_type=resolver)
    interpreter.allocate_tensors()
    inputs = [_described(detail) for detail in interpreter.get_input_details()]
    with np.load(samples, allow_pickle=False) as archive:
        arrays = [archive[name] for name in archive.files]
    kept: list[list[Array]] = [[] for _ in interpreter.get_output_details()]
    for row in range(len(arrays[0])):
        for array, tensor, detail in zip(arrays, inputs, interpreter.get_input_details(), strict=True):
            fed = to_input(array[row : row + 1], tensor, how)
            interpreter.set_tensor(detail["index"], fed.reshape(tensor.shape))
        interpreter.invoke()
        for results, detail in zip(kept, interpreter.get_output_details(), strict=True):
            results.append(interpreter.get_tensor(detail["index"]))
    outputs = [_described(detail) for detail in interpreter.get_output_details()]
    return tuple(
        Output(tensor.name, _stacked(results), tensor.scale, tensor.zero_point)
        for tensor, results in zip(outputs, kept, strict=True)
    )


def _stacked(results: list[Array]) -> Array:
    """Samples first; a batch axis of one is that axis."""
    return np.concatenate(results) if results[0].shape[:1] == (1,) else np.stack(results)


def _described(detail: Any) -> _Described:
    scale, zero_point = detail["quantization"]
    shape = tuple(int(size) for size in detail["shape"])
    return _Described(str(detail["name"]), np.dtype(detail["dtype"]).name, shape, float(scale), int(zero_point))


def _main(model: str, samples: str, answer: str, kernels: Kernels, how: str) -> None:
    preprocessing = Preprocessing.model_validate_json(how) if how else None
    try:
        write_outputs(Path(answer), _interpreted(model, Path(samples), kernels, preprocessing))
    except (RuntimeError, ValueError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    _main(*sys.argv[1:])  # type: ignore[arg-type]  # this module is its only caller
