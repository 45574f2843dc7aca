"""The interpreter's own kernels, XNNPACK switched off."""

from __future__ import annotations

from typing import Any, Literal

from benchbench.values.backend import Backend
from benchbench.values.device import RunnerKind, Traits


class Cpu(Backend):
    """TFLite's built-in kernels: the path that every other one is compared with."""

    kind: Literal["cpu"] = "cpu"
    name_in_tool = None

    @property
    def fallback(self) -> str:
        return "cpu"

    def unsupported_reason(self, traits: Traits, runner: RunnerKind) -> str | None:
        return None

    def tflite_flags(self, library: str | None) -> tuple[str, ...]:
        return ("--use_xnnpack=false",)

    def litert_flags(self, library: str | None) -> None:
        return None  # CompiledModel's tool has no switch for XNNPACK: its CPU is XNNPACK

    def request(self, library: str | None) -> dict[str, Any]:
        return {"way": "interpreter", "xnnpack": False}
