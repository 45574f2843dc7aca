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
from benchbench.accuracy.tensors import Array, Preprocessing, to_input
from benchbench.errors import InputError, LinkLost, ToolError
from benchbench.models.inspect import ModelInfo, TensorInfo
from benchbench.outcome import Delegation, Measurement, Reading
from benchbench.runners import Evaluation, Feed, Job, Raw, Work
from benchbench.runners.benchmark_model import BenchmarkModelRunner
from benchbench.session.hand import folder_name
from benchbench.session.session import JobResult, Session

OUTPUTS = "outputs.raw"
NEEDED = ("input_layer", "input_layer_shape", "input_layer_value_files", "output_filepath")
PROOF = 2  # launches that prove a batch: its first and its last sample alone
MOST_SAMPLES, MOST_BYTES = 256, 8 * 2**20  # of a batch: activations take many times the memory of inputs
TOLERANCE = {2: 1e-2, 4: 1e-4, 8: 1e-6}  # of floats with so many bytes, as a share of the largest value


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


def obstacle(runner: BenchmarkModelRunner, info: ModelInfo) -> str | None:
    """Why outputs of this model cannot be had through this tool, in one line; None when they can."""
    missing = [flag for flag in NEEDED if flag not in runner.generation.flags]
    if missing:
        name = runner.generation.name
        return f"this benchmark_model ({name}) cannot take inputs from files and give outputs back: no --{missing[0]}"
    if len(info.signatures) > 1:
        return f"the model has {len(info.signatures)} signatures, and outputs are taken of one"
    for tensor in (*info.inputs, *info.outputs):
        if -1 in tensor.signature[1:] or 0 in tensor.shape:
            return f"tensor {tensor.name!r} has no fixed shape: {list(tensor.signature)}"
        if not _is_number(tensor):
            return f"tensor {tensor.name!r} is {tensor.dtype}: only plain numbers travel in raw files"
    batches = {tensor.shape[:1] for tensor in info.inputs}
    return None if len(batches) == 1 else "the inputs do not take the same number of samples"


def most_launches(samples: int) -> int:
    """How many launches so many samples take at most: a batch that was tried in vain, then one by one."""
    return samples if samples <= PROOF + 1 else samples + PROOF


def _is_number(tensor: TensorInfo) -> bool:
    try:
        return np.dtype(tensor.dtype).kind in "fiub"
    except TypeError:  # string, int4 …
        return False


@dataclass(slots=True)
class _Launcher:
    """Runs inferences of one model as jobs on one device, and remembers what they left."""

    session: Session
    runner: BenchmarkModelRunner
    work: Work
    name: str
    folder: Path  # on this host
    results: list[JobResult] = field(default_factory=list)
    readings: list[Reading] = field(default_factory=list)
    said: dict[str, tuple[Job, Raw]] = field(default_factory=dict)

    def launch(self, label: str, fed: Sequence[Array]) -> bytes:
        """One inference on `fed`, one array an input; the raw outputs. Raises LaunchFailed, and as a session does."""
        if self.session.cancelled.is_set():
            raise LinkLost(f"{self.session.device.name}: the run was cancelled")
        name = f"{self.name} {len(self.results)}"
        # Beside the job, so that no path of the device stands between the tool's ':' and ','.
        inputs = folder_name(f"{name} inputs")
        placed = self.session.lend(inputs, [self._written(k, array) for k, array in enumerate(fed)])
        files = [f"../{inputs}/{PurePosixPath(path).name}" for path in placed]
        feeds = tuple(Feed(array.shape, file=file) for array, file in zip(fed, files, strict=True))
        work = replace(self.work, feeds=feeds, raw_outputs=OUTPUTS)
        job = self.runner.job(work)
        job = replace(job, env={**job.env, **self.session.device.env})
        result = self.session.run(folder_name(name), job, outputs_to=self.folder)
        self.session.take_back(inputs)
        reading = self.runner.read(work, result.raw)
        self.results.append(result)
        self.readings.append(reading)
        self.said[label] = job, result.raw
        if reading.status != "ok":
            raise LaunchFailed(f"{label}: {reading.error}")
        return result.outputs[0].read_bytes()

    def _written(self, position: int, array: Array) -> Path:
        path = self.folder / f"input{position}.raw"
        array.astype(array.dtype.newbyteorder("<"), copy=False).tofile(path)
        return path


