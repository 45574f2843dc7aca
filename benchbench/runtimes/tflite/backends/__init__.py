"""Delegates: what executes the graph. One file each; this union is their registry and the matrix's schema."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

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
__all__ = [
    "KINDS",
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
KINDS = ("cpu", "xnnpack", "gpu", "nnapi", "edgetpu", "hexagon", "external", "npu")
