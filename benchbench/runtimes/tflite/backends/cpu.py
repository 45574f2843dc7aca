"""The interpreter's own kernels, XNNPACK switched off."""

from __future__ import annotations

from typing import Literal

from benchbench.device_script.tflite.delegates import InterpreterDelegate
from benchbench.runtimes.tflite.backends.base import TfliteBackend


class Cpu(TfliteBackend):
    """TFLite's built-in kernels: the path that every other one is compared with."""

    kind: Literal["cpu"] = "cpu"
    color = "#8a93a3"
    processor = "cpu"
    is_delegate = False
    slow_schemes = (
        (
            "dynamic",
            "without XNNPACK runs on the interpreter's own kernels: dynamic-range needs XNNPACK to be fast",
        ),
    )

    @property
    def fallback(self) -> str:
        return "cpu"

    # CompiledModel's tool has no switch for XNNPACK: its CPU is XNNPACK.
    def tflite_flags(self, library: str | None) -> tuple[str, ...]:
        return ("--use_xnnpack=false",)

    def request(self, library: str | None) -> InterpreterDelegate:
        return InterpreterDelegate(xnnpack=False)
