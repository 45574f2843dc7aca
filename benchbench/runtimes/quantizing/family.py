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

from benchbench.runtimes.models import inspect
from benchbench.runtimes.quantizing.calibration import Calibration, load
from benchbench.runtimes.quantizing.conversion import Message, convert
from benchbench.runtimes.quantizing.converters import Converters
from benchbench.runtimes.quantizing.judging import Judge, made_of, refuse
from benchbench.runtimes.quantizing.manifest import MANIFEST, Calibrated, Family, Made, Skipped
from benchbench.runtimes.quantizing.progress import Account, Progress
from benchbench.runtimes.quantizing.quantizer import Quantization
from benchbench.runtimes.quantizing.requests import ConversionRequest, ConversionResult
from benchbench.runtimes.quantizing.source import SourceKind, digest, family_name, kind_of
from benchbench.runtimes.quantizing.validator import Validator
from benchbench.values.atomic import put_in_place
from benchbench.values.errors import ToolError, file_error
from benchbench.values.model import ModelInfo


@dataclass(frozen=True)
class _Job:
    """What quantize was asked for, and the folder in which the family is put together."""

    converters: Converters
    asked: Quantization
    kind: SourceKind
    name: str
    folder: Path
    account: Account
    validator: Validator

    def target(self, scheme: str, size: int | None) -> Path:
        sized = "" if size is None else f"_{size}"
        grain = "" if self.asked.per_channel or scheme in self.converters.unscaled else "-pertensor"
        return self.folder / f"{self.name}{sized}_{scheme}{grain}{self.converters.suffix}"

    def request(self, scheme: str, size: int | None, samples: Path | None = None) -> ConversionRequest:
        made_before = None if scheme == "float32" else str(self.target("float32", size))
        return ConversionRequest(
            source=str(self.asked.source),
            kind=self.kind,
            scheme=scheme,
            per_channel=self.asked.per_channel,
            input_size=size,
            samples=None if samples is None else str(samples),
            float32=made_before,
            target=str(self.target(scheme, size)),
        )

    @property
    def copies(self) -> bool:
        """Whether float32 is the source itself."""
        return self.kind == self.converters.own


def make_family(converters: Converters, asked: Quantization, *, progress: Progress, validator: Validator) -> Family:
    """What `benchbench.quantize` promises, with every file that was made judged by `validator`."""
    kind, name, out = kind_of(asked.source), family_name(asked.source, asked.name), asked.out
    refuse(converters, kind, asked)
    account = Account(progress, len(asked.schemes) * max(1, len(asked.input_sizes)))
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=f".{out.name}.", dir=out.parent) as beside:
            folder = Path(beside) / "family"
            folder.mkdir()
            family = _put_together(_Job(converters, asked, kind, name, folder, account, validator))
            put_in_place(folder, out)
    except KeyboardInterrupt as error:
        raise KeyboardInterrupt("nothing was made") from error
    except OSError as error:
        where = error.filename or out
        raise file_error(error, str(where), remedy="check the folder and its rights") from error
    return family


def _put_together(job: _Job) -> Family:
    """Make everything in the job's folder, and leave there what belongs to the family only."""
    results: list[Made | Skipped] = []
    used: Calibration | None = None
    for size in job.asked.input_sizes or (None,):
        of_size, calibration = _of_size(job, size)
        results += of_size
        used = used or calibration
    family = _family(job, results, used)
    for leftover in {file.name for file in job.folder.iterdir()} - {made.file for made in family.made}:
        (job.folder / leftover).unlink()
    (job.folder / MANIFEST).write_text(family.model_dump_json(indent=2) + "\n", encoding="utf-8")
    return family


def _of_size(job: _Job, size: int | None) -> tuple[list[Made | Skipped], Calibration | None]:
    """All schemes at one input size. The float32 file comes first: the others are fed and judged by it."""
    schemes = job.asked.schemes
    results: list[Made | Skipped] = []

    def keep(variant: Made | Skipped) -> None:
        results.append(variant)
        job.account.finished(variant)

    result = _float32(job, size)
    if result.error:
        keep(Skipped(scheme="float32", input_size=size, reason=result.error))
        return results, None
    judge, calibration = _judge(job, size, result)
    if "float32" in schemes:
        keep(judge.float32_itself(result))
    samples = _saved(calibration, job.folder / "samples.npz") if job.converters.calibrated & set(schemes) else None
    wanted = [scheme for scheme in job.converters.schemes if scheme in schemes and scheme != "float32"]
    requests = [job.request(scheme, size, samples) for scheme in wanted]
    with closing(convert(job.converters.maker, requests)) as messages:
        for request in requests:
            made = _result_of(job, request, messages)
            keep(judge.judged(request, made, lambda scheme: job.account.working(scheme, size, "trying")))
    for scheme in (scheme for scheme in job.converters.compiled if scheme in schemes):
        job.account.working(scheme, size, "making")
        keep(_compiled(job, scheme, size, results))
    return results, calibration


def _judge(job: _Job, size: int | None, result: ConversionResult) -> tuple[Judge, Calibration | None]:
    float32: ModelInfo = inspect(result.target)
    asked = job.asked
    calibration = None if asked.representative is None else load(asked.representative, float32.arguments, asked.pixels)
    job.account.working("float32", size, "trying")
    validation = job.validator(float32, calibration)
    return Judge(job.converters, float32, validation, asked.per_channel, size), calibration


def _float32(job: _Job, size: int | None) -> ConversionResult:
    request = job.request("float32", size)
    if job.copies:
        return job.converters.copy(request)
    with closing(convert(job.converters.maker, [request])) as messages:
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


def _compiled(job: _Job, scheme: str, size: int | None, results: Sequence[Made | Skipped]) -> Made | Skipped:
    """What a compiler makes of a file of this size."""
    made = {result.scheme: result for result in results if isinstance(result, Made)}
    try:
        result, mapping = job.converters.compile(scheme, made, job.folder, job.target(scheme, size))
    except ToolError as error:
        return Skipped(scheme=scheme, input_size=size, reason=str(error))
    if result.error:
        return Skipped(scheme=scheme, input_size=size, reason=result.error)
    return made_of(inspect(result.target), scheme, size, result, mapping=mapping)


def _reasons(skipped: Sequence[Skipped]) -> str:
    """Why schemes were skipped, each reason once with the schemes that it is about."""
    schemes: dict[str, list[str]] = {}
    for one in skipped:
        schemes.setdefault(one.reason, []).append(one.scheme)
    return "; ".join(f"{', '.join(dict.fromkeys(names))}: {reason}" for reason, names in schemes.items())


def _family(job: _Job, results: Sequence[Made | Skipped], used: Calibration | None) -> Family:
    made = tuple(result for result in results if isinstance(result, Made))
    skipped = tuple(result for result in results if isinstance(result, Skipped))
    if not [one for one in made if not job.copies or one.scheme != "float32" or job.asked.schemes == ("float32",)]:
        what = "nothing but a copy" if made else "no scheme"
        raise ToolError(f"{what} could be made of {job.asked.source}: {_reasons(skipped)}")
    calibration = used and Calibrated(
        source=used.source,
        samples=used.samples,
        sha256=used.sha256,
        mean=job.asked.pixels.mean,
        std=job.asked.pixels.std,
        scale=job.asked.pixels.scale,
    )
    return Family(
        name=job.name,
        source=job.asked.source.name,
        source_sha256=digest(job.asked.source),
        calibration=calibration,
        made=made,
        skipped=skipped,
    )
