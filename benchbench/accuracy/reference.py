"""The float32 reference: a model on this host's reference kernels, in a process of its own because models may abort.

Run as a program it is that process, and stops when its time is over:
`python -m benchbench.accuracy.reference MODEL SAMPLES.npz OUT.npz KERNELS SECONDS PREPROCESSING`.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from benchbench.accuracy.outputs import Output, read_outputs, write_outputs
from benchbench.accuracy.shards import Shards
from benchbench.accuracy.tensors import Array, Preprocessing, to_input
from benchbench.errors import ToolError

Kernels = Literal["reference", "builtin"]


@dataclass(frozen=True, slots=True)
class Reference:
    """The outputs of the first samples, and which kernels made them; `note` says why not others, and why not of all."""

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


def reference_outputs(model: Path, shards: Shards, *, at_most_seconds: float, timeout_s: float = 600) -> Reference:
    """Run samples through `model` on the reference kernels, without delegates, for as long as it may.

    Where those cannot (an op without a reference kernel, an abort, not one sample within `timeout_s`), the optimized
    builtin kernels do. Raises ToolError with the last line of what was printed when neither can.
    """
    notes: list[str] = []
    kernels: Kernels = "reference"
    try:
        outputs = _of_shards(model, shards, kernels, at_most_seconds, timeout_s)
    except ToolError as failure:
        kernels = "builtin"
        notes.append(f"builtin kernels, as the reference kernels failed: {failure.message}")
        try:
            outputs = _of_shards(model, shards, kernels, at_most_seconds, timeout_s)
        except ToolError as error:
            raise ToolError(f"{model}: the reference cannot run it on this host: {error.message}") from error
    done, n = len(outputs[0].raw), shards.dataset.n
    if done < n:
        notes.append(f"compared for the first {done:,} of {n:,} samples: the reference had {at_most_seconds:g} s")
    return Reference(outputs, kernels, "; ".join(notes))


def _of_shards(
    model: Path, shards: Shards, kernels: Kernels, at_most_seconds: float, timeout_s: float
) -> tuple[Output, ...]:
    """Shard by shard until the time is over; raises ToolError where even the first sample cannot be had."""
    began, done = time.monotonic(), 0
    parts: list[tuple[Output, ...]] = []
    while done < shards.dataset.n:
        left = at_most_seconds - (time.monotonic() - began)
        if parts and left <= 0:
            break
        shard = shards.holding(done)
        parts.append(_of_file(model, shard.path, kernels, left, shards.dataset.preprocessing, timeout_s))
        done += len(parts[-1][0].raw)
        if done % shards.size:  # stopped within a shard
            break
    return tuple(replace(own[0], raw=np.concatenate([o.raw for o in own])) for own in zip(*parts, strict=True))


def _of_file(
    model: Path, samples: Path, kernels: Kernels, seconds: float, how: Preprocessing | None, timeout_s: float
) -> tuple[Output, ...]:
    with tempfile.TemporaryDirectory(prefix="benchbench-") as folder:
        answer = Path(folder, "outputs.npz")
        arguments = [str(model), str(samples), str(answer), kernels, f"{seconds:g}"]
        failure = _run([*arguments, how.model_dump_json() if how else ""], timeout_s)
        if failure:
            raise ToolError(failure)
        return read_outputs(answer)


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


def _interpreted(
    model: str, samples: Path, kernels: Kernels, seconds: float, how: Preprocessing | None
) -> tuple[Output, ...]:
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    resolver = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    if kernels == "reference":
        resolver = OpResolverType.BUILTIN_REF
    interpreter = Interpreter(model, experimental_op_resolver_type=resolver)
    with np.load(samples, allow_pickle=False) as archive:
        arrays = [archive[name] for name in archive.files]
    for array, detail in zip(arrays, interpreter.get_input_details(), strict=True):
        shape = [*detail["shape"][:1], *array.shape[1:]]
        if shape != list(detail["shape"]):  # of a model that leaves it open
            interpreter.resize_tensor_input(detail["index"], shape)
    interpreter.allocate_tensors()
    inputs = [_described(detail) for detail in interpreter.get_input_details()]
    began = time.monotonic()
    kept: list[list[Array]] = [[] for _ in interpreter.get_output_details()]
    batch = inputs[0].shape[0] if inputs[0].shape else 1
    done, total = 0, len(arrays[0])
    for low in range(0, total, batch):
        chosen = np.minimum(np.arange(low, low + batch), total - 1)  # the last batch is filled up with repeats
        for array, tensor, detail in zip(arrays, inputs, interpreter.get_input_details(), strict=True):
            interpreter.set_tensor(detail["index"], to_input(array[chosen], tensor, how).reshape(tensor.shape))
        interpreter.invoke()
        for results, detail in zip(kept, interpreter.get_output_details(), strict=True):
            results.append(interpreter.get_tensor(detail["index"]))
        done = min(low + batch, total)
        if time.monotonic() - began >= seconds:
            break
    outputs = [_described(detail) for detail in interpreter.get_output_details()]
    return tuple(
        Output(tensor.name, _whole(results, batch)[:done], tensor.scale, tensor.zero_point)
        for tensor, results in zip(outputs, kept, strict=True)
    )


def _whole(results: list[Array], batch: int) -> Array:
    """Samples first, where the output has an axis of samples; else one row an inference."""
    return np.concatenate(results) if results[0].shape[:1] == (batch,) else np.stack(results)


def _described(detail: Any) -> _Described:
    scale, zero_point = detail["quantization"]
    shape = tuple(int(size) for size in detail["shape"])
    return _Described(str(detail["name"]), np.dtype(detail["dtype"]).name, shape, float(scale), int(zero_point))


def _main(model: str, samples: str, answer: str, kernels: Kernels, seconds: str, how: str) -> None:
    preprocessing = Preprocessing.model_validate_json(how) if how else None
    try:
        write_outputs(Path(answer), _interpreted(model, Path(samples), kernels, float(seconds), preprocessing))
    except (RuntimeError, ValueError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    _main(*sys.argv[1:])  # type: ignore[arg-type]  # this module is its only caller
