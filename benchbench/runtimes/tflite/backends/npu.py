"""An NPU through LiteRT's CompiledModel: a vendor's dispatch library, with ahead-of-time or on-device compilation."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from benchbench.device_script.tflite.delegates import CompiledModelDelegate
from benchbench.runtimes.cache_lines import CacheLines
from benchbench.runtimes.tflite.backends.caching import CachingTfliteBackend
from benchbench.runtimes.tflite.backends.log_names import LogLine, LogNames
from benchbench.values.device import RunnerKind, Traits


class Npu(CachingTfliteBackend):
    """An NPU through LiteRT, compiled for ahead of time or on the device."""

    kind: Literal["npu"] = "npu"
    vendor: Literal["intel", "qualcomm", "mediatek", "google_tensor", "samsung"] | None = Field(
        default=None, description="Whose NPU. [the one that is there]"
    )
    backend: Literal["cpu", "gpu", "npu"] | None = Field(
        default=None, description="One of OpenVINO's devices; only with vendor = \"intel\". [the tool's choice]"
    )
    dispatch: str | None = Field(
        default=None,
        description="The folder on the device with the dispatch library, for the native tool. [the package's own]",
    )
    plugin: str | None = Field(
        default=None,
        description="The folder on the device with the compiler plugin, for the native tool. [the package's own]",
    )
    library_form = "folder"
    color = "#cf5757"
    processor = "accelerator"
    half_precision = True
    tried_out = True
    compiled_schemes = frozenset({"dispatch"})
    libraries_from = "the folder of LiteRT's published benchmark_model"
    default_flags = frozenset({"--use_cpu=true"})
    remarks = (("OpenVINO device: CPU", "the NPU path ran on OpenVINO's CPU device"),)
    log_names = LogNames(
        flags=("use_npu",),
        words=("dispatch",),
        kernels=("dispatchdelegate",),
        kernel_words=r"(?<!i)npu(?!t)|dispatch",
        lines=(
            LogLine("wanted", "ompiler_plugin_library_path", r"\bcompiler_plugin_library_path: "),
            LogLine("wanted", "ispatch_library_path", r"\bdispatch_library_path: \S"),
            # Said whether or not anybody asked for it.
            LogLine("remark", "compiler plugins", r"Failed to apply compiler plugins: "),
            LogLine("remark", "compiler plugins", r"\b0 compiler plugins were applied"),
        ),
    )

    cache_lines = CacheLines(
        read=(r"Flatbuffer model initialized from cached model",),
        missed=(r"Failed to load model from cache", r"Saving JIT compiled model to cache"),
        refused=(
            r"Inserting data in the cache failed",
            r"Cache root path does not exist",
            r"Failed to open cache file",
        ),
    )

    @property
    def label(self) -> str:
        return ":".join(["npu", *[part for part in (self.vendor, self.backend) if part], *self.cache_label])

    def files_needed(self, library: str | None) -> tuple[str, ...]:
        return tuple(dict.fromkeys(path for path in (self.dispatch or library, self.plugin or library) if path))

    def takes_custom_op(self, op: str) -> bool:
        return True  # whatever a vendor's compiler claims

    def obstacle(self, traits: Traits, runner: RunnerKind) -> str | None:
        if self.backend and self.vendor != "intel":
            return 'backend is an option of vendor = "intel"'
        if runner == "benchmark_model":
            # The tool has no such flag: it would measure XNNPACK without a word.
            return 'backend needs runner = "python"' if self.backend else None
        if self.cache in {"cold", "warm"}:
            return 'LiteRT\'s Python has no option for a compiler cache: use runner = "benchmark_model"'
        if self.dispatch or self.plugin:
            return 'dispatch and plugin need runner = "benchmark_model"; Python takes those of its own packages'
        if "npu" not in traits.accelerators:
            return (
                "no LiteRT dispatch library with its vendor's runtime in the device's Python:"
                f" pip install ai-edge-litert-sdk-{self.vendor or 'intel'} there"
            )
        return None

    def litert_flags(self, library: str | None) -> tuple[str, ...]:
        return (
            "--use_npu=true",
            "--use_cpu=true",
            *((f"--dispatch_library_path={self.dispatch or library}",) if self.dispatch or library else ()),
            *((f"--compiler_plugin_library_path={self.plugin or library}",) if self.plugin or library else ()),
        )

    def litert_cache_flags(self, folder: str, key: str) -> tuple[str, ...]:
        return (f"--compiler_cache_path={folder}",)

    def request(self, library: str | None) -> CompiledModelDelegate:
        return CompiledModelDelegate("npu", vendor=self.vendor, backend=self.backend)
