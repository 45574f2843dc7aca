"""The engine that a request asks for: a model made ready, fed, stepped and read, over one of the two APIs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .protocol import CompiledModelDelegate

if TYPE_CHECKING:
    from typing import Union

    from .compiled_model import CompiledModelEngine
    from .interpreter import InterpreterEngine
    from .protocol import Request
    from .runtime import Runtime

    Engine = Union[InterpreterEngine, CompiledModelEngine]


def engine_for(runtime: Runtime, request: Request, with_cpu: bool) -> Engine:
    """Not ready yet; `with_cpu` lets the CPU take what an accelerator leaves. Raises Unusable."""
    if isinstance(request.delegate, CompiledModelDelegate):
        from .compiled_model import CompiledModelEngine

        return CompiledModelEngine(runtime, request, request.delegate, with_cpu)
    from .interpreter import InterpreterEngine

    return InterpreterEngine(runtime, request, request.delegate)
