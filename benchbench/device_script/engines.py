"""The engine that a request asks for: a model made ready, fed, stepped and read, over one of the APIs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .delegate_requests import CompiledModelDelegate, OnnxRuntimeDelegate

if TYPE_CHECKING:
    from typing import Union

    from .compiled_model import CompiledModelEngine
    from .interpreter import InterpreterEngine
    from .onnx_session import OnnxEngine
    from .protocol import Request

    Engine = Union[InterpreterEngine, CompiledModelEngine, OnnxEngine]


def engine_for(request: Request, with_cpu: bool) -> Engine:
    """Not ready yet; `with_cpu` lets the CPU take what an accelerator leaves.

    Raises ImportError where its runtime is not installed, and Unusable.
    """
    if isinstance(request.delegate, OnnxRuntimeDelegate):
        from .onnx_session import OnnxEngine

        return OnnxEngine(request, request.delegate)
    from .runtime import Runtime

    if isinstance(request.delegate, CompiledModelDelegate):
        from .compiled_model import CompiledModelEngine

        return CompiledModelEngine(Runtime(), request, request.delegate, with_cpu)
    from .interpreter import InterpreterEngine

    return InterpreterEngine(Runtime(), request, request.delegate)
