"""The delegates that a launch can be asked for, each with all that one needs to know to make it."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Union

from .value import Value

if sys.version_info >= (3, 8):  # novm
    from typing import Literal

    Kernels = Literal["optimized", "reference"]  # the latter are slow and exact
    Accelerator = Literal["cpu", "gpu", "npu"]
    Optimization = Literal["disable", "basic", "extended", "layout", "all"]  # of the graph, as ONNX Runtime names them


@dataclass(eq=False, repr=False)
class InterpreterDelegate(Value):
    """The interpreter's own kernels, XNNPACK, or the delegate in a library."""

    xnnpack: bool
    library: str | None = None
    options: dict[str, str] | None = None
    kernels: Kernels = "optimized"
    api: str = "interpreter"


@dataclass(eq=False, repr=False)
class CompiledModelDelegate(Value):
    """LiteRT's CPU, GPU or NPU, and which of its backends; `cache` is a folder for what it compiles."""

    accelerator: Accelerator
    fp32: bool = False
    vendor: str | None = None
    backend: str | None = None
    cache: str | None = None
    api: str = "compiled_model"


@dataclass(eq=False, repr=False)
class OnnxRuntimeDelegate(Value):
    """An execution provider of ONNX Runtime, which its CPU kernels help out; None = those alone.

    A plug-in is in a `library`, or brought by a Python `package`. `options` are the provider's own, `config` those of
    the session. `dimensions`: sizes of symbolic dimensions by name, fixed before the graph is built; others are 1.
    `session_threads`: where the provider has threads of its own; None = as many as are asked for. `data`: where the
    files lie that the model names beside itself.
    """

    provider: str | None = None
    library: str | None = None
    package: str | None = None
    device: str | None = None
    options: dict[str, str] | None = None
    config: dict[str, str] | None = None
    optimization: Optimization = "all"
    session_threads: int | None = None
    inter_threads: int | None = None
    arena: bool = True
    memory_pattern: bool = True
    dimensions: dict[str, int] | None = None
    data: dict[str, str] | None = None
    api: str = "onnxruntime"


DelegateRequest = Union[InterpreterDelegate, CompiledModelDelegate, OnnxRuntimeDelegate]
DELEGATES: dict[str, type[DelegateRequest]] = {
    "interpreter": InterpreterDelegate,
    "compiled_model": CompiledModelDelegate,
    "onnxruntime": OnnxRuntimeDelegate,
}
