"""One float model -> a family of variants: files, and a manifest that says how each was made.

The folder appears whole or not at all. Same inputs and same tool versions give the same bytes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from benchbench.errors import InputError, ToolError
from benchbench.models.calibration import RAW_PIXELS, Calibration, Pixels, load
from benchbench.models.converters import CALIBRATED, SCHEMES, Order, Receipt, Scheme, SourceKind, make
from benchbench.models.edgetpu import Mapping, compile_for_edgetpu
from benchbench.models.inspect import ModelInfo, TensorInfo, inspect
from benchbench.models.manifest import MANIFEST, Calibrated, Family, Made, Skipped
from benchbench.models.workshop import fill, runs

SOURCES = "a .tflite, a .keras or .h5 file, or a SavedModel folder"
EDGETPU = "edgetpu"  # made from an int8 variant by a compiler of its own
FLOAT_WEIGHTS = {"float32", "float16"}  # nothing in them is scaled, per channel or otherwise


@dataclass(frozen=True)
class _Job:
    """What quantize was asked for, and the folder in which the family is put together."""

    source: Path
    kind: SourceKind
    name: str
    schemes: tuple[str, ...]
    representative: str | Path | None
    pixels: Pixels
    per_channel: bool
    folder: Path

    def target(self, scheme: str, size: int | None) -> Path:
        sized = "" if size is None else f"_{size}"
        grain = "" if self.per_channel or scheme in FLOAT_WEIGHTS else "-pertensor"
        return self.folder / f"{self.name}{sized}_{scheme}{grain}.tflite"

    def order(self, scheme: Scheme, size: int | None, samples: Path | None = None) -> Order:
        made_before = None if scheme == "float32" else str(self.target("float32", size))
        return Order(
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
    representative: str | Path | None = None,
    pixels: Pixels = RAW_PIXELS,
    per_channel: bool = True,
    input_sizes: Sequence[int] = (),
    name: str | None = None,
) -> Family:
    """Make the schemes of `source` (a float .tflite, a Keras file or a SavedModel folder) into the new folder `out`.

    `schemes` are names of SCHEMES and "edgetpu"; a scheme that cannot be made is skipped with its reason. Raises
    InputError for a source, data or folder that cannot be used, ToolError when nothing at all could be made; `out`
    does not exist then.
    """
    source, out = Path(source), Path(out)
    kind = kind_of(source)
    _refuse(source, kind, schemes, out, input_sizes)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=f".{out.name}.", dir=out.parent) as beside:
            folder = Path(beside) / "family"
            folder.mkdir()
            job = _Job(source, kind, name or source.stem, tuple(schemes), representative, pixels, per_channel, folder)
            family = _put_together(job, input_sizes)
            folder.rename(out)
    except OSError as error:
        where = error.filename or out
        raise InputError(f"{where}: {error.strerror}", remedy="check the folder, its rights and its space") from error
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


def kind_of(source: Path) -> SourceKind:
    """Which kind of model a path holds; InputError when it is none that can be quantized."""
    if (source / "saved_model.pb").is_file():
        return "saved_model"
    if not source.is_file():
        raise InputError(f"{source} is no model file and no SavedModel folder", remedy="check the path")
    match source.suffix.lower():
        case ".tflite":
            return "tflite"
        case ".keras" | ".h5":
            return "keras"
    raise InputError(
        f"{source}: {source.suffix or 'a file without suffix'} cannot be quantized", remedy=f"give {SOURCES}"
    )


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
    """All schemes at one input size. The float32 .tflite comes first: the inputs of the others are read from it."""
    order = job.order("float32", size)
    receipt = make(order) if job.kind == "tflite" else fill([order])[0]
    if receipt.error:
        return [Skipped(scheme="float32", input_size=size, reason=receipt.error)], None
    float32 = inspect(job.target("float32", size))
    calibration = _calibration(job, float32)
    samples = _saved(calibration, job.folder / "samples.npz")
    orders = [job.order(scheme, size, samples) for scheme in SCHEMES if scheme in job.schemes and scheme != "float32"]
    results = [_checked(receipt, "float32", size, float32, job)] if "float32" in job.schemes else []
    for order, filled in zip(orders, fill(orders), strict=True):
        results.append(_checked(filled, order.scheme, size, float32, job))
    if EDGETPU in job.schemes:
        results.append(_for_edgetpu(job, size, results))
    return results, calibration


def _calibration(job: _Job, float32: ModelInfo) -> Calibration | None:
    if job.representative is None or not CALIBRATED & set(job.schemes):
        return None
    return load(job.representative, arguments(float32), job.pixels)


def arguments(info: ModelInfo) -> dict[str, TensorInfo]:
    """The inputs by the names under which they are fed: those of the first signature, else of the tensors."""
    return dict(info.signatures[0].inputs) if info.signatures else {tensor.name: tensor for tensor in info.inputs}


def _saved(calibration: Calibration | None, path: Path) -> Path | None:
    if calibration is None:
        return None
    np.savez(path, **calibration.arrays)  # type: ignore[arg-type]  # numpy's stub takes the names for options
    return path


def _checked(receipt: Receipt, scheme: str, size: int | None, float32: ModelInfo, job: _Job) -> Made | Skipped:
    """Believe the file, not the tool: it must be of the scheme asked for, and run."""
    file = Path(receipt.target)
    if receipt.error:
        return Skipped(scheme=scheme, input_size=size, reason=receipt.error)
    info = inspect(file)
    if doubt := _differs(info, scheme, float32, per_channel=job.per_channel) or runs(file):
        return Skipped(scheme=scheme, input_size=size, reason=doubt)
    return _made(info, scheme, size, receipt)


def _made(info: ModelInfo, scheme: str, size: int | None, receipt: Receipt, mapping: Mapping | None = None) -> Made:
    return Made(
        file=Path(info.path).name,
        scheme=scheme,
        found=info.scheme,
        input_size=size,
        granularity=info.granularity,
        tool=receipt.tool,
        recipe=receipt.recipe,
        size_bytes=info.size_bytes,
        sha256=info.sha256,
        mapping=mapping,
    )


def _differs(info: ModelInfo, scheme: str, float32: ModelInfo, *, per_channel: bool) -> str | None:
    """How a made file differs from what was asked for; a mixed one is taken, for its manifest says so."""
    if info.scheme not in {scheme.removesuffix("-io"), "mixed"}:
        why = ": it found no layer to quantize, or none of 1,024 weights" if info.scheme == "float32" else ""
        return f"the converter made {info.scheme} of it{why}"
    if not per_channel and info.granularity not in {None, "per-tensor"}:
        return f"the converter scales its weights {info.granularity}"
    wanted = "int8" if scheme == "int8-io" else "float32"
    floats = {t.name for t in (*float32.inputs, *float32.outputs) if t.dtype == "float32"}
    types = {t.dtype for t in (*info.inputs, *info.outputs) if t.name in floats} or {wanted}
    return None if types == {wanted} else f"its inputs and outputs became {', '.join(sorted(types))}, not {wanted}"


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
    receipt = Receipt(target=str(compiled.path), tool=compiled.compiler, recipe=f"from {basis.file}")
    return _made(inspect(compiled.path), EDGETPU, size, receipt, compiled.mapping)


def _family(job: _Job, results: Sequence[Made | Skipped], used: Calibration | None) -> Family:
    made = tuple(result for result in results if isinstance(result, Made))
    skipped = tuple(result for result in results if isinstance(result, Skipped))
    if not made:
        reason = f"{skipped[0].scheme}: {skipped[0].reason}"
        raise ToolError(f"no scheme could be made of {job.source}: {reason}")
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
        source_sha256=_digest(job.source),
        calibration=calibration,
        made=made,
        skipped=skipped,
    )


def _digest(source: Path) -> str:
    """sha256 of a file, or of all files of a folder with their names."""
    if source.is_file():
        return hashlib.sha256(source.read_bytes()).hexdigest()
    digest = hashlib.sha256()
    for file in sorted(file for file in source.rglob("*") if file.is_file()):
        digest.update(file.relative_to(source).as_posix().encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()
