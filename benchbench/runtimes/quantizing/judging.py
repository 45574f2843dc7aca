"""Believe the file, not the tool: what was made must be of the scheme asked for, and run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchbench.runtimes import FORMATS
from benchbench.runtimes.models import inspect
from benchbench.runtimes.quantizing.converters import Converters
from benchbench.runtimes.quantizing.manifest import Fidelity, Made, Mapping, Skipped
from benchbench.runtimes.quantizing.quantizer import Quantization
from benchbench.runtimes.quantizing.requests import ConversionRequest, ConversionResult
from benchbench.runtimes.quantizing.source import SourceKind
from benchbench.runtimes.quantizing.validator import CannotRun, Validation
from benchbench.values.errors import InputError
from benchbench.values.model import ModelInfo


def refuse(converters: Converters, kind: SourceKind, asked: Quantization) -> None:
    """Raise InputError for what can be seen to fail before anything is made."""
    known = (*converters.schemes, *converters.compiled)
    source, schemes, out, sizes = asked.source, asked.schemes, asked.out, asked.input_sizes
    if unknown := [scheme for scheme in schemes if scheme not in known]:
        raise InputError(f"no scheme is called {unknown[0]}", remedy=f"the schemes are {', '.join(known)}")
    if not schemes or len(set(schemes)) < len(schemes):
        raise InputError("name each scheme once, and at least one", remedy=f"the schemes are {', '.join(known)}")
    if any(size < 1 for size in sizes) or len(set(sizes)) < len(sizes):
        raise InputError("input sizes must be positive and differ")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputError(f"{out} exists", remedy="name a new folder, or remove it first")
    if kind not in converters.sources:
        remedy = "give the Keras file or SavedModel that it was made from"
        raise InputError(f"{source}: no converter makes {converters.suffix} of it", remedy=remedy)
    if kind not in FORMATS:
        return
    _refuse_model_file(source, kind, sizes)


def _refuse_model_file(source: Path, kind: SourceKind, sizes: Sequence[int]) -> None:
    if (info := inspect(source)).quantized:
        remedy = "give the float32 model it was made from"
        raise InputError(f"{source} is already quantized ({info.scheme})", remedy=remedy)
    if sizes:
        remedy = "give the Keras file or SavedModel for --input-size"
        raise InputError(f"{source} is a .{kind}, its input size is built in", remedy=remedy)


@dataclass(frozen=True)
class Judge:
    """The float32 file of a family, by which its other files are judged."""

    converters: Converters
    float32: ModelInfo
    validation: Validation
    per_channel: bool
    size: int | None

    def float32_itself(self, result: ConversionResult) -> Made | Skipped:
        """The float32 variant, which its validation has run already."""
        if doubt := self._differs(self.float32, "float32") or self.validation.failure:
            return Skipped(scheme="float32", input_size=self.size, reason=doubt)
        return made_of(self.float32, "float32", self.size, result)

    def judged(
        self, request: ConversionRequest, result: ConversionResult, trying: Callable[[str], None]
    ) -> Made | Skipped:
        """What became of a request: a file that is what was asked for and runs, or why there is none."""
        scheme = request.scheme
        if result.error:
            return Skipped(scheme=scheme, input_size=self.size, reason=result.error)
        info = inspect(result.target)
        if doubt := self._differs(info, scheme):
            return Skipped(scheme=scheme, input_size=self.size, reason=doubt)
        trying(scheme)
        try:
            fidelity = self.validation.fidelity(info)
        except CannotRun as error:
            return Skipped(scheme=scheme, input_size=self.size, reason=self.validation.failure or str(error))
        return made_of(info, scheme, self.size, result, fidelity=fidelity)

    def _differs(self, info: ModelInfo, scheme: str) -> str | None:
        """How a made file differs from what was asked for; a mixed one is taken, for its manifest says so."""
        if info.scheme not in {self.converters.found_as(scheme), "mixed"}:
            known = self.converters.why_float(self.float32, scheme) if info.scheme == "float32" else None
            return f"the converter made {info.scheme} of it{f': {known}' if known else ''}"
        if not self.per_channel and info.granularity not in {None, "per-tensor"}:
            return f"the converter scales its weights {info.granularity}"
        wanted = self.converters.type_outside(scheme)
        floats = {t.name for t in (*self.float32.inputs, *self.float32.outputs) if t.dtype == "float32"}
        types = {t.dtype for t in (*info.inputs, *info.outputs) if t.name in floats} or {wanted}
        return None if types == {wanted} else f"its inputs and outputs became {', '.join(sorted(types))}, not {wanted}"


def made_of(
    info: ModelInfo,
    scheme: str,
    size: int | None,
    result: ConversionResult,
    *,
    mapping: Mapping | None = None,
    fidelity: Fidelity | None = None,
) -> Made:
    """A file of the family, by what it is and how it was made."""
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
