"""The float32 reference: a model on this host's reference kernels, in a process of its own because models may abort.

Run as a program it is that process, and stops when its time is over:
`python -m benchbench.accuracy.reference MODEL SAMPLES.npz OUT.npz REQUEST` (a `Request` as JSON).
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

from benchbench.accuracy.entry import Entry
from benchbench.accuracy.outputs import Output, read_outputs, write_outputs
from benchbench.accuracy.shards import Shards
from benchbench.accuracy.tensors import Array, Preprocessing, to_input
from benchbench.values.case import Signature
from benchbench.values.device import Frozen
from benchbench.values.errors import ToolError
from benchbench.values.process_end import how_it_ended

Kernels = Literal["reference", "builtin"]


@dataclass(frozen=True, slots=True)
class Reference:
    """The outputs of the first samples, and which kernels made them; `note` says why not others, and why not of all."""

    outputs: tuple[Output, ...]
    kernels: Kernels
    note: str = ""


class Request(Frozen):
    """How samples are run: on which kernels, for how long, and what a sample is.

    `whole`: one set of inputs, for the model has no axis of samples. `rebuilt`: the model keeps a state that only a new
    interpreter forgets (resource variables); any other state is reset before each sample.
    """

    kernels: Kernels
    seconds: float
    preprocessing: Preprocessing | None = None
    whole: bool = False
    rebuilt: bool = False
    signature: Signature | None = None


@dataclass(frozen=True, slots=True)
class _Described:
    name: str
    dtype: str
    shape: tuple[int, ...]
    scale: float
    zero_point: int


def reference_outputs(
    model: Path,
    shards: Shards,
    *,
    at_most_seconds: float,
    timeout_s: float = 600,
    rebuilt: bool = False,
    signature: Signature | None = None,
) -> Reference:
    """Run samples through `model` on the reference kernels, without delegates, for as long as it may.

    `rebuilt` as `Request` has it; `signature` is the entry point, None = the main graph.

    Where those cannot (an op without a reference kernel, an abort, not one sample within `timeout_s`), the optimized
    builtin kernels do. Raises ToolError with the last line of what was printed when neither can.
    """
    notes: list[str] = []
    dataset = shards.dataset
    request = Request(
        kernels="reference",
        seconds=at_most_seconds,
        preprocessing=dataset.preprocessing,
        whole=dataset.whole,
        rebuilt=rebuilt,
        signature=signature,
    )
    try:
        outputs = _of_shards(model, shards, request, timeout_s)
    except ToolError as failure:
        request = request.model_copy(update={"kernels": "builtin"})
        notes.append(f"builtin kernels, as the reference kernels failed: {failure.message}")
        try:
            outputs = _of_shards(model, shards, request, timeout_s)
        except ToolError as error:
            raise ToolError(f"{model}: the reference cannot run it on this host: {error.message}") from error
    done, n = len(outputs[0].raw), dataset.n
    if done < n:
        notes.append(f"compared for the first {done:,} of {n:,} samples: the reference had {at_most_seconds:g} s")
    return Reference(outputs, request.kernels, "; ".join(notes))


def _of_shards(model: Path, shards: Shards, request: Request, timeout_s: float) -> tuple[Output, ...]:
    """Shard by shard until the time is over; raises ToolError where even the first sample cannot be had."""
    began, done = time.monotonic(), 0
    parts: list[tuple[Output, ...]] = []
    while done < shards.dataset.n:
        left = request.seconds - (time.monotonic() - began)
        if parts and left <= 0:
            break
        shard = shards.holding(done)
        parts.append(_of_file(model, shard.path, request.model_copy(update={"seconds": left}), timeout_s))
        done += len(parts[-1][0].raw)
        if done % shards.size:  # stopped within a shard
            break
    return tuple(replace(own[0], raw=np.concatenate([o.raw for o in own])) for own in zip(*parts, strict=True))


def _of_file(model: Path, samples: Path, request: Request, timeout_s: float) -> tuple[Output, ...]:
    with tempfile.TemporaryDirectory(prefix="benchbench-") as folder:
        answer = Path(folder, "outputs.npz")
        failure = _run([str(model), str(samples), str(answer), request.model_dump_json()], timeout_s)
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
    ended = how_it_ended(done.returncode)
    return f"{lines[-1].strip()} (it {ended})" if lines else f"it {ended}"


def _interpreted(model: str, samples: Path, request: Request) -> tuple[Output, ...]:
    with np.load(samples, allow_pickle=False) as archive:
        arrays = [archive[name] for name in archive.files]
    entry, batch = _prepared(model, arrays, request)
    inputs = [_described(detail) for detail in entry.inputs]
    began = time.monotonic()
    kept: list[list[Array]] = [[] for _ in entry.outputs]
    done, total = 0, len(arrays[0])
    for low in range(0, total, batch):
        if low and request.rebuilt:
            entry, _ = _prepared(model, arrays, request)
        entry.reset()
        chosen = np.minimum(np.arange(low, low + batch), total - 1)  # the last batch is filled up with repeats
        for array, tensor, detail in zip(arrays, inputs, entry.inputs, strict=True):
            fed = to_input(array[chosen], tensor, request.preprocessing)
            entry.set(detail["index"], fed.reshape(tensor.shape))
        entry.invoke()
        for results, detail in zip(kept, entry.outputs, strict=True):
            results.append(entry.get(detail["index"]))
        done = min(low + batch, total)
        if time.monotonic() - began >= request.seconds:
            break
    outputs = [_described(detail) for detail in entry.outputs]
    return tuple(
        Output(tensor.name, _whole(results, batch, request.whole)[:done], tensor.scale, tensor.zero_point)
        for tensor, results in zip(outputs, kept, strict=True)
    )


def _prepared(model: str, arrays: list[Array], request: Request) -> tuple[Entry, int]:
    """A new interpreter for such samples, and how many of them it takes at once."""
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    resolver = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    if request.kernels == "reference":
        resolver = OpResolverType.BUILTIN_REF
    entry = Entry(Interpreter(model, experimental_op_resolver_type=resolver), request.signature)
    for array, detail in zip(arrays, entry.inputs, strict=True):
        shape = [*([] if request.whole else detail["shape"][:1]), *array.shape[1:]]
        if shape != list(detail["shape"]):  # of a model that leaves it open
            entry.resize(detail["index"], shape)
    entry.allocate()
    first = entry.inputs[0]["shape"]
    return entry, 1 if request.whole or not len(first) else int(first[0])


def _whole(results: list[Array], batch: int, whole: bool) -> Array:
    """Samples first, where the output has an axis of samples; else one row an inference."""
    stacked = whole or results[0].shape[:1] != (batch,)
    return np.stack(results) if stacked else np.concatenate(results)


def _described(detail: Any) -> _Described:
    scale, zero_point = detail["quantization"]
    shape = tuple(int(size) for size in detail["shape"])
    return _Described(str(detail["name"]), np.dtype(detail["dtype"]).name, shape, float(scale), int(zero_point))


def _main(model: str, samples: str, answer: str, request: str) -> None:
    try:
        write_outputs(Path(answer), _interpreted(model, Path(samples), Request.model_validate_json(request)))
    except (RuntimeError, ValueError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    _main(*sys.argv[1:])
