"""Outputs of many samples through benchmark_model, which reads raw files of inputs and writes one of outputs.

A launch runs one inference. Where a model can be resized, one inference takes many samples; but a model may take them
and mix them up in silence (a fixed reshape, a concatenation), so a batch is believed only when its first and its last
sample come out as they do alone. Otherwise every launch takes as many samples as the model's file says: mostly one.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

import numpy as np

from benchbench.accuracy.outputs import Output
from benchbench.accuracy.raw import RawSamples, alike
from benchbench.accuracy.tensors import Array, Preprocessing
from benchbench.case import InputSpec
from benchbench.errors import InputError, LinkLost, ToolError
from benchbench.models.inspect import ModelInfo, TensorInfo
from benchbench.outcome import Delegation, Measurement, Reading
from benchbench.plan import BATCHED
from benchbench.runners import Evaluation, Feed, Job, Raw, Work
from benchbench.runners.benchmark_model import BenchmarkModelRunner
from benchbench.session.hand import folder_name
from benchbench.session.session import JobResult, Session

OUTPUTS = "outputs.raw"
NEEDED = ("input_layer", "input_layer_shape", "input_layer_value_files", "output_filepath")
ONE_BY_ONE = "one by one"
PROOF = BATCHED - 1  # launches that prove a batch: its first and its last sample alone
MOST_SAMPLES, MOST_BYTES = 256, 8 * 2**20  # of a batch: activations take many times the memory of inputs


class LaunchFailed(ToolError):
    """A launch gave no outputs, or not those that it should."""


@dataclass(frozen=True, slots=True)
class Evaluated:
    """What all launches of an evaluation left; no outputs unless the reading is ok.

    `result` spans the launches: before the first, after the last, tool time of all. `said` holds telling ones by name.
    """

    outputs: tuple[Output, ...]
    reading: Reading
    result: JobResult
    said: dict[str, tuple[Job, Raw]]


def obstacle(runner: BenchmarkModelRunner, info: ModelInfo, described: Sequence[InputSpec] = ()) -> str | None:
    """Why outputs of this model cannot be had through this tool, in one line; None when they can.

    `described` is what the matrix says of the inputs.
    """
    missing = [flag for flag in NEEDED if flag not in runner.generation.flags]
    if missing:
        name = runner.generation.name
        return f"this benchmark_model ({name}) cannot take inputs from files and give outputs back: no --{missing[0]}"
    if len(info.signatures) > 1:
        return f"the model has {len(info.signatures)} signatures, and outputs are taken of one"
    if described and [spec.shape for spec in described] != [tensor.shape for tensor in info.inputs]:
        return (
            "the matrix gives its inputs other shapes than its file does, and those of its outputs are not known then"
        )
    for tensor in (*info.inputs, *info.outputs):
        if -1 in tensor.signature[1:] or 0 in tensor.shape:
            return f"tensor {tensor.name!r} has no fixed shape: {list(tensor.signature)}"
        if not _is_number(tensor):
            return f"tensor {tensor.name!r} is {tensor.dtype}: only plain numbers travel in raw files"
    batches = {tensor.shape[:1] for tensor in info.inputs}
    return None if len(batches) == 1 else "the inputs do not take the same number of samples"


def _is_number(tensor: TensorInfo) -> bool:
    try:
        return np.dtype(tensor.dtype).kind in "fiub"
    except TypeError:  # string, int4 …
        return False


def evaluate(
    session: Session, runner: BenchmarkModelRunner, work: Work, info: ModelInfo, evaluation: Evaluation, *, name: str
) -> Evaluated:
    """Outputs of samples (`evaluation.samples` is on this host) through the path that `work` times.

    A launch that fails, or launches that differ in their delegation, make a failed reading; faults of the link raise
    as a session does. Raises InputError for samples that do not fit.
    """
    # Without a warm-up a model with a state of its own answers from a fresh one.
    once = {"runs": 1, "min_seconds": 0.0, "warmup_runs": 0, "warmup_min_seconds": 0.0}
    work = replace(work, measure=work.measure.model_copy(update=once))
    samples = _samples(info, evaluation)
    with tempfile.TemporaryDirectory(prefix="benchbench-") as folder:
        launcher = _Launcher(session, runner, work, samples, name, Path(folder))
        try:
            outputs, remark = _all_outputs(launcher, samples)
        except LaunchFailed as failure:
            return launcher.evaluated((), "", failure.message)
    return launcher.evaluated(outputs, remark)


def _samples(info: ModelInfo, evaluation: Evaluation) -> RawSamples:
    with np.load(evaluation.samples, allow_pickle=False) as archive:
        names = archive.files[: len(info.inputs)]
        stop = None if evaluation.count is None else evaluation.start + evaluation.count
        stored = tuple(archive[name][evaluation.start : stop] for name in names)
    how = evaluation.preprocess
    preprocessing = Preprocessing(scale=how.scale, mean=how.mean, std=how.std) if how else None
    samples = RawSamples(info.inputs, info.outputs, stored, preprocessing)
    try:
        samples.fed(0, 1)
    except ValueError as error:
        raise InputError(f"{info.path}: the samples do not fit: {error}") from error
    return samples


@dataclass(slots=True)
class _Launcher:
    """Runs inferences of one model as jobs on one device, and remembers what they left."""

    session: Session
    runner: BenchmarkModelRunner
    work: Work
    samples: RawSamples
    name: str
    folder: Path  # on this host
    results: list[JobResult] = field(default_factory=list)
    readings: list[Reading] = field(default_factory=list)
    said: dict[str, tuple[Job, Raw]] = field(default_factory=dict)

    def launch(self, label: str, first: int, units: int = 1) -> list[Array]:
        """The outputs of one inference over `units`. Raises LaunchFailed, and as a session does."""
        if self.session.cancelled.is_set():
            raise LinkLost(f"{self.session.device.name}: the run was cancelled")
        # A job is found again by its name after a fault: the same name is the same inputs.
        name = f"{self.name} {first}+{units}"
        # Beside the job, so that no path of the device stands between the tool's ':' and ','.
        inputs = folder_name(f"{name} inputs")
        fed = self.samples.fed(first, units)
        placed = self.session.lend(inputs, [self._written(k, array) for k, array in enumerate(fed)])
        files = [f"../{inputs}/{PurePosixPath(path).name}" for path in placed]
        feeds = tuple(Feed(array.shape, file=file) for array, file in zip(fed, files, strict=True))
        job = self.runner.job(replace(self.work, feeds=feeds, raw_outputs=OUTPUTS))
        job = replace(job, env={**job.env, **self.session.device.env})
        result = self.session.run(folder_name(name), job, outputs_to=self.folder)
        self.session.take_back(inputs)
        self.results.append(result)
        self.readings.append(self.runner.read(self.work, result.raw))
        self.said[label] = job, result.raw
        return self._outputs(label, result, units)

    def _written(self, position: int, array: Array) -> Path:
        path = self.folder / f"input{position}.raw"
        array.tofile(path)
        return path

    def _outputs(self, label: str, result: JobResult, units: int) -> list[Array]:
        """The launch's outputs, if it ended well, on the same path as all others."""
        expected, reading = self.readings[0].delegation, self.readings[-1]
        label = f"launch {len(self.results)} ({label})"
        if reading.status != "ok":
            raise LaunchFailed(f"{label}: {reading.error}")
        if _taken(reading.delegation) != _taken(expected):
            got = _in_words(reading.delegation)
            raise LaunchFailed(f"{label}: its delegation is {got}, and {_in_words(expected)} in the first launch")
        try:
            return self.samples.split(result.outputs[0].read_bytes(), units)
        except ValueError as error:
            raise LaunchFailed(f"{label}: {error}") from error

    def evaluated(self, outputs: tuple[Output, ...], remark: str, error: str | None = None) -> Evaluated:
        """An evaluation has no latency: its launches are of other sizes than those that are timed."""
        first, last, told = self.results[0], self.results[-1], self.readings[0].measurement
        reading = Reading(
            status="failed" if error else "ok",
            measurement=Measurement(
                threads=told.threads, model_mb=told.model_mb, tool=told.tool, warnings=(remark,) if remark else ()
            ),
            delegation=self.readings[-1 if error else 0].delegation,
            error=error,
        )
        times = [result.tool_s for result in self.results if result.tool_s is not None]
        retries = tuple(retry for result in self.results for retry in result.retries)
        whole = JobResult(last.raw, first.before, last.after, sum(times) if times else None, (), retries)
        return Evaluated(outputs, reading, whole, self.said)


