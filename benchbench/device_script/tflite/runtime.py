"""The TFLite runtime of this Python, whichever of its packages is installed."""

from __future__ import annotations

import os
import sys
from typing import Any

from ..errors import first_line

# What is imported, by its distribution's name; the first that can be is used.
MODULES = (
    ("ai-edge-litert", "ai_edge_litert.interpreter"),
    ("tflite-runtime", "tflite_runtime.interpreter"),
    ("tensorflow", "tensorflow.lite.python.interpreter"),
)


class Runtime:
    """The first of ai_edge_litert, tflite_runtime, tensorflow that can be imported."""

    def __init__(self) -> None:
        refused = []
        for distribution, module in MODULES:
            try:
                self.interpreter: Any = __import__(module, fromlist=["Interpreter"])
                package = sys.modules[module.partition(".")[0]]
            except Exception as error:  # a runtime built for another numpy raises AttributeError or SystemError
                refused.append(f"{distribution}: {type(error).__name__}: {first_line(error)}")
                continue
            self.folder = os.path.dirname(os.path.abspath(str(package.__file__)))
            self.label = f"{distribution} {getattr(package, '__version__', None) or _version(distribution)}"
            return
        reasons = "; ".join(sorted(refused))
        raise ImportError("no TFLite runtime can be imported (pip install ai-edge-litert): " + reasons)

    def plain(self, model: str, threads: int = 0, *, kernels: str = "default", delegate: object = None) -> Any:
        """A classic interpreter; raises what the runtime raises.

        `kernels`: "default" = XNNPACK wherever it can, "optimized" = without XNNPACK, "reference" = slow and exact.
        """
        arguments: dict[str, Any] = {"model_path": model}
        if threads:
            arguments["num_threads"] = threads
        if delegate:
            arguments["experimental_delegates"] = [delegate]
        resolver = getattr(self.interpreter, "OpResolverType", None)
        if kernels != "default" and resolver is not None:  # runtimes before 2.5 have no such switch, and no XNNPACK
            wanted = resolver.BUILTIN_REF if kernels == "reference" else resolver.BUILTIN_WITHOUT_DEFAULT_DELEGATES
            arguments["experimental_op_resolver_type"] = wanted
        return self.interpreter.Interpreter(**arguments)


def _version(distribution: str) -> str:
    try:
        from importlib.metadata import version  # novm

        return version(distribution)
    except Exception:  # Python 3.7 has no importlib.metadata
        return "of unknown version"
