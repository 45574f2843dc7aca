"""ONNX Runtime: an engine for sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..engine import Engines
from .delegates import OnnxRuntimeDelegate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..engine import Engine
    from ..protocol import Request


class OnnxEngines(Engines[OnnxRuntimeDelegate]):
    """What is true of ONNX Runtime alone; what measures is imported where it is used."""

    runtime = "onnxruntime"
    delegates = (OnnxRuntimeDelegate,)

    def engine(self, request: Request, delegate: OnnxRuntimeDelegate, with_cpu: bool) -> Engine:
        from .session import OnnxEngine

        return OnnxEngine(request, delegate)

    def probe(self, arguments: Sequence[str]) -> dict[str, Any]:
        """Its version, built-in providers and plug-ins; arguments are KEY=LIBRARY."""
        from .probe import probe

        return probe(dict(plugin.split("=", 1) for plugin in arguments))

    def in_words(self, error: BaseException) -> str:
        from .errors import in_words

        return in_words(error)
