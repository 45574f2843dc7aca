"""Delegates: what executes the graph. One file each; this union is their registry and the matrix's schema."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, get_args

from pydantic import Field

from benchbench.runtimes.tflite.backends.base import TfliteBackend
from benchbench.runtimes.tflite.backends.cpu import Cpu
from benchbench.runtimes.tflite.backends.edgetpu import EdgeTpu
from benchbench.runtimes.tflite.backends.external import External
from benchbench.runtimes.tflite.backends.gpu import Gpu
from benchbench.runtimes.tflite.backends.hexagon import Hexagon
from benchbench.runtimes.tflite.backends.nnapi import Nnapi
from benchbench.runtimes.tflite.backends.npu import Npu
from benchbench.runtimes.tflite.backends.xnnpack import Xnnpack

Delegate = Annotated[
    Cpu | Xnnpack | Gpu | Nnapi | EdgeTpu | Hexagon | External | Npu,
    Field(discriminator="kind"),
]
BACKENDS: Mapping[str, type[TfliteBackend]] = MappingProxyType(
    {member.kind_name(): member for member in get_args(get_args(Delegate)[0])}
)
KINDS = tuple(BACKENDS)
UNASKED = Xnnpack.kind_name()  # what the tools apply unless they are told not to
UNKNOWN = External.kind_name()  # what a delegate is that none of these files knows
__all__ = [
    "BACKENDS",
    "KINDS",
    "UNASKED",
    "UNKNOWN",
    "Cpu",
    "Delegate",
    "EdgeTpu",
    "External",
    "Gpu",
    "Hexagon",
    "Nnapi",
    "Npu",
    "Xnnpack",
]
