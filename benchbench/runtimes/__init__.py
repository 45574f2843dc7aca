"""Runtimes: what executes a format of model files. One folder each; the tuple and the union here are their registry."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from benchbench.runtimes.base import Runtime
from benchbench.runtimes.onnxruntime.backends import Delegate as OnnxDelegate
from benchbench.runtimes.onnxruntime.runtime import OnnxRuntime
from benchbench.runtimes.tflite.backends import Delegate as TfliteDelegate
from benchbench.runtimes.tflite.runtime import Tflite
from benchbench.values.backend import Backend
from benchbench.values.case import Variant

RUNTIMES: tuple[Runtime, ...] = (Tflite(), OnnxRuntime())
Delegate = Annotated[TfliteDelegate | OnnxDelegate, Field(discriminator="kind")]

SUFFIXES = tuple(suffix for runtime in RUNTIMES for suffix in runtime.suffixes)
FORMATS = tuple(runtime.format for runtime in RUNTIMES)
BACKENDS = {kind: backend for runtime in RUNTIMES for kind, backend in runtime.backends.items()}
KINDS = tuple(BACKENDS)
ON_CPU = tuple(kind for kind, backend in BACKENDS.items() if backend.processor == "cpu")  # the plainest first

__all__ = [
    "BACKENDS",
    "FORMATS",
    "KINDS",
    "ON_CPU",
    "RUNTIMES",
    "SUFFIXES",
    "Delegate",
    "Runtime",
    "backend_type",
    "mismatch",
    "runtime_of",
    "runtime_of_backend",
    "runtime_of_file",
    "telling_words",
    "without_suffix",
]


def runtime_of(model_format: str) -> Runtime:
    """The runtime of a format; raises KeyError for one that nobody has."""
    return {runtime.format: runtime for runtime in RUNTIMES}[model_format]


def runtime_of_file(path: Path) -> Runtime:
    """The runtime whose files have this suffix; the first one for a suffix that none has."""
    by_suffix = {suffix: runtime for runtime in RUNTIMES for suffix in runtime.suffixes}
    return by_suffix.get(path.suffix.lower(), RUNTIMES[0])


def runtime_of_backend(kind: str) -> Runtime:
    """The runtime that has a backend of this kind; raises KeyError where none has."""
    return {kind: runtime for runtime in RUNTIMES for kind in runtime.backends}[kind]


def telling_words(kind: str | None) -> tuple[str, ...]:
    """What stands in the telling lines of the tools that run a kind of backend; none where nobody has it."""
    return runtime_of_backend(kind).telling if kind in BACKENDS else ()


def without_suffix(name: str) -> str:
    """The name of a model file without the suffix of its format; as it is where it has none of ours."""
    return next((name.removesuffix(suffix) for suffix in SUFFIXES if name.endswith(suffix)), name)


def backend_type(kind: str | None) -> type[Backend]:
    """What is known of a kind that stands in a frame or log; `Backend`, which claims nothing, where nobody has it."""
    return BACKENDS.get(kind or "", Backend)


def mismatch(variant: Variant, backend: Backend) -> str | None:
    """Why a model cannot run on a backend, on any device: it is of another runtime's format, or not made for it."""
    runtime = runtime_of_backend(backend.kind)
    if variant.format != runtime.format:
        return f"{backend.kind} is a delegate for .{runtime.format} models, not for .{variant.format}"
    return runtime.mismatch(variant, backend)
