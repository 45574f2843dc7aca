"""LiteRT and TFLite: whichever of ai_edge_litert, tflite_runtime, tensorflow is installed.

There are two APIs: Interpreter (CPU kernels, XNNPACK, external delegates) and CompiledModel (LiteRT's GPU and NPU). The
clock is around `invoke` in the first and around run *and* the reading of every output in the second, because
accelerators only enqueue the work in run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Union

from ..engine import Engines
from .delegates import CompiledModelDelegate, InterpreterDelegate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..engine import Engine
    from ..protocol import Request


class TfliteEngines(Engines[Union[InterpreterDelegate, CompiledModelDelegate]]):
    """What is true of LiteRT alone; what measures is imported where it is used."""

    runtime = "tflite"
    delegates = (InterpreterDelegate, CompiledModelDelegate)

    def engine(self, request: Request, delegate: InterpreterDelegate | CompiledModelDelegate, with_cpu: bool) -> Engine:
        from .runtime import Runtime

        if isinstance(delegate, CompiledModelDelegate):
            from .compiled_model import CompiledModelEngine

            return CompiledModelEngine(Runtime(), request, delegate, with_cpu)
        from .interpreter import InterpreterEngine

        return InterpreterEngine(Runtime(), request, delegate)

    def probe(self, arguments: Sequence[str]) -> dict[str, Any]:
        """Its packages and accelerators; there are no arguments."""
        from .probe import probe

        return probe()