@dataclass(frozen=True, slots=True)
class _Samples:
    """Samples on their way into a model and its outputs on their way back; a unit = what one inference takes."""

    info: ModelInfo
    stored: tuple[Array, ...]
    preprocessing: Preprocessing | None

    @property
    def n(self) -> int:
        return len(self.stored[0])

    @property
    def unit(self) -> int:
        shape = self.info.inputs[0].shape
        return shape[0] if shape else 1

    @property
    def units(self) -> int:
        return math.ceil(self.n / self.unit)

    def fed(self, first: int, units: int) -> list[Array]:
        """Inputs for `units` from unit number `first` on; what lies beyond the end are repeats of the last sample."""
        chosen = np.minimum(np.arange(first * self.unit, (first + units) * self.unit), self.n - 1)
        return [
            np.ascontiguousarray(to_input(array[chosen], tensor, self.preprocessing)).reshape(_of(tensor, units))
            for array, tensor in zip(self.stored, self.info.inputs, strict=True)
        ]

    def split(self, label: str, raw: bytes, units: int) -> list[Array]:
        """The raw outputs of one inference over `units`, one array an output; raises LaunchFailed for another size."""
        shapes = [_of(tensor, units) for tensor in self.info.outputs]
        sizes = [
            math.prod(shape) * np.dtype(tensor.dtype).itemsize
            for shape, tensor in zip(shapes, self.info.outputs, strict=True)
        ]
        if len(raw) != sum(sizes):
            raise LaunchFailed(f"{label}: the outputs have {len(raw)} bytes, and by the model's file {sum(sizes)}")
        ends = np.cumsum(sizes)
        return [
            np.frombuffer(raw[end - size : end], np.dtype(tensor.dtype).newbyteorder("<")).reshape(shape)
            for tensor, shape, size, end in zip(self.info.outputs, shapes, sizes, ends, strict=True)
        ]

    def joined(self, parts: Sequence[Sequence[Array]]) -> tuple[Output, ...]:
        """The outputs of all samples; an output without an axis of samples is stacked, one for each inference."""
        outputs = []
        for k, tensor in enumerate(self.info.outputs):
            whole = tensor.shape[:1] == (self.unit,)
            raw = np.concatenate([part[k] for part in parts])[: self.n] if whole else np.stack([p[k] for p in parts])
            outputs.append(Output(tensor.name, raw, tensor.scale or 0.0, tensor.zero_point or 0))
        return tuple(outputs)

    @property
    def in_a_batch(self) -> int:
        """How many units to try at once; 1 where that is no gain, or where an output has no axis of samples."""
        tensors = (*self.info.inputs, *self.info.outputs)
        if any(tensor.shape[:1] != (self.unit,) for tensor in tensors):
            return 1
        one = sum(array.nbytes for array in self.fed(0, 1))
        units = min(self.units, MOST_SAMPLES // self.unit, MOST_BYTES // one)
        return units if units > 1 and PROOF + math.ceil(self.units / units) < self.units else 1


def _of(tensor: TensorInfo, units: int) -> tuple[int, ...]:
    return tensor.shape if units == 1 else (tensor.shape[0] * units, *tensor.shape[1:])


def evaluate(
    session: Session, runner: BenchmarkModelRunner, work: Work, info: ModelInfo, evaluation: Evaluation, *, name: str
) -> Evaluated:
    """Outputs of samples (`evaluation.samples` is on this host) through the path that `work` times.

    A launch that fails, or launches that differ in their delegation, make a failed reading; faults of the link raise
    as a session does. Raises InputError for samples that do not fit.
    """
    once = {"runs": 1, "min_seconds": 0.0, "warmup_runs": 0, "warmup_min_seconds": 0.0}  # a fresh state, where there is
    work = replace(work, measure=work.measure.model_copy(update=once))
    samples = _samples(info, evaluation)
    with tempfile.TemporaryDirectory(prefix="benchbench-") as folder:
        launcher = _Launcher(session, runner, work, name, Path(folder))
        try:
            outputs, remark = _all_outputs(launcher, samples)
        except LaunchFailed as failure:
            return _evaluated(launcher, (), (), failure.message)
        except ValueError as error:
            raise InputError(f"{evaluation.samples}: {error}") from error
    return _evaluated(launcher, outputs, (remark,) if remark else ())


def _samples(info: ModelInfo, evaluation: Evaluation) -> _Samples:
    with np.load(evaluation.samples, allow_pickle=False) as archive:
        names = archive.files[: len(info.inputs)]
        stop = None if evaluation.count is None else evaluation.start + evaluation.count
        stored = tuple(archive[name][evaluation.start : stop] for name in names)
    how = evaluation.preprocess
    return _Samples(info, stored, Preprocessing(scale=how.scale, mean=how.mean, std=how.std) if how else None)


def _all_outputs(launcher: _Launcher, samples: _Samples) -> tuple[tuple[Output, ...], str]:
    """The outputs, and why they were not taken in batches where that was tried in vain."""
    first = samples.split("sample 1 alone", launcher.launch("sample 1 alone", samples.fed(0, 1)), 1)
    units, remark = samples.in_a_batch, ""
    if units > 1:
        try:
            return _in_batches(launcher, samples, units, first), ""
        except LaunchFailed as failure:
            remark = f"samples were run one by one: {failure.message}"
    parts = [first]
    for k in range(1, samples.units):
        raw = launcher.launch("one by one", samples.fed(k, 1))
        _same_delegation(launcher.readings[0], launcher.readings[-1], f"launch {k + 1}")
        parts.append(samples.split(f"launch {k + 1}", raw, 1))
    return samples.joined(parts), remark


def _in_batches(launcher: _Launcher, samples: _Samples, units: int, first: Sequence[Array]) -> tuple[Output, ...]:
    """Raises LaunchFailed as soon as a batch is not what its samples are alone."""
    parts = []
    for low in range(0, samples.units, units):
        label = f"batch of {units * samples.unit}"
        raw = launcher.launch(label, samples.fed(low, units))
        _same_delegation(launcher.readings[0], launcher.readings[-1], label)
        parts.append(samples.split(label, raw, units))
        if low == 0:
            last = f"sample {units * samples.unit} alone"
            alone = samples.split(last, launcher.launch(last, samples.fed(units - 1, 1)), 1)
            rows = samples.unit
            for whole, head, tail in zip(parts[0], first, alone, strict=True):
                if not (alike(whole[:rows], head) and alike(whole[-rows:], tail)):
                    raise LaunchFailed(f"{label}: its outputs are not those of its samples alone")
    return samples.joined(parts)


def alike(batched: Array, alone: Array) -> bool:
    """Integers exactly, floats within what another order of summation changes."""
    if batched.dtype.kind != "f":
        return np.array_equal(batched, alone)
    largest = float(np.abs(alone, where=np.isfinite(alone), out=np.zeros_like(alone)).max(initial=0.0))
    atol = TOLERANCE[alone.dtype.itemsize] * largest
    return np.allclose(batched, alone, rtol=0, atol=atol, equal_nan=True)


def _same_delegation(expected: Reading, got: Reading, label: str) -> None:
    if _taken(expected.delegation) != _taken(got.delegation):
        raise LaunchFailed(
            f"{label}: another delegation ({_in_words(got.delegation)}) than the first launch's "
            f"({_in_words(expected.delegation)})"
        )


def _taken(delegation: Delegation) -> tuple[str, int | None, str | None]:
    return delegation.verdict, delegation.nodes_delegated, delegation.remainder


def _in_words(delegation: Delegation) -> str:
    nodes = "" if delegation.nodes_delegated is None else f", {delegation.nodes_delegated} nodes"
    return f"{delegation.verdict}{nodes}, executed by {delegation.executor}"


def _evaluated(
    launcher: _Launcher, outputs: tuple[Output, ...], remarks: tuple[str, ...], error: str | None = None
) -> Evaluated:
    """An evaluation has no latency: its launches are of other sizes than those that are timed."""
    first, last = launcher.results[0], launcher.results[-1]
    told = launcher.readings[0].measurement
    measurement = Measurement(threads=told.threads, model_mb=told.model_mb, tool=told.tool, warnings=remarks)
    reading = Reading(
        status="failed" if error else "ok",
        measurement=measurement,
        delegation=launcher.readings[-1 if error else 0].delegation,
        error=error,
    )
    times = [result.tool_s for result in launcher.results if result.tool_s is not None]
    retries = tuple(retry for result in launcher.results for retry in result.retries)
    whole = JobResult(last.raw, first.before, last.after, sum(times) if times else None, (), retries)
    return Evaluated(outputs, reading, whole, launcher.said)
