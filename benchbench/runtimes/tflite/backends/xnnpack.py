"""XNNPACK: the optimized CPU path, TFLite's default."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import Field

from benchbench.device_script.protocol import DelegateRequest
from benchbench.device_script.tflite.delegates import CompiledModelDelegate, InterpreterDelegate
from benchbench.runtimes.cache_lines import CacheLines
from benchbench.runtimes.tflite.backends.caching import CachingTfliteBackend
from benchbench.runtimes.tflite.backends.custom_ops import MEDIAPIPE
from benchbench.runtimes.tflite.backends.log_names import LogLine, LogNames, summary_row
from benchbench.values.device import RunnerKind, Traits


class Xnnpack(CachingTfliteBackend):
    """XNNPACK, asked for explicitly."""

    kind: Literal["xnnpack"] = "xnnpack"
    force_fp16: bool = Field(
        default=False, description="Computes float32 models in half precision where the CPU can; benchmark_model only."
    )
    color = "#3f7fbf"
    processor = "cpu"
    default_flags = frozenset({"--use_cpu=true"})
    log_names = LogNames(
        flags=("use_xnnpack", "use_cpu"),  # of LiteRT's tool: its CPU is XNNPACK
        words=("cpu",),
        kernels=("tflitexnnpackdelegate",),
        operators=r"\((?:NHWC|NCHW|NWC|NC|ND)\b",
        harmless=("weight cache",),
        lines=(
            LogLine("option", "(xnnpack)", summary_row(r"cpu w/ (?P<threads>\d+) threads \(xnnpack\)")),
            LogLine("created", "Created TensorFlow Lite ", r"Created TensorFlow Lite XNNPACK delegate for CPU"),
        ),
    )

    cache_lines = CacheLines(
        # Verbose lines, which Android shows.
        read=(r"XNNPack weight cache loaded from",),
        missed=(r"Cache needs to be built again", r"XNNPack weight cache build for .* started"),
        refused=(r"XNNPack weight cache could neither be loaded from or saved to",),
    )

    @property
    def label(self) -> str:
        return ":".join(["xnnpack", *(["fp16"] if self.force_fp16 else []), *self.cache_label])

    @property
    def fallback(self) -> str:
        return "cpu"

    def takes_custom_op(self, op: str) -> bool:
        return op in MEDIAPIPE

    def obstacle(self, traits: Traits, runner: RunnerKind) -> str | None:
        if self.force_fp16 and runner == "python":
            return 'the python runner cannot force fp16 in XNNPACK: use runner = "benchmark_model"'
        # The script's other way to XNNPACK, the Interpreter, has no cache; one that is off is measured on the same way.
        if self.cache and runner == "python" and not _keeps_weights(traits.runtime):
            return f"the Python of {traits.runtime} has no weight cache: CompiledModel of ai-edge-litert >= 2.2 has"
        return None

    def tflite_flags(self, library: str | None) -> tuple[str, ...]:
        return ("--use_xnnpack=true", *(("--xnnpack_force_fp16=true",) if self.force_fp16 else ()))

    def litert_flags(self, library: str | None) -> tuple[str, ...] | None:
        return None if self.force_fp16 else ("--use_cpu=true",)

    def tflite_cache_flags(self, folder: str, key: str) -> tuple[str, ...]:
        return (f"--xnnpack_weight_cache_file_path={folder}/weights",)

    def litert_cache_flags(self, folder: str, key: str) -> tuple[str, ...]:
        return self.tflite_cache_flags(folder, key)

    def request(self, library: str | None) -> DelegateRequest:
        return CompiledModelDelegate("cpu") if self.cache else InterpreterDelegate(xnnpack=True)


def _keeps_weights(runtime: str | None) -> bool:
    """Whether a device's Python can keep packed weights, as far as it is known which it is.

    2.1.5 and 2.1.6 have the option, too, but import a package (ml_dtypes) that they do not require.
    """
    name, _, version = (runtime or "ai-edge-litert").partition(" ")
    known = re.match(r"(\d+)\.(\d+)", version)
    return name == "ai-edge-litert" and (known is None or (int(known[1]), int(known[2])) >= (2, 2))
