"""Backends of ONNX Runtime: its CPU kernels and its execution providers; this union is the matrix's schema of them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, get_args

from pydantic import Field

from benchbench.runtimes.onnxruntime.backends.base import Cpu, OnnxBackend
from benchbench.runtimes.onnxruntime.backends.providers import (
    AnyProvider,
    CoreMl,
    Cuda,
    Nnapi,
    OpenVino,
    Qnn,
    TensorRt,
    WebGpu,
    Xnnpack,
)

Delegate = Annotated[
    Cpu | OpenVino | Qnn | WebGpu | Cuda | TensorRt | Xnnpack | Nnapi | CoreMl | AnyProvider,
    Field(discriminator="kind"),
]
BACKENDS: Mapping[str, type[OnnxBackend]] = MappingProxyType(
    {member.kind_name(): member for member in get_args(get_args(Delegate)[0])}
)
__all__ = ["BACKENDS", "AnyProvider", "Cpu", "Delegate", "OnnxBackend", "OpenVino", "WebGpu", "Xnnpack"]
