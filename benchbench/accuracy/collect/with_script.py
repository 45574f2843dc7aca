"""Outputs of samples through the script on the device: shard by shard, and no launch longer than half a minute."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from benchbench.accuracy.collect.chunks import Chunk
from benchbench.accuracy.collect.launch_sequence import Evaluated, LaunchFailed, LaunchSequence, Progress
from benchbench.accuracy.outputs import Output, read_outputs
from benchbench.accuracy.shards import Shards
from benchbench.accuracy.tensors import arithmetic
from benchbench.device_script.protocol import Evaluation
from benchbench.runtimes.tool import LaunchSpec
from benchbench.values.errors import InputError
from benchbench.values.job import JobResult
from benchbench.values.model import State

LAUNCH_SECONDS = 30.0  # between two signs of life, and the most that a fault costs; a start takes one or two of them


def evaluate(
    launches: LaunchSequence,
    work: LaunchSpec,
    shards: Shards,
    progress: Progress,
    *,
    state: State | None = None,
    channels_first: tuple[int, ...] = (),
) -> Evaluated:
    """Outputs of all samples of a dataset through the path that `work` times.

    `state` and `channels_first` are as `Evaluation` has them.

    A launch that fails, or launches that differ in their delegation, make a failed reading; faults of the link raise
    as a session does.
    """
    done, parts = 0, []
    try:
        while done < shards.dataset.n:
            part = _launch(launches, work, shards, done, state, channels_first)
            parts.append(part.outputs)
            done += _evaluated(part)
            progress(done, shards.dataset.n)
    except LaunchFailed as failure:
        return launches.evaluated((), error=failure.message)
    return launches.evaluated(_joined(parts))


def _launch(
    launches: LaunchSequence,
    work: LaunchSpec,
    shards: Shards,
    done: int,
    state: State | None,
    channels_first: tuple[int, ...],
) -> Chunk:
    def with_samples() -> LaunchSpec:
        shard, how = shards.holding(done), shards.dataset.preprocessing
        evaluation = Evaluation(
            samples=launches.session.stage(shard.path),
            start=done - shard.first,
            preprocess=arithmetic(how) if how else None,
            whole=shards.dataset.whole,
            state=state,
            channels_first=channels_first,
            at_most_seconds=min(LAUNCH_SECONDS, work.measure.timeout_seconds / 2),
        )
        return replace(work, evaluation=evaluation)

    return launches.launch(f"sample {done + 1} and on", str(done), with_samples, _outputs)


def _outputs(result: JobResult) -> tuple[Output, ...]:
    if not result.outputs:
        raise InputError("the script left no outputs")
    return read_outputs(result.outputs[0])


def _evaluated(part: Chunk) -> int:
    count = part.record.reading.measurement.evaluated
    if not count:
        raise LaunchFailed("a launch evaluated no sample")
    return count


def _joined(parts: Sequence[tuple[Output, ...]]) -> tuple[Output, ...]:
    return tuple(
        replace(own[0], raw=np.concatenate([output.raw for output in own])) for own in zip(*parts, strict=True)
    )
