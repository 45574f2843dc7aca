"""The GPU: TFLite's GPU delegate (OpenCL, OpenGL), or LiteRT's GPU accelerator (OpenCL, WebGPU)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from benchbench.device_script.tflite.delegates import CompiledModelDelegate
from benchbench.runtimes.cache_lines import CacheLines
from benchbench.runtimes.tflite.backends.caching import CachingTfliteBackend
from benchbench.runtimes.tflite.backends.custom_ops import MEDIAPIPE
from benchbench.runtimes.tflite.backends.log_names import LogLine, LogNames, summary_row
from benchbench.values.device import RunnerKind, Traits


class Gpu(CachingTfliteBackend):
    """The GPU."""

    kind: Literal["gpu"] = "gpu"
    precision: Literal["fp16", "fp32"] = Field(
        default="fp16", description='"fp16" is what both tools do unless told otherwise; "fp32" is exact and slower.'
    )
    backend: Literal["cl", "gl", "webgpu", "opengl"] | None = Field(
        default=None, description="TFLite's are cl and gl, LiteRT's webgpu and opengl. [the tool's choice]"
    )
    sustained_speed: bool = Field(default=False, description="For many inferences; TFLite's benchmark_model only.")
    color = "#e08a3c"
    processor = "accelerator"
    half_precision = True
    on_every_phone = True
    tried_out = True
    remarks = (("adapterType=CPU", "the GPU is a software renderer"),)
    default_flags = frozenset({"--gpu_precision_loss_allowed=true", "--use_cpu=true"})
    tflite_build_flag = "gpu_precision_loss_allowed"  # builds without it know --use_gpu all the same
    log_names = LogNames(
        flags=("use_gpu",),
        words=("metal", "opencl", "opengl", "webgpu", "gl", "cl"),
        kernels=("tflitegpudelegate",),
        kernel_words=r"gpu|opencl|litertcl|metal",
        harmless=(
            "(?:Following|Next) operations are not supported by GPU",
            "operations will run on the",
            "Falling back to",  # from OpenCL to OpenGL
        ),
        lines=(
            LogLine("option", "gpu-", summary_row(r"gpu-\w+")),
            LogLine("kernels", "GPU delegate kernels", r"Created (?P<kernels>\d+) GPU delegate kernels"),
            LogLine(
                "split",
                " will run on the GPU",
                r"\b(?:(?P<nodes>\d++)|No) operations will run on the GPU, and (?:the remaining|all) (?P<rest>\d+)",
            ),
            LogLine("split", " will run on the GPU", r"[Aa]ll (?P<nodes>\d+) operations will run on the GPU\b"),
            LogLine(
                "initialized", "-based API from ", r"Initializing (?P<api>\w+)-based API from (?:graph|serialized data)"
            ),
            LogLine(
                "unavailable",
                " environment",
                r"Failed to (?:initialize|get or create)(?: delegate)? (?:WebGPU|OpenCL|OpenGL|GPU) environment",
            ),
        ),
    )

    cache_lines = CacheLines(
        read=(r"\w+-based API from serialized data", r"Found serialized data for model"),
        missed=(r"couldn't be opened for reading", r"Deserialization failed", r"Discarding stale program cache entry"),
        refused=(r"Failed to save serialized data", r"Serialization is not supported"),
    )

    @property
    def label(self) -> str:
        parts = [*(["fp32"] if self.precision == "fp32" else []), *([self.backend] if self.backend else [])]
        parts += ["sustained"] if self.sustained_speed else []
        parts += self.cache_label
        return ":".join(["gpu", *parts])

    def takes_custom_op(self, op: str) -> bool:
        return op in MEDIAPIPE or op == "Resampler"

    def obstacle(self, traits: Traits, runner: RunnerKind) -> str | None:
        if runner != "python":
            return None
        if self.backend not in {None, "webgpu"}:
            return f'backend = "{self.backend}" needs runner = "benchmark_model"; the python runner has webgpu'
        if self.sustained_speed:
            return "sustained_speed is an option of TFLite's benchmark_model only"
        if self.cache in {"cold", "warm"}:
            return 'the GPU options of LiteRT\'s Python have no serialization: use runner = "benchmark_model"'
        if "gpu" not in traits.accelerators:
            return (
                "LiteRT's GPU accelerator is not to be had in the device's Python: it needs"
                " pip install 'ai-edge-litert>=2.3' and a Vulkan loader (libvulkan1) there"
            )
        return None

    def tflite_flags(self, library: str | None) -> tuple[str, ...] | None:
        if self.backend in {"webgpu", "opengl"}:
            return None
        flags = ["--use_gpu=true", "--use_xnnpack=true"]
        flags.append(f"--gpu_precision_loss_allowed={'true' if self.precision == 'fp16' else 'false'}")
        flags += [f"--gpu_backend={self.backend}"] if self.backend else []
        flags += ["--gpu_inference_for_sustained_speed=true"] if self.sustained_speed else []
        return tuple(flags)

    def litert_flags(self, library: str | None) -> tuple[str, ...] | None:
        if self.backend == "cl" or self.sustained_speed:
            return None
        backend = (f"--gpu_backend={self.backend}",) if self.backend else ()
        return ("--use_gpu=true", "--use_cpu=true", f"--gpu-precision={self.precision}", *backend)

    def tflite_cache_flags(self, folder: str, key: str) -> tuple[str, ...]:
        return (f"--delegate_serialize_dir={folder}", f"--delegate_serialize_token={key}")

    def litert_cache_flags(self, folder: str, key: str) -> tuple[str, ...]:
        return (f"--gpu_serialization_dir={folder}", f"--gpu_model_cache_key={key}")

    def request(self, library: str | None) -> CompiledModelDelegate:
        return CompiledModelDelegate("gpu", fp32=self.precision == "fp32", backend=self.backend)
