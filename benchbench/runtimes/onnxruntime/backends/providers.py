"""Execution providers: what takes nodes before ONNX Runtime's own kernels do, built in or from a plug-in."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import ClassVar, Literal, Self

from pydantic import Field, field_validator

from benchbench.device_script.onnxruntime.delegates import OnnxRuntimeDelegate
from benchbench.runtimes.onnxruntime.backends.base import CPU, CPU_PROVIDER, PERF_TEST, OnnxBackend
from benchbench.values.device import RunnerKind, Traits


class Provider(OnnxBackend):
    """A provider; `module` is the Python package that brings its plug-in, where there is one."""

    path: str | None = Field(
        default=None,
        description="The plug-in's library on the device. [as `libraries` has it, built in, or in a Python package]",
    )
    device: Literal["cpu", "gpu", "npu"] | None = Field(
        default=None, description="On which of the devices that a plug-in offers. [its first]"
    )

    module: ClassVar[str | None] = None
    only_on: ClassVar[str | None] = None  # a system as traits have it; None = on several
    library_form = "file"
    libraries_from = "the provider's Python package"
    tried_out = True

    def _settings(self) -> Iterator[str]:
        if self.device:
            yield self.device
        yield from super()._settings()

    @property
    def library(self) -> str | None:
        return self.path

    def unsupported_reason(self, traits: Traits, runner: RunnerKind) -> str | None:
        if reason := super().unsupported_reason(traits, runner):
            return reason
        if runner == "python" and (self.path or {self.kind, self.provider} & set(traits.accelerators)):
            return None
        if self.only_on not in {None, traits.os}:
            return f"{self.provider} exists on {self.only_on} only"
        if runner == PERF_TEST:  # of which a device's own build knows whether it has it
            return None
        way = f"pip install {self.module.replace('_', '-')} there" if self.module else "it takes a build that has it"
        return f"the device's ONNX Runtime has no {self.provider} ({way}, or a plug-in's library under `libraries`)"

    def session(self, library: str | None, threads: int) -> OnnxRuntimeDelegate:
        plain = super().session(library, threads)
        return replace(plain, package=None if library else self.module, device=self.device)

    def perf_test_obstacle(self) -> str | None:
        if self.path or self.device:
            return f"{PERF_TEST} is given no plug-in, nor a device of one"
        return super().perf_test_obstacle()


class OpenVino(Provider):
    """Intel's OpenVINO, on CPUs, GPUs and NPUs."""

    kind: Literal["ort-openvino"] = "ort-openvino"
    color = "#2b6cb0"
    half_precision = True
    provider = "OpenVINOExecutionProvider"
    module = "onnxruntime_ep_openvino"

    def cache_options(self, folder: str) -> Mapping[str, str]:
        """OpenVINO's own property, of the device that compiles: the plug-in passes `cache_dir` over without a word."""
        device = self.device or self.options.get("device_type", "CPU")
        return {"load_config": json.dumps({device.upper(): {"CACHE_DIR": folder}})}


class Qnn(Provider):
    """Qualcomm's AI Engine Direct: the Hexagon NPU, or the Adreno GPU."""

    kind: Literal["ort-qnn"] = "ort-qnn"
    color = "#a83f6f"
    processor = "accelerator"
    half_precision = True
    provider = "QNNExecutionProvider"
    module = "onnxruntime_qnn"
    keeps_nothing = "its context is kept as another model file (ep.context_enable), a variant of its own"


class WebGpu(Provider):
    """The GPU, through WebGPU over Vulkan, Metal or Direct3D."""

    kind: Literal["ort-webgpu"] = "ort-webgpu"
    color = "#d07a5a"
    processor = "accelerator"
    perf_test_options = False
    half_precision = True
    provider = "WebGpuExecutionProvider"
    module = "onnxruntime_ep_webgpu"


