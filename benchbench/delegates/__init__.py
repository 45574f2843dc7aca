"""Delegates: what executes the graph. One file each; this union is their registry and the matrix's schema."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from benchbench.delegates.cpu import Cpu
from benchbench.delegates.edgetpu import EdgeTpu
from benchbench.delegates.external import External
from benchbench.delegates.gpu import Gpu
from benchbench.delegates.hexagon import Hexagon
from benchbench.delegates.nnapi import Nnapi
from benchbench.delegates.npu import Npu
from benchbench.delegates.xnnpack import Xnnpack

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
