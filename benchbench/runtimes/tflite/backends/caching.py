"""A delegate of TFLite or LiteRT that can keep what it compiles."""

from __future__ import annotations

from dataclasses import replace

from benchbench.device_script.protocol import DelegateRequest
from benchbench.device_script.tflite.delegates import CompiledModelDelegate
from benchbench.runtimes.caching import CachingBackend
from benchbench.runtimes.tflite.backends.base import TfliteBackend


class CachingTfliteBackend(CachingBackend, TfliteBackend):
    """The flags of their caches are in their own files; in the script it is CompiledModel that has them."""

    def keeping(self, request: DelegateRequest, folder: str) -> DelegateRequest | None:
        return replace(request, cache=folder) if isinstance(request, CompiledModelDelegate) else None
