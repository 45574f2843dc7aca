"""One float model -> a family of variants: files, and a manifest that says how each was made.

The folder appears whole or not at all. Same inputs and same tool versions give the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from benchbench.runtimes.quantizing.calibration import RAW_PIXELS, Calibration, Feeding, Pixels, load
from benchbench.runtimes.quantizing.manifest import MANIFEST, Calibrated, Family, Fidelity, Made, Mapping, Skipped
from benchbench.runtimes.quantizing.progress import Account, Progress, silently
from benchbench.runtimes.quantizing.validator import CannotRun, Validation, Validator
from benchbench.runtimes.tflite.model.graph import read
from benchbench.runtimes.tflite.model.inspect import inspect
from benchbench.runtimes.tflite.model.scheme import all_weights
from benchbench.runtimes.tflite.quantize.conversion import Message, convert
from benchbench.runtimes.tflite.quantize.converters import (
    CALIBRATED,
    FEWEST_WEIGHTS,
    ConversionRequest,
    ConversionResult,
    SourceKind,
    make,
)
from benchbench.runtimes.tflite.quantize.edgetpu import compile_for_edgetpu
from benchbench.runtimes.tflite.quantize.schemes import SCHEMES, Scheme
from benchbench.runtimes.tflite.quantize.source import digest, family_name, kind_of
from benchbench.values.atomic import put_in_place
from benchbench.values.errors import InputError, ToolError, file_error
from benchbench.values.model import ModelInfo

EDGETPU = "edgetpu"  # made from an int8 variant by a compiler of its own
FLOAT_WEIGHTS = {"float32", "float16"}  # nothing in them is scaled, per channel or otherwise


@dataclass(frozen=True)
class _Job:
    """What quantize was asked for, and the folder in which the family is put together."""

    source: Path
    kind: SourceKind
    name: str
    schemes: tuple[str, ...]
    representative: str | Path | Feeding | None
    pixels: Pixels
    per_channel: bool
    folder: Path
    account: Account
    validator: Validator

    def target(self, scheme: str, size: int | None) -> Path:
        sized = "" if size is None else f"_{size}"
        grain = "" if self.per_channel or scheme in FLOAT_WEIGHTS else "-pertensor"
        return self.folder / f"{self.name}{sized}_{scheme}{grain}.tflite"

    def request(self, scheme: Scheme, size: int | None, samples: Path | None = None) -> ConversionRequest:
        made_before = None if scheme == "float32" else str(self.target("float32", size))
        return ConversionRequest(
            source=str(self.source),
            kind=self.kind,
            scheme=scheme,
            per_channel=self.per_channel,
            input_size=size,
            samples=None if samples is None else str(samples),
            float32=made_before,
            target=str(self.target(scheme, size)),
        )


def quantize(
    source: str | Path,
    schemes: Sequence[str],
    out: str | Path,
    *,
    representative: str | Path | Feeding | None = None,
    pixels: Pixels = RAW_PIXELS,
    per_channel: bool = True,
    input_sizes: Sequence[int] = (),
    name: str | None = None,
    progress: Progress = silently,
    validator: Validator,
) -> Family:
    """What `benchbench.quantize` promises, with every file that was made judged by `validator`."""
    source, out = Path(source), Path(out)
    kind, called = kind_of(source), family_name(source, name)
    _refuse(source, kind, schemes, out, input_sizes)
    account = Account(progress, len(schemes) * max(1, len(input_sizes)))
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=f".{out.name}.", dir=out.parent) as beside:
            folder = Path(beside) / "family"
            folder.mkdir()
            asked = (tuple(schemes), representative, pixels, per_channel)
            job = _Job(source, kind, called, *asked, folder, account, validator)
            family = _put_together(job, input_sizes)
            put_in_place(folder, out)
    except KeyboardInterrupt as error:
        raise KeyboardInterrupt("nothing was made") from error
    except OSError as error:
        where = error.filename or out
        raise file_error(error, str(where), remedy="check the folder and its rights") from error
    return family


def _put_together(job: _Job, input_sizes: Sequence[int]) -> Family:
    """Make everything in the job's folder, and leave there what belongs to the family only."""
    results: list[Made | Skipped] = []
    used: Calibration | None = None
    for size in input_sizes or (None,):
        of_size, calibration = _of_size(job, size)
        results += of_size
        used = used or calibration
    family = _family(job, results, used)
    for leftover in {file.name for file in job.folder.iterdir()} - {made.file for made in family.made}:
        (job.folder / leftover).unlink()
    (job.folder / MANIFEST).write_text(family.model_dump_json(indent=2) + "\n", encoding="utf-8")
    return family


