"""NNAPI: Android's neural networks API (deprecated since Android 15), one accelerator or the system's choice."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from benchbench.runtimes.cache_lines import CacheLines
from benchbench.runtimes.tflite.backends.caching import CachingTfliteBackend
from benchbench.runtimes.tflite.backends.log_names import LogLine, LogNames, summary_row
from benchbench.values.device import RunnerKind, Traits


class Nnapi(CachingTfliteBackend):
    """NNAPI with the options of TFLite's benchmark_model, by their field names."""

    kind: Literal["nnapi"] = "nnapi"
    accelerator: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z0-9._-]+$",
        description='The name of one, such as "google-edgetpu"; from Android 10. [the system\'s choice]',
    )
    execution_preference: Literal["low_power", "fast_single_answer", "sustained_speed"] | None = Field(
        default=None, description="[the tool's]"
    )
    execution_priority: Literal["default", "low", "medium", "high"] | None = Field(
        default=None, description="[the tool's]"
    )
    disable_cpu: bool = Field(default=True, description="Leaves Android's own CPU path out.")
    allow_fp16: bool = Field(default=False, description="May compute float32 models in half precision.")
    allow_dynamic_dimensions: bool = Field(default=False, description="Takes tensors whose size is known only then.")
    burst: bool = Field(default=False, description="For many inferences, one soon after the other.")
    support_library: str | None = Field(
        default=None, description="The path on the device of a vendor's NNAPI support library."
    )
    library_form = "file"
    color = "#2fa084"
    processor = "accelerator"
    half_precision = True
    tried_out = True
    libraries_from = "the SoC vendor's NNAPI support library"
    default_flags = frozenset({"--disable_nnapi_cpu=true"})
    log_names = LogNames(
        flags=("use_nnapi", "nnapi_accelerator_name"),
        echoes=(("use legacy nnapi", "use_nnapi"), ("nnapi accelerators available", "accelerators")),
        kernels=("tflitennapidelegate",),
        lines=(
            LogLine("option", "nnapi(", summary_row(r"nnapi\([^)]*\)")),
            LogLine("unavailable", "NNAPI support library", r"Couldn't load NNAPI support library"),
            # Said whether or not anybody asked for it.
            LogLine("remark", "libneuralnetworks.so", r"nnapi error: unable to open library"),
        ),
    )

    cache_lines = CacheLines(
        read=(r"Found serialized data for model",),
        missed=(r"couldn't be opened for reading",),
        refused=(r"Failed to rename to|Could not fsync:|Could not write",),
    )

    @property
    def label(self) -> str:
        parts = [
            self.accelerator,
            "fp16" if self.allow_fp16 else None,
            "burst" if self.burst else None,
            *self.cache_label,
        ]
        return ":".join(["nnapi", *[part for part in parts if part]])

    def files_needed(self, library: str | None) -> tuple[str, ...]:
        path = library or self.support_library
        return (path,) if path else ()

    def obstacle(self, traits: Traits, runner: RunnerKind) -> str | None:
        if traits.os != "android":
            return "NNAPI exists on Android only"
        if traits.sdk is not None and traits.sdk < 27:
            return f"NNAPI needs Android 8.1 (SDK 27); the device has SDK {traits.sdk}"
        if self.accelerator and traits.sdk is not None and traits.sdk < 29:
            return f"choosing an NNAPI accelerator needs Android 10 (SDK 29); the device has SDK {traits.sdk}"
        return None

    def tflite_flags(self, library: str | None) -> tuple[str, ...]:
        flags = ["--use_nnapi=true", "--use_xnnpack=true"]
        flags.append(f"--disable_nnapi_cpu={'true' if self.disable_cpu else 'false'}")
        named = {
            "nnapi_accelerator_name": self.accelerator,
            "nnapi_execution_preference": self.execution_preference,
            "nnapi_execution_priority": self.execution_priority,
            "nnapi_support_library_path": library or self.support_library,
            "nnapi_allow_fp16": "true" if self.allow_fp16 else None,
            "nnapi_allow_dynamic_dimensions": "true" if self.allow_dynamic_dimensions else None,
            "nnapi_use_burst_mode": "true" if self.burst else None,
        }
        return (*flags, *[f"--{name}={value}" for name, value in named.items() if value])

    def tflite_cache_flags(self, folder: str, key: str) -> tuple[str, ...]:
        return (f"--delegate_serialize_dir={folder}", f"--delegate_serialize_token={key}")
