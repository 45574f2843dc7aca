"""Outputs of many samples through benchmark_model, which reads raw files of inputs and writes one of outputs.

A launch runs one inference. Where a model can be resized, one inference takes many samples; but a model may take them
and mix them up in silence (a fixed reshape, a concatenation), so a batch is believed only when its first and its last
sample come out as they do alone. Otherwise every launch takes as many samples as the model's file says: mostly one.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import numpy as np

from benchbench.accuracy.collect.launch_sequence import Evaluated, LaunchFailed, LaunchSequence, Progress
from benchbench.accuracy.datasets import Dataset
from benchbench.accuracy.outputs import Output
from benchbench.accuracy.raw import RawSamples, alike
from benchbench.accuracy.tensors import Array
from benchbench.device.agent import folder_name
from benchbench.device.temporary import TemporaryFolder
from benchbench.runtimes.tool import Feed, LaunchSpec, Runner
from benchbench.values.case import InputSpec
from benchbench.values.errors import InputError
from benchbench.values.job import JobResult
from benchbench.values.model import ModelInfo, TensorInfo

OUTPUTS = "outputs.raw"
BATCHED = 3  # launches that a batch takes: one sample alone, all of them, another one alone
ONE_BY_ONE = "one by one"
PROOF = BATCHED - 1  # launches that prove a batch: its first and its last sample alone
MOST_SAMPLES, MOST_BYTES = 256, 8 * 2**20  # of a batch: activations take many times the memory of inputs


def obstacle(runner: Runner, info: ModelInfo, described: Sequence[InputSpec] = ()) -> str | None:
    """Why outputs of this model cannot be had through this tool, in one line; None when they can.

    `described` is what the matrix says of the inputs.
    """
    if reason := runner.no_outputs_reason():
        return reason
    if described and [spec.shape for spec in described] != [tensor.shape for tensor in info.inputs]:
        return (
            "the matrix gives its inputs other shapes than its file does, and those of its outputs are not known then"
        )
    for tensor in (*info.inputs, *info.outputs):
        if -1 in tensor.signature[1:] or 0 in tensor.shape:
            return f"tensor {tensor.name!r} has no fixed shape: {list(tensor.signature)}"
        if not _is_number(tensor):
            return f"tensor {tensor.name!r} is {tensor.dtype}: only plain numbers travel in raw files"
    return None


def _is_number(tensor: TensorInfo) -> bool:
    try:
        return np.dtype(tensor.dtype).kind in "fiub"
    except TypeError:  # string, int4 …
        return False


def evaluate(
    launches: LaunchSequence, work: LaunchSpec, info: ModelInfo, dataset: Dataset, progress: Progress
) -> Evaluated:
    """Outputs of the samples of a dataset through the path that `work` times.

    A launch that fails, or launches that differ in their delegation, make a failed reading; faults of the link raise
    as a session does. Raises InputError for samples that do not fit.
    """
    # Without a warm-up a model with a state of its own answers from a fresh one.
    once = {"runs": 1, "min_seconds": 0.0, "warmup_runs": 0, "warmup_min_seconds": 0.0}
    work = replace(work, measure=work.measure.model_copy(update=once))
    samples = _samples(info, dataset)
    with tempfile.TemporaryDirectory(prefix="benchbench-") as folder:
        launcher = _Launcher(launches, work, samples, Path(folder))
        try:
            outputs, remark = _all_outputs(launcher, samples, progress)
        except LaunchFailed as failure:
            return launches.evaluated((), error=failure.message)
    return launches.evaluated(outputs, remark)


def _samples(info: ModelInfo, dataset: Dataset) -> RawSamples:
    samples = RawSamples(info.inputs, info.outputs, dataset.inputs, dataset.preprocessing, dataset.whole)
    try:
        samples.fed(0, 1)
    except ValueError as error:
        raise InputError(f"{info.path}: the samples do not fit: {error}") from error
    return samples


@dataclass(frozen=True, slots=True)
class _Launcher:
    """Runs inferences over some units at a time."""

    launches: LaunchSequence
    work: LaunchSpec
    samples: RawSamples
    folder: Path  # on this host

    def launch(self, label: str, first: int, units: int = 1) -> list[Array]:
        """The outputs of one inference over `units`. Raises LaunchFailed, and as a session does."""
        span = f"{first}+{units}"
        # Beside the job, so that no path of the device stands between the tool's ':' and ','.
        inputs = TemporaryFolder(self.launches.session, folder_name(f"{self.launches.name} {span} inputs"))

        def work() -> LaunchSpec:
            fed = self.samples.fed(first, units)
            placed = inputs.put([self._written(k, array) for k, array in enumerate(fed)])
            files = [f"../{inputs.name}/{PurePosixPath(path).name}" for path in placed]
            feeds = tuple(Feed(array.shape, file=file) for array, file in zip(fed, files, strict=True))
            return replace(self.work, feeds=feeds, raw_outputs=OUTPUTS)

        def outputs(result: JobResult) -> tuple[Output, ...]:
            if not result.outputs:
                raise ValueError("the tool left no outputs")
            inputs.remove()
            return self.samples.named(self.samples.split(result.outputs[0].read_bytes(), units))

        try:
            part = self.launches.launch(label, span, work, outputs)
        except LaunchFailed:
            inputs.remove()
            raise
        return [output.raw for output in part.outputs]

    def _written(self, position: int, array: Array) -> Path:
        path = self.folder / f"input{position}.raw"
        array.tofile(path)
        return path


def _all_outputs(launcher: _Launcher, samples: RawSamples, progress: Progress) -> tuple[tuple[Output, ...], str]:
    """The outputs, and why they were not taken in batches where that was tried in vain."""

    def told(done: int, part: list[Array]) -> list[Array]:
        progress(min(done * samples.unit, samples.n), samples.n)
        return part

    first = launcher.launch("sample 1 alone", 0)
    units, remark = _in_a_batch(samples), ""
    if units > 1:
        try:
            batches = _proven(launcher, units, first)
            rest = range(units, samples.units, units)
            batches += [told(low + units, launcher.launch(_batch(samples, units), low, units)) for low in rest]
            return samples.joined(batches), ""
        except LaunchFailed as failure:
            remark = f"samples were run one by one: {failure.message}"
    others = [told(k + 1, launcher.launch(ONE_BY_ONE, k)) for k in range(1, samples.units)]
    return samples.joined([first, *others]), remark


def _in_a_batch(samples: RawSamples) -> int:
    """How many units to try at once; 1 where that cannot be, or is no gain."""
    one = sum(array.nbytes for array in samples.fed(0, 1))
    units = min(samples.units, MOST_SAMPLES // samples.unit, MOST_BYTES // one)
    gains = units > 1 and PROOF + math.ceil(samples.units / units) < samples.units
    return units if gains and samples.have_an_axis_of_samples else 1


def _proven(launcher: _Launcher, units: int, first: Sequence[Array]) -> list[list[Array]]:
    """The first batch; raises LaunchFailed where it is not what its first and last sample are alone."""
    rows, label = launcher.samples.unit, _batch(launcher.samples, units)
    batch = launcher.launch(label, 0, units)
    last = launcher.launch(f"sample {units * rows} alone", units - 1)
    for whole, head, tail in zip(batch, first, last, strict=True):
        if not (alike(whole[:rows], head) and alike(whole[-rows:], tail)):
            raise LaunchFailed(f"{label}: its outputs are not those of its samples alone")
    return [batch]


def _batch(samples: RawSamples, units: int) -> str:
    return f"batch of {units * samples.unit}"