def _refuse(source: Path, kind: SourceKind, schemes: Sequence[str], out: Path, sizes: Sequence[int]) -> None:
    known = (*SCHEMES, EDGETPU)
    if unknown := [scheme for scheme in schemes if scheme not in known]:
        raise InputError(f"no scheme is called {unknown[0]}", remedy=f"the schemes are {', '.join(known)}")
    if not schemes or len(set(schemes)) < len(schemes):
        raise InputError("name each scheme once, and at least one", remedy=f"the schemes are {', '.join(known)}")
    if any(size < 1 for size in sizes) or len(set(sizes)) < len(sizes):
        raise InputError("input sizes must be positive and differ")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputError(f"{out} exists", remedy="name a new folder, or remove it first")
    if kind != "tflite":
        return
    if (info := inspect(source)).quantized:
        remedy = "give the float32 model it was made from"
        raise InputError(f"{source} is already quantized ({info.scheme})", remedy=remedy)
    if sizes:
        remedy = "give the Keras file or SavedModel for --input-size"
        raise InputError(f"{source} is a .tflite, its input size is built in", remedy=remedy)


def _of_size(job: _Job, size: int | None) -> tuple[list[Made | Skipped], Calibration | None]:
    """All schemes at one input size. The float32 .tflite comes first: the others are fed and judged by it."""
    results: list[Made | Skipped] = []

    def keep(variant: Made | Skipped) -> None:
        results.append(variant)
        job.account.finished(variant)

    result = _float32(job, size)
    if result.error:
        keep(Skipped(scheme="float32", input_size=size, reason=result.error))
        return results, None
    float32 = inspect(result.target)
    calibration = None if job.representative is None else load(job.representative, float32.arguments, job.pixels)
    job.account.working("float32", size, "trying")
    validation = job.validator(float32, calibration)
    if "float32" in job.schemes:
        keep(_checked_float32(job, size, result, float32, validation))
    samples = _saved(calibration, job.folder / "samples.npz") if CALIBRATED & set(job.schemes) else None
    requests = [
        job.request(scheme, size, samples) for scheme in SCHEMES if scheme in job.schemes and scheme != "float32"
    ]
    with closing(convert(requests)) as messages:
        for request in requests:
            keep(_checked(job, request, _result_of(job, request, messages), float32, validation))
    if EDGETPU in job.schemes:
        job.account.working(EDGETPU, size, "making")
        keep(_for_edgetpu(job, size, results))
    return results, calibration


def _float32(job: _Job, size: int | None) -> ConversionResult:
    request = job.request("float32", size)
    if job.kind == "tflite":
        return make(request)  # a copy: no converter, and so no process of its own
    with closing(convert([request])) as messages:
        return _result_of(job, request, messages)


def _result_of(job: _Job, request: ConversionRequest, messages: Iterator[Message]) -> ConversionResult:
    """The result of a request; how far its calibration is, is told until it comes."""
    job.account.working(request.scheme, request.input_size, "making")
    for message in messages:
        if isinstance(message, ConversionResult):
            return message
        job.account.calibrating(request.scheme, request.input_size, message.fed, message.samples, message.seconds)
    raise AssertionError("the conversion process answers every request")


def _saved(calibration: Calibration | None, path: Path) -> Path | None:
    if calibration is None:
        return None
    np.savez(path, **calibration.arrays)  # type: ignore[arg-type]  # numpy's stub takes the names for options
    return path


def _checked_float32(
    job: _Job, size: int | None, result: ConversionResult, float32: ModelInfo, validation: Validation
) -> Made | Skipped:
    """The float32 variant, which its validation has run already."""
    if doubt := _differs(float32, "float32", float32, per_channel=job.per_channel) or validation.failure:
        return Skipped(scheme="float32", input_size=size, reason=doubt)
    return _made(float32, "float32", size, result)


def _checked(
    job: _Job, request: ConversionRequest, result: ConversionResult, float32: ModelInfo, validation: Validation
) -> Made | Skipped:
    """Believe the file, not the tool: it must be of the scheme asked for, and run."""
    scheme, size = request.scheme, request.input_size
    if result.error:
        return Skipped(scheme=scheme, input_size=size, reason=result.error)
    info = inspect(result.target)
    if doubt := _differs(info, scheme, float32, per_channel=job.per_channel):
        return Skipped(scheme=scheme, input_size=size, reason=doubt)
    job.account.working(scheme, size, "trying")
    try:
        fidelity = validation.fidelity(info)
    except CannotRun as error:
        return Skipped(scheme=scheme, input_size=size, reason=str(error))
    return _made(info, scheme, size, result, fidelity=fidelity)