def _taken(delegation: Delegation) -> tuple[str, int | None, str | None]:
    return delegation.verdict, delegation.nodes_delegated, delegation.remainder


def _in_words(delegation: Delegation) -> str:
    nodes = "" if delegation.nodes_delegated is None else f" ({delegation.nodes_delegated} nodes)"
    return f"{delegation.verdict}{nodes}"


def _all_outputs(launcher: _Launcher, samples: RawSamples) -> tuple[tuple[Output, ...], str]:
    """The outputs, and why they were not taken in batches where that was tried in vain."""
    first = launcher.launch("sample 1 alone", 0)
    units, remark = _in_a_batch(samples), ""
    if units > 1:
        try:
            return samples.joined(_batches(launcher, samples, units, first)), ""
        except LaunchFailed as failure:
            remark = f"samples were run one by one: {failure.message}"
    others = [launcher.launch(ONE_BY_ONE, k) for k in range(1, samples.units)]
    return samples.joined([first, *others]), remark


def _in_a_batch(samples: RawSamples) -> int:
    """How many units to try at once; 1 where that cannot be, or is no gain."""
    one = sum(array.nbytes for array in samples.fed(0, 1))
    units = min(samples.units, MOST_SAMPLES // samples.unit, MOST_BYTES // one)
    gains = units > 1 and PROOF + math.ceil(samples.units / units) < samples.units
    return units if gains and samples.have_an_axis_of_samples else 1


def _batches(launcher: _Launcher, samples: RawSamples, units: int, first: Sequence[Array]) -> list[list[Array]]:
    """The outputs batch by batch; raises LaunchFailed where the first is not what its samples are alone."""
    rows = samples.unit
    label = f"batch of {units * rows}"
    batches = [launcher.launch(label, 0, units)]
    last = launcher.launch(f"sample {units * rows} alone", units - 1)
    for whole, head, tail in zip(batches[0], first, last, strict=True):
        if not (alike(whole[:rows], head) and alike(whole[-rows:], tail)):
            raise LaunchFailed(f"{label}: its outputs are not those of its samples alone")
    return batches + [launcher.launch(label, low, units) for low in range(units, samples.units, units)]
