"""Models that were compiled for an accelerator: one operator holds the graph, and only that accelerator can run it."""

from __future__ import annotations

from dataclasses import dataclass

from benchbench.runtimes.tflite.backends import BACKENDS
from benchbench.values.backend import Backend


@dataclass(frozen=True, slots=True)
class Target:
    """What a model was compiled for: the custom operator that holds it, and what makes it."""

    op: str  # or what its name begins with
    name: str
    compiler: str


COMPILED = {  # scheme -> what it is for; which backends take it is in their files
    "edgetpu": Target("edgetpu-custom-op", "the Edge TPU", "edgetpu_compiler"),
    "ethos-u": Target("ethos-u", "Arm's Ethos-U", "Vela"),
    "neutron": Target("NeutronGraph", "NXP's Neutron", "the eIQ Neutron converter"),
    "vsi-npu": Target("vsi-npu", "VeriSilicon's NPU", "VeriSilicon's compiler"),
    "dispatch": Target("DISPATCH_OP", "a vendor's NPU through LiteRT", "LiteRT's compiler plugin"),
}


def compiled_scheme(op: str) -> str | None:
    """The scheme of a model with such a custom operator; None where it is not one of a compiler."""
    return next((scheme for scheme, target in COMPILED.items() if op.startswith(target.op)), None)


def mismatch(scheme: str, delegate: Backend) -> str | None:
    """Why a model of this scheme cannot run on a delegate; None = it may."""
    if scheme in delegate.compiled_schemes:
        return None
    if scheme in COMPILED:
        kinds = " or ".join(kind for kind, backend in BACKENDS.items() if scheme in backend.compiled_schemes)
        return f"compiled for {COMPILED[scheme].name}: runs with the {kinds} delegate only"
    if not delegate.only_compiled:
        return None
    target = next(target for known, target in COMPILED.items() if known in delegate.compiled_schemes)
    return f"not compiled for {target.name}: run {target.compiler} on its full-integer variant"
