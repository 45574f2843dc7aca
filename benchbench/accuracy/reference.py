"""The reference: a model on the plainest kernels that its runtime has on this host."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from benchbench.accuracy.datasets import Dataset
from benchbench.accuracy.on_this_host import outputs_on_this_host
from benchbench.accuracy.outputs import Output
from benchbench.accuracy.shards import Shards
from benchbench.accuracy.tensors import arithmetic
from benchbench.device_script import protocol
from benchbench.device_script.protocol import DelegateRequest, Evaluation, Request
from benchbench.values.case import Signature
from benchbench.values.errors import ToolError
from benchbench.values.model import State


@dataclass(frozen=True, slots=True)
class Reference:
    """The outputs of the first samples, and which kernels made them; `note` says why not others, and why not of all."""

    outputs: tuple[Output, ...]
    kernels: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """How a model is run: by which signature (None = its main graph), and what is to be known of its inputs and state.

    `channels_first` is as `Evaluation` has it. `rebuilt`: it keeps a state that only a new interpreter forgets
    (resource variables); any other state is reset before each sample.
    """

    signature: Signature | None = None
    channels_first: tuple[int, ...] = ()
    rebuilt: bool = False


PLAIN = Entry()


def reference_outputs(
    model: Path,
    shards: Shards,
    kernels: Mapping[str, DelegateRequest],
    entry: Entry = PLAIN,
    *,
    at_most_seconds: float,
    timeout_s: float = 600,
) -> Reference:
    """Run samples through `model` on the first of `kernels`, without delegates, for as long as it may.

    Where those cannot (an op without a reference kernel, an abort, not one sample within `timeout_s`), the next do.
    Raises ToolError with the last line of what was printed when none can.
    """
    why, failure = "", ToolError("its runtime has no kernels here")
    for name, delegate in kernels.items():
        request = _request(model, delegate, shards.dataset, entry)
        try:
            outputs = _of_shards(shards, request, entry, at_most_seconds, timeout_s)
        except ToolError as error:
            why, failure = f"as the {name} kernels failed: {error.message}", error
            continue
        notes = [f"{name} kernels, {why}"] if why else []
        done, n = len(outputs[0].raw), shards.dataset.n
        if done < n:
            notes.append(f"compared for the first {done:,} of {n:,} samples: the reference had {at_most_seconds:g} s")
        return Reference(outputs, name, "; ".join(notes))
    raise ToolError(f"{model}: the reference cannot run it on this host: {failure.message}") from failure


def _request(model: Path, delegate: DelegateRequest, dataset: Dataset, entry: Entry) -> Request:
    """Without samples yet; inputs whose size the model leaves open get that of the samples."""
    shapes = [(*(() if dataset.whole else (-1,)), *samples.shape) for samples in dataset.inputs]
    for place in entry.channels_first:
        batch, *rows_and_columns, channels = shapes[place]
        shapes[place] = (batch, channels, *rows_and_columns)
    signature = entry.signature
    return Request(
        model=str(model.absolute()),
        asked="reference",
        delegate=delegate,
        signature=protocol.Signature(signature.key, signature.inputs, signature.outputs) if signature else None,
        shapes=tuple(shapes),
    )


def _of_shards(
    shards: Shards, request: Request, entry: Entry, at_most_seconds: float, timeout_s: float
) -> tuple[Output, ...]:
    """Shard by shard until the time is over; raises ToolError where even the first sample cannot be had."""
    state: State | None = "resources" if entry.rebuilt else None
    began, done = time.monotonic(), 0
    dataset, how = shards.dataset, shards.dataset.preprocessing
    parts: list[tuple[Output, ...]] = []
    while done < dataset.n:
        left = at_most_seconds - (time.monotonic() - began)
        if parts and left <= 0:
            break
        evaluation = Evaluation(
            samples=str(shards.holding(done).path.absolute()),
            preprocess=arithmetic(how) if how else None,
            whole=dataset.whole,
            state=state,
            channels_first=entry.channels_first,
            at_most_seconds=left,
        )
        parts.append(outputs_on_this_host(replace(request, evaluate=evaluation), timeout_s))
        done += len(parts[-1][0].raw)
        if done % shards.size:  # stopped within a shard
            break
    return tuple(replace(own[0], raw=np.concatenate([o.raw for o in own])) for own in zip(*parts, strict=True))