class Cuda(Provider):
    """NVIDIA GPUs through CUDA."""

    kind: Literal["ort-cuda"] = "ort-cuda"
    color = "#76a03a"
    processor = "accelerator"
    half_precision = True  # TF32 in convolutions, unless use_tf32 = 0
    provider = "CUDAExecutionProvider"


class TensorRt(Provider):
    """NVIDIA GPUs through TensorRT."""

    kind: Literal["ort-tensorrt"] = "ort-tensorrt"
    color = "#4f8a4f"
    processor = "accelerator"
    half_precision = True
    provider = "TensorrtExecutionProvider"

    def cache_options(self, folder: str) -> Mapping[str, str]:
        """https://onnxruntime.ai/docs/execution-providers/TensorRT-ExecutionProvider.html"""
        return {"trt_engine_cache_enable": "1", "trt_engine_cache_path": folder}


class Xnnpack(Provider):
    """XNNPACK, in builds that have it; it has threads of its own."""

    kind: Literal["ort-xnnpack"] = "ort-xnnpack"
    color = "#6a8fd0"
    processor = "cpu"
    provider = "XnnpackExecutionProvider"
    perf_test_options = False  # it has its threads and no spinning there, too, beside as many of the session

    def session(self, library: str | None, threads: int) -> OnnxRuntimeDelegate:
        """As its documentation advises: its own threads, one of the session, and no spinning beside them."""
        plain = super().session(library, threads)
        options = {"intra_op_num_threads": str(threads), **self.options}
        config = {"session.intra_op.allow_spinning": "0", **self.config}
        return replace(plain, options=options, config=config, session_threads=1)


class Nnapi(Provider):
    """Android's NNAPI, in builds that have it."""

    kind: Literal["ort-nnapi"] = "ort-nnapi"
    color = "#3f9a94"
    processor = "accelerator"
    half_precision = True
    provider = "NnapiExecutionProvider"
    only_on = "android"

    def perf_test_words(self) -> list[str]:
        """Its flags, by their names alone: NNAPI_FLAG_USE_FP16."""
        return [flag for flag, value in self.options.items() if value not in {"0", "false"}]


class CoreMl(Provider):
    """Apple's Core ML: the Neural Engine and the GPU."""

    kind: Literal["ort-coreml"] = "ort-coreml"
    color = "#8f8f4a"
    processor = "accelerator"
    half_precision = True
    provider = "CoreMLExecutionProvider"
    only_on = "macos"

    def cache_options(self, folder: str) -> Mapping[str, str]:
        """https://onnxruntime.ai/docs/execution-providers/CoreML-ExecutionProvider.html"""
        return {"ModelCacheDirectory": folder}


class AnyProvider(Provider):
    """Any other provider, by ONNX Runtime's name for it."""

    kind: Literal["ort-provider"] = "ort-provider"
    execution_provider: str = Field(min_length=1, description='Such as "VitisAIExecutionProvider".')
    color = "#9a7f9f"
    tried_out = False

    @property
    def provider_name(self) -> str:
        return self.execution_provider

    @classmethod
    def example(cls) -> Self:
        return cls(execution_provider="DnnlExecutionProvider")  # which the tool names, whatever it was built with

    @field_validator("execution_provider")
    @classmethod
    def _takes_nodes(cls, value: str) -> str:
        """ONNX Runtime's own kernels are no provider beside them: their number is the CPU's."""
        if value == CPU_PROVIDER:
            raise ValueError(f'{CPU_PROVIDER} is the CPU itself: write "{CPU}"')
        return value

    def _settings(self) -> Iterator[str]:
        yield "".join(c for c in self.execution_provider.removesuffix("ExecutionProvider") if c.isalnum()).lower()
        yield from super()._settings()

    def unsupported_reason(self, traits: Traits, runner: RunnerKind) -> str | None:
        return OnnxBackend.unsupported_reason(self, traits, runner)  # a launch tells whether it is there

    def session(self, library: str | None, threads: int) -> OnnxRuntimeDelegate:
        return replace(super().session(library, threads), provider=self.execution_provider)
