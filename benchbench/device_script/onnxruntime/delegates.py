"""What a launch can be asked of ONNX Runtime."""

from __future__ import annotations

import sys
from dataclasses import dataclass

from ..protocol import DelegateRequest

if sys.version_info >= (3, 8):  # novm
    from typing import Literal

    Optimization = Literal["disable", "basic", "extended", "layout", "all"]  # of the graph, as ONNX Runtime names them


@dataclass(eq=False, repr=False)
class OnnxRuntimeDelegate(DelegateRequest):
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