def _made(
    info: ModelInfo,
    scheme: str,
    size: int | None,
    result: ConversionResult,
    *,
    mapping: Mapping | None = None,
    fidelity: Fidelity | None = None,
) -> Made:
    return Made(
        file=Path(info.path).name,
        scheme=scheme,
        found=info.scheme,
        input_size=size,
        granularity=info.granularity,
        tool=result.tool,
        recipe=result.recipe,
        size_bytes=info.size_bytes,
        sha256=info.sha256,
        mapping=mapping,
        fidelity=fidelity,
    )


def _differs(info: ModelInfo, scheme: str, float32: ModelInfo, *, per_channel: bool) -> str | None:
    """How a made file differs from what was asked for; a mixed one is taken, for its manifest says so."""
    if info.scheme not in {scheme.removesuffix("-io"), "mixed"}:
        why = f": {_why_float(float32, scheme)}" if info.scheme == "float32" else ""
        return f"the converter made {info.scheme} of it{why}"
    if not per_channel and info.granularity not in {None, "per-tensor"}:
        return f"the converter scales its weights {info.granularity}"
    wanted = "int8" if scheme == "int8-io" else "float32"
    floats = {t.name for t in (*float32.inputs, *float32.outputs) if t.dtype == "float32"}
    types = {t.dtype for t in (*info.inputs, *info.outputs) if t.name in floats} or {wanted}
    return None if types == {wanted} else f"its inputs and outputs became {', '.join(sorted(types))}, not {wanted}"


def _why_float(float32: ModelInfo, scheme: str) -> str:
    """Why a converter left all layers of a model float, by what the model's own weights are."""
    path = Path(float32.path)
    weights = all_weights(read(path, path.read_bytes()).graphs)
    if not weights:
        return "it has no layer with weights"
    if scheme == "dynamic-int8" and all(weight.stored.elements < FEWEST_WEIGHTS for weight in weights):
        return f"no layer has {FEWEST_WEIGHTS:,} weights, and smaller ones are left float"
    return f"it has no {scheme} for {', '.join(sorted({weight.op for weight in weights}))}"


def _for_edgetpu(job: _Job, size: int | None, results: Sequence[Made | Skipped]) -> Made | Skipped:
    """Compile the full-integer variant, or the int8 one where that was not asked for."""
    integer = {made.scheme: made for made in results if isinstance(made, Made)}
    basis = integer.get("int8-io") or integer.get("int8")
    if basis is None:
        return Skipped(
            scheme=EDGETPU, input_size=size, reason="it is compiled from int8-io or int8, and neither was made"
        )
    try:
        compiled = compile_for_edgetpu(job.folder / basis.file, job.target(EDGETPU, size))
    except ToolError as error:
        return Skipped(scheme=EDGETPU, input_size=size, reason=str(error))
    result = ConversionResult(target=str(compiled.path), tool=compiled.compiler, recipe=f"from {basis.file}")
    return _made(inspect(compiled.path), EDGETPU, size, result, mapping=compiled.mapping)


def _reasons(skipped: Sequence[Skipped]) -> str:
    """Why schemes were skipped, each reason once with the schemes that it is about."""
    schemes: dict[str, list[str]] = {}
    for one in skipped:
        schemes.setdefault(one.reason, []).append(one.scheme)
    return "; ".join(f"{', '.join(dict.fromkeys(names))}: {reason}" for reason, names in schemes.items())


def _family(job: _Job, results: Sequence[Made | Skipped], used: Calibration | None) -> Family:
    made = tuple(result for result in results if isinstance(result, Made))
    skipped = tuple(result for result in results if isinstance(result, Skipped))
    if not [one for one in made if job.kind != "tflite" or one.scheme != "float32" or job.schemes == ("float32",)]:
        what = "nothing but a copy" if made else "no scheme"
        raise ToolError(f"{what} could be made of {job.source}: {_reasons(skipped)}")
    calibration = used and Calibrated(
        source=used.source,
        samples=used.samples,
        sha256=used.sha256,
        mean=job.pixels.mean,
        std=job.pixels.std,
    )
    return Family(
        name=job.name,
        source=job.source.name,
        source_sha256=digest(job.source),
        calibration=calibration,
        made=made,
        skipped=skipped,
    )
