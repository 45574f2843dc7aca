"""Believe the file, not the tool: a made file is run on a few samples, and its answers are held against float32's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchbench.accuracy.datasets import seeded
from benchbench.accuracy.fidelity import fidelity as tensor_fidelity
from benchbench.accuracy.fidelity import flags
from benchbench.accuracy.on_this_host import NotComparable, outputs_on_this_host
from benchbench.accuracy.outputs import Output
from benchbench.device_script.protocol import Evaluation, Request
from benchbench.device_script.tensors import to_input
from benchbench.runtimes import runtime_of
from benchbench.runtimes.quantizing.calibration import Calibration
from benchbench.runtimes.quantizing.manifest import Fidelity
from benchbench.runtimes.quantizing.validator import CannotRun
from benchbench.values.errors import InputError, ToolError
from benchbench.values.model import ModelInfo, TensorInfo

MOST_SAMPLES = 16
MOST_VALUES = 2**22  # in and out of the model, over all samples: pictures as outputs would fill the memory
ENOUGH_SECONDS = 60  # then no further sample is begun
TRY_SECONDS = 300
SEED = 0

Arrays = dict[str, NDArray[Any]]
Outputs = tuple[Output, ...]


@dataclass(frozen=True)
class Validation:
    """What every file of a family is tried on, and what float32 answers.

    `reference` is None where nothing can be compared (no numbers come out, or NaN already from float32); `failure` says
    why the float32 model itself cannot run here.
    """

    samples: Arrays  # input name -> [n, …]
    data: str  # what they are, for the manifest
    reference: Outputs | None = None
    failure: str | None = None

    def fidelity(self, info: ModelInfo) -> Fidelity | None:
        """How true a file of the family is to float32; None where its outputs cannot be compared. Raises CannotRun."""
        outputs = _answers(info, self.samples)
        if not outputs or not self.reference:
            return None
        n = min(len(answers[0].raw) for answers in (outputs, self.reference))
        try:
            tensors = tensor_fidelity(_first(self.reference, n), _first(outputs, n))
        except InputError as error:
            raise CannotRun(f"its outputs are others: {error}") from error
        agreements = [tensor.agreement for tensor in tensors if tensor.agreement is not None]
        single = len(tensors) == 1
        return Fidelity(
            samples=n,
            data=self.data,
            agreement=round(min(agreements), 4) if agreements else None,
            cosine=round(min(tensor.cosine for tensor in tensors), 4),
            sqnr_db=round(min(tensor.sqnr_db for tensor in tensors), 1),
            flags=tuple(f.text.removeprefix(f"output {f.tensor!r}: ") if single else f.text for f in flags(tensors)),
        )


def validation_of(float32: ModelInfo, calibration: Calibration | None) -> Validation:
    """Samples for a family: of the representative data, else random; zeros for what takes only certain values."""
    zeros = Validation({k: np.zeros((1, *t.shape[1:]), t.dtype) for k, t in _inputs(float32).items() if _number(t)}, "")
    samples = _samples(float32, calibration)
    failure: str | None = None
    for validation in (zeros,) if samples is None else (samples, zeros):
        try:
            reference = _answers(float32, validation.samples)
        except CannotRun as error:
            guessed = calibration is None and any(tensor.open for tensor in float32.inputs)
            failure = (
                f"{error} (its open sizes were taken as 1: representative data fix them)" if guessed else str(error)
            )
        else:
            sound = reference is not None and all(np.isfinite(answer.real).all() for answer in reference)
            return replace(validation, reference=reference if sound and validation is not zeros else None)
    return replace(zeros, failure=failure)


def _samples(float32: ModelInfo, calibration: Calibration | None) -> Validation | None:
    """None where an input takes no numbers."""
    inputs = _inputs(float32)
    values = sum(int(np.prod(tensor.shape, dtype=int)) for tensor in (*float32.inputs, *float32.outputs))
    most = max(1, min(MOST_SAMPLES, MOST_VALUES // max(1, values)))
    if calibration is not None:
        picked = np.linspace(0, calibration.samples - 1, min(most, calibration.samples)).round().astype(int)
        return Validation({name: array[picked] for name, array in calibration.arrays.items()}, calibration.source)
    if not all(_number(tensor) for tensor in inputs.values()):
        return None
    lengths = dict(zip((tensor.name for tensor in float32.inputs), float32.tables, strict=True))
    ids = [length and (0, length - 1) for length in (lengths.get(tensor.name) for tensor in inputs.values())]
    drawn = seeded(tuple(inputs.values()), most, SEED, [bounds or None for bounds in ids])
    return Validation({name: column[:most] for name, column in zip(inputs, drawn.inputs, strict=True)}, "random")


def _number(tensor: TensorInfo) -> bool:
    try:
        return np.dtype(tensor.dtype).kind in "fiub"
    except TypeError:  # string, resource, variant …
        return False


def _first(outputs: Outputs, n: int) -> Outputs:
    return tuple(replace(output, raw=output.raw[:n]) for output in outputs)


def _inputs(info: ModelInfo) -> Mapping[str, TensorInfo]:
    """What the interpreter runs by default is the main graph, and the first signature may be of another."""
    own = {tensor.name: tensor for tensor in info.inputs}
    named = info.arguments
    return named if {tensor.name for tensor in named.values()} <= set(own) else own


def _answers(info: ModelInfo, samples: Arrays) -> Outputs | None:
    """Run a file in a process of its own; None where its outputs are nothing that can be compared. Raises CannotRun."""
    with TemporaryDirectory(prefix="benchbench-") as folder:
        fed = _fed(info, samples)
        np.savez(Path(folder, "samples.npz"), **{f"x{place}": array for place, array in fed.items()})  # type: ignore[arg-type]  # numpy's stub takes the names for options
        evaluation = Evaluation(
            samples=str(Path(folder, "samples.npz")), whole=True, at_most_seconds=ENOUGH_SECONDS, fed=tuple(fed)
        )
        request = Request(
            model=str(Path(info.path).absolute()),
            asked="validation",
            delegate=runtime_of(info.format).ordinary_kernels(),
            shapes=tuple(fed[k].shape[1:] if k in fed else None for k in range(len(info.inputs))),
            evaluate=evaluation,
        )
        try:
            outputs = outputs_on_this_host(request, TRY_SECONDS)
        except NotComparable:
            return None
        except ToolError as error:
            raise CannotRun(f"its runtime failed: {error.message}") from error
    return tuple(map(_without_batch, outputs)) if all(output.raw.dtype.kind in "fiub" for output in outputs) else None


def _fed(info: ModelInfo, samples: Arrays) -> dict[int, NDArray[Any]]:
    """The samples as a file takes them, by the numbers of its inputs: each is one whole set of inputs."""
    inputs = _inputs(info)
    named = samples if set(samples) <= set(inputs) else dict(zip(inputs, samples.values(), strict=False))
    places = {tensor.name: k for k, tensor in enumerate(info.inputs)}
    by_place = {places[inputs[name].name]: to_input(array, inputs[name], None) for name, array in named.items()}
    return {place: _fitted(by_place[place], info.inputs[place]) for place in sorted(by_place)}


def _fitted(samples: NDArray[Any], tensor: TensorInfo) -> NDArray[Any]:
    """Each sample for the whole batch of a model, or for an input without a batch; open sizes are the samples' own."""
    shape = (*tensor.shape[:1], *samples.shape[1:]) if -1 in tensor.signature[1:] else tensor.shape
    if samples[:1].size == np.prod(shape, dtype=int):
        return samples.reshape((len(samples), *shape))
    return np.stack([np.broadcast_to(samples[k : k + 1], shape) for k in range(len(samples))])


def _without_batch(output: Output) -> Output:
    """Of outputs of one sample each, that sample."""
    return replace(output, raw=output.raw[:, 0]) if output.raw.shape[1:2] == (1,) else output
