"""LiteRT and TFLite: the runtime of .tflite files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchbench.runtimes.base import Runtime
from benchbench.runtimes.tflite.backends import BACKENDS
from benchbench.runtimes.tflite.backends.compiled import COMPILED, mismatch
from benchbench.values.backend import Backend
from benchbench.values.case import Kin, Variant
from benchbench.values.model import ModelInfo


class Tflite(Runtime):
    """What is true of LiteRT alone; what reads flatbuffers is slow to import."""

    format = "tflite"
    suffixes = (".tflite",)
    backends = BACKENDS

    def inspect(self, path: Path) -> ModelInfo:
        from benchbench.runtimes.tflite.model.inspect import inspect

        return inspect(path)

    def kinships(self, infos: Sequence[ModelInfo], names: Sequence[str]) -> tuple[Kin, ...]:
        from benchbench.runtimes.tflite.model.kinship import kinships

        return kinships(infos, names)

    def mismatch(self, variant: Variant, backend: Backend) -> str | None:
        return mismatch(variant.scheme, backend)

    def has_reference(self, variant: Variant) -> bool:
        return variant.scheme not in COMPILED
