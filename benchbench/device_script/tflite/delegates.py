"""What a launch can be asked of LiteRT, each delegate with all that one needs to know to make it."""

from __future__ import annotations

import sys
from dataclasses import dataclass

from ..protocol import DelegateRequest

if sys.version_info >= (3, 8):  # novm
    from typing import Literal

    Kernels = Literal["optimized", "reference"]  # the latter are slow and exact
    Accelerator = Literal["cpu", "gpu", "npu"]


@dataclass(eq=False, repr=False)
class InterpreterDelegate(DelegateRequest):
    """The interpreter's own kernels, XNNPACK, or the delegate in a library."""

    xnnpack: bool
    library: str | None = None
    options: dict[str, str] | None = None
    kernels: Kernels = "optimized"
    api: str = "interpreter"


@dataclass(eq=False, repr=False)
class CompiledModelDelegate(DelegateRequest):
    """LiteRT's CPU, GPU or NPU, and which of its backends; `cache` is a folder for what it compiles."""

    accelerator: Accelerator
    fp32: bool = False
    vendor: str | None = None
    backend: str | None = None
    cache: str | None = None
    api: str = "compiled_model"
